"""An app's place in the cluster: its namespace, and how the bot's objects in it are known as the bot's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.cluster.api.address import Address
from core.cluster.documents import Document, labels_of
from core.cluster.kinds.namespace import NAMESPACE
from core.cluster.labels import FIELD_MANAGER, MANAGED_LABEL, TOKEN_ANNOTATION, namespace_name
from core.errors import Foreign, Rejected
from core.records.app import adopt_command
from core.records.bundle import Ref


@dataclass(frozen=True, slots=True)
class AppNamespace:
    """One app's namespace on one rack."""

    rack: str
    app: str

    @property
    def namespace(self) -> str:
        return namespace_name(self.rack, self.app)

    @property
    def selector(self) -> str:
        """Selects the replica sets and pods of the app's services."""
        return f"system=convox,rack={self.rack},app={self.app}"

    def at(self, kind: str, name: str = "", subresource: str = "") -> Address:
        """Return where an object of the app, or without a name its collection, is found."""
        return Address(
            kind=kind,
            namespace=self.namespace,
            name=name,
            subresource=subresource,
            rack=self.rack,
            app=self.app,
        )

    @property
    def itself(self) -> Address:
        return Address(kind=NAMESPACE.name, name=self.namespace, rack=self.rack, app=self.app)


def check_ours(live: Document, ref: Ref, token: int) -> None:
    """Raise Rejected (Foreign where the label is missing) unless the object is the bot's and nobody newer has written to it.

    Args:
        live: the object as it was read.
        ref: how to call it.
        token: the fencing number of whoever wants to write.
    """
    if labels_of(live).get(MANAGED_LABEL) != FIELD_MANAGER:
        raise Foreign(
            f"{ref} exists already and is not the bot's own: delete or rename it, or hand it over with"
            f" `kubectl label {ref.kind.lower()} {ref.name} -n {live['metadata'].get('namespace', '')}"
            f" {MANAGED_LABEL}={FIELD_MANAGER}`"
        )
    if (found := token_of(live)) > token:
        adopt = adopt_command(str(labels_of(live).get("app", "APP")))
        raise Rejected(
            f"a newer promotion has already written {ref} (its number is {found}, this one's is {token});"
            f" this one writes no more; where the database is older than the cluster: `{adopt}`"
        )


def token_of(live: Document) -> int:
    """Return the fencing number that an object carries; 0 where it carries none that can be read."""
    text = str((live["metadata"].get("annotations") or {}).get(TOKEN_ANNOTATION, ""))
    return int(text) if text.isdecimal() else 0


def fenced(desired: Mapping[str, Any], live: Document | None, token: int) -> dict[str, Any]:
    """Return what to send: the object with our token, bound to the very state that was read (engine rule 15).

    The token goes into the object's own metadata only; in a pod template it would roll every pod at each promotion.
    """
    metadata = dict(desired["metadata"])
    metadata["annotations"] = {**(metadata.get("annotations") or {}), TOKEN_ANNOTATION: str(token)}
    if live is not None:
        metadata["uid"] = live["metadata"]["uid"]
        metadata["resourceVersion"] = live["metadata"]["resourceVersion"]
    return {**desired, "metadata": metadata}
