"""Taking fields over from others before an apply leaves them out, and keeping them ours after it (engine rules 45 and 46)."""

from core.cluster.api.address import Address
from core.cluster.api.client import Json, KubeClient
from core.cluster.api.refusals import ApiRejected, ApiUnreachable
from core.cluster.documents import Document, uid_of
from core.cluster.labels import FIELD_MANAGER
from core.cluster.ownership import claimed, shared_fields, shown, shown_fields, template_owners


def foreign(live: Document) -> str:
    """Return which fields of a pod template others own, and who; "" where nobody does."""
    return ", ".join(f"{shown_fields(each.fields)} (set by {each.manager})" for each in template_owners(live))


class ManagedFieldsWriter:
    """Writes who owns the fields of an object: no value changes by it and nothing is rolled out."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def dry_run(self, at: Address, live: Json | None, body: Json, *, force: bool) -> Json:
        """Apply without keeping it; a conflict over what is ours as well is none.

        Raises:
            ApiRejected: another conflict, or whatever else the server has against it.
        """
        try:
            return await self._client.apply(at, body, manager=FIELD_MANAGER, force=force, dry_run=True)
        except ApiRejected as error:
            shared = {shown(path) for path in shared_fields(live)} if live else set()
            if not error.status.conflicts or any(c.field not in shared for c in error.status.conflicts):
                raise
        return await self._client.apply(at, body, manager=FIELD_MANAGER, force=True, dry_run=True)

    async def claimed(self, at: Address, live: Json | None, body: Json, *, template: bool) -> Json:
        """Return what to send once nobody else owns what is ours too, nor with `template` anything of the pod template.

        The patch is bound to the state that was read, and what is sent then to the state that the patch has made.
        """
        after = await self._claim(at, live, template=template) if live else None
        if after is None:
            return body
        version = after["metadata"]["resourceVersion"]
        return {**body, "metadata": {**body["metadata"], "resourceVersion": version}}

    async def disown_others(self, at: Address, after: Json) -> None:
        """See that nobody else owns a field of what was applied: with another value it would refuse the next promotion."""
        try:
            await self._claim(at, after, template=False)
        except ApiUnreachable as error:
            # A controller was faster: the next apply takes it, since what is shared is no conflict.
            if error.status.code != 409:
                raise

    async def _claim(self, at: Address, live: Json, *, template: bool) -> Json | None:
        entries = claimed(live, template=template)
        if entries is None:
            return None
        version = live["metadata"]["resourceVersion"]
        metadata = {"uid": uid_of(live), "resourceVersion": version, "managedFields": entries}
        return await self._client.merge(at, {"metadata": metadata}, manager=FIELD_MANAGER)
