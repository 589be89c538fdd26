"""What stands between a valid pod and its creation: the service account and the quotas of its namespace."""

from decimal import Decimal
from typing import Any

from bot.playground.cluster.errors import ApiError, forbidden
from bot.playground.cluster.quantities import quantity

Document = dict[str, Any]
TERMINAL_PHASES = frozenset({"Succeeded", "Failed"})


def missing_account(pod: Document, accounts: list[Document]) -> ApiError | None:
    """Return the refusal for a pod whose service account does not exist."""
    wanted = pod["spec"].get("serviceAccountName", "default")
    if any(account["metadata"]["name"] == wanted for account in accounts):
        return None
    namespace = pod["metadata"]["namespace"]
    # The check runs before the random part of the name is drawn, and the text shows that.
    name = pod["metadata"].get("generateName") or pod["metadata"]["name"]
    why = f'error looking up service account {namespace}/{wanted}: serviceaccount "{wanted}" not found'
    return forbidden("", "pods", name, why)


def over_quota(pod: Document, pods: list[Document], quotas: list[Document]) -> ApiError | None:
    """Return the refusal for a pod for which a quota has no room left."""
    alive = [each for each in pods if each.get("status", {}).get("phase") not in TERMINAL_PHASES]
    for quota in quotas:
        exceeded = []
        for name, limit in (quota.get("spec", {}).get("hard") or {}).items():
            asked = demand(pod, name)
            used = sum((demand(each, name) for each in alive), Decimal(0))
            if asked and used + asked > quantity(limit):
                exceeded.append((name, asked, used, limit))
        if exceeded:
            parts = [
                f"{title}: " + ",".join(f"{each[0]}={_plain(each[index])}" for each in exceeded)
                for title, index in (("requested", 1), ("used", 2), ("limited", 3))
            ]
            why = f"exceeded quota: {quota['metadata']['name']}, " + ", ".join(parts)
            return forbidden("", "pods", pod["metadata"]["name"], why)
    return None


def demand(pod: Document, name: str) -> Decimal:
    """Return how much of a quota's item a pod needs: pieces, cores or bytes; init containers come one after the other."""
    if name in {"pods", "count/pods"}:
        return Decimal(1)
    kind, _, resource = name.rpartition(".")
    field = "limits" if kind == "limits" else "requests"
    if resource not in {"cpu", "memory", "ephemeral-storage"}:
        return Decimal(0)

    def asked(container: Document) -> Decimal:
        return quantity(((container.get("resources") or {}).get(field) or {}).get(resource, 0))

    together = sum((asked(each) for each in pod["spec"].get("containers", [])), Decimal(0))
    return max([together, *(asked(each) for each in pod["spec"].get("initContainers") or [])])


def _plain(value: Any) -> str:
    return str(int(value)) if isinstance(value, Decimal) and value == int(value) else str(value)
