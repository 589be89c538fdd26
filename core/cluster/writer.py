"""How single objects of ours are changed, held and taken out of the cluster: fenced, and none but ours."""

from core.cluster.api.client import KubeClient
from core.cluster.documents import (
    controller_of,
    generation_of,
    is_terminating,
    spec_of,
    uid_of,
)
from core.cluster.fencing import AppNamespace, check_ours
from core.cluster.kinds import WORKLOADS
from core.cluster.kinds.job import JOB, is_running
from core.cluster.labels import FIELD_MANAGER, RESTART_MANAGER, SCALE_MANAGER
from core.cluster.patches import applied_by_us, restart_of, scale_of, suspended
from core.cluster.races import retried
from core.cluster.templates import restarted_at, template_digest
from core.errors import Rejected
from core.records.bundle import Ref
from core.records.intent import Applied

SUSPENDED = "until what it has started has ended"


class ObjectWriter:
    """Changes single objects of apps that are there."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def scale(self, ns: AppNamespace, ref: Ref, replicas: int, *, token: int) -> Applied:
        """Set a count through /scale; whoever has set it before loses it to the bot's own scale manager."""
        return await retried(lambda: self._scale_once(ns, ref, replicas, token=token))

    async def restart(self, ns: AppNamespace, ref: Ref, at: str, *, token: int) -> Applied:
        """Note a time in the pod template of a workload, as `kubectl rollout restart` does: its pods are replaced.

        Args:
            ns: where.
            ref: the workload.
            at: the note, "" for none; another than there is makes another replica set, one of before brings that one back.
            token: our fencing number.
        """
        return await retried(lambda: self._restart_once(ns, ref, at, token=token))

    async def delete(self, ns: AppNamespace, ref: Ref, *, uid: str, token: int) -> None:
        """Delete one object of ours, with its pods.

        Args:
            ns: where.
            ref: what.
            uid: of the object meant; "" where the answer to its creation was lost: then the one that is there.
            token: our fencing number.
        """
        await retried(lambda: self._remove_once(ns, ref, uid=uid, token=token))

    async def suspend(self, ns: AppNamespace, ref: Ref, *, uid: str, token: int) -> bool:
        """Suspend one object of ours; see `core.ports.cluster.Cluster.suspend`."""
        return await retried(lambda: self._suspend_once(ns, ref, uid=uid, token=token))

    async def _suspend_once(self, ns: AppNamespace, ref: Ref, *, uid: str, token: int) -> bool:
        at = ns.at(ref.kind, ref.name)
        live = await self._client.get(at)
        if live is None or is_terminating(live) or uid_of(live) != (uid or uid_of(live)):
            return True
        check_ours(live, ref, token)
        if not spec_of(live).get("suspend"):
            await self._client.merge(at, suspended(live, SUSPENDED), manager=FIELD_MANAGER)
            return False
        jobs, _ = await self._client.list(ns.at(JOB.name))
        mine = [job for job in jobs if (controller_of(job, {ref.kind}) or {}).get("uid") == uid_of(live)]
        return not any(is_running(job) for job in mine)

    async def _scale_once(self, ns: AppNamespace, ref: Ref, replicas: int, *, token: int) -> Applied:
        live = await self._client.get(ns.at(ref.kind, ref.name))
        if live is None:
            raise Rejected(f"{ref} does not exist in namespace {ns.namespace}: there is nothing to scale")
        check_ours(live, ref, token)
        scale = ns.at(ref.kind, ref.name, "scale")
        await self._client.apply(scale, scale_of(ns, live, replicas), manager=SCALE_MANAGER, force=True)
        changed = spec_of(live).get("replicas") != replicas
        # A Scale carries no generation; a change of the count raises it by one, whatever else raises it besides.
        return Applied(
            ref=ref,
            uid=uid_of(live),
            generation=generation_of(live) + changed,
            changed=changed,
            replicas=replicas,
        )

    async def _restart_once(self, ns: AppNamespace, ref: Ref, at: str, *, token: int) -> Applied:
        where = ns.at(ref.kind, ref.name)
        live = await self._client.get(where)
        if live is None or is_terminating(live):
            raise Rejected(f"{ref} does not exist in namespace {ns.namespace}: there is nothing to restart")
        check_ours(live, ref, token)
        body = restart_of(ns, live, at)
        after = await self._client.apply(where, body, manager=RESTART_MANAGER, force=True)
        return Applied(
            ref=ref,
            uid=uid_of(after),
            generation=generation_of(after),
            changed=restarted_at(live) != at,
            template=template_digest(after),
        )

    async def _remove_once(self, ns: AppNamespace, ref: Ref, *, uid: str, token: int) -> None:
        at = ns.at(ref.kind, ref.name)
        live = await self._client.get(at)
        if live is None or is_terminating(live) or uid_of(live) != (uid or uid_of(live)):
            return
        check_ours(live, ref, token)
        if not applied_by_us(live):
            raise Rejected(f"{ref} was not applied by the bot, only labelled as its own: it is left alone")
        version = live["metadata"]["resourceVersion"]
        await self._client.delete(
            at,
            {
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "preconditions": {"uid": uid_of(live), "resourceVersion": version},
                # Foreground: a workload stays to be seen until its pods have gone.
                "propagationPolicy": "Foreground" if ref.kind in WORKLOADS else "Background",
            },
        )
