"""The way of every write: preconditions, defaults, validation, admission, managed fields, the store."""

import random
import uuid
from typing import Any

from bot.playground.cluster import admission, errors
from bot.playground.cluster.defaults import with_defaults
from bot.playground.cluster.managed_fields import (
    ManagedFieldsEntry,
    after_update,
    prune_managed_fields,
    write_managed_fields,
)
from bot.playground.cluster.resources import ApiResource
from bot.playground.cluster.storage import Storage
from bot.playground.cluster.timestamps import whole_seconds
from bot.playground.cluster.validation import validate
from bot.playground.cluster.writes import (
    WITHOUT_MANAGED_FIELDS,
    FieldManager,
    is_no_op,
    restrict_to_subresource,
    with_generation,
    without_nulls,
)
from core.clock import Clock

Document = dict[str, Any]
CONTROLLER = FieldManager(manager="kube-controller-manager")


class Pipeline:
    """Takes documents through everything that stands between a request and the store."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self.storage = storage
        self.clock = clock
        self._rng = random.Random()

    def check(self, resource: ApiResource, body: Document, before: Document | None) -> None:
        """Hold the identity in a body against the stored object.

        Raises:
            ApiError: 409, if the uid is another object's or the version an older one.
        """
        meta = body.get("metadata") or {}
        name, uid, version = meta.get("name", ""), meta.get("uid"), meta.get("resourceVersion")
        if before is None:
            if uid:
                raise errors.uid_without_object(resource.group, resource.plural, name, uid)
            return
        stored = before["metadata"]
        if uid and uid != stored["uid"]:
            raise errors.uid_differs(resource.group, resource.plural, name, uid, stored["uid"])
        if version and version != stored["resourceVersion"]:
            raise errors.modified(resource.group, resource.plural, name)

    def store(
        self,
        resource: ApiResource,
        document: Document,
        before: Document | None,
        field_manager: FieldManager,
        *,
        entries: list[ManagedFieldsEntry] | None = None,
        dry_run: bool = False,
    ) -> Document:
        """Store a document whose identity is right already.

        Args:
            resource: its kind.
            document: what is to be stored.
            before: what it replaces; `None` for a new object.
            field_manager: who writes.
            entries: `managedFields` after an apply; other writes keep them here.
            dry_run: do everything but store it.

        Returns:
            The object as stored, or as it was if nothing changes.

        Raises:
            ApiError: 404 without the namespace, 422 if invalid, 403 if not admitted.
        """
        if resource.kind != "Event":
            # The recorders' times are sent as null where they are unknown.
            document = without_nulls(document)
        document = restrict_to_subresource(resource, document, before, field_manager.subresource)
        document = with_generation(resource, with_defaults(document), before)
        refusal = validate(resource, document, before)
        if refusal is not None:
            raise refusal
        if before is None:
            document = self._new(resource, document)
        document = self._with_managed_fields(resource, document, before, field_manager, entries)
        if before is not None and is_no_op(before, document):
            return before
        if dry_run:
            return document
        stored = self.storage.put(resource.key, document)
        meta = stored["metadata"]
        if meta.get("deletionTimestamp") and not meta.get("finalizers") and resource.kind != "Pod":
            return self.storage.remove(resource.key, meta.get("namespace", ""), meta["name"])
        return stored

    def _with_managed_fields(
        self,
        resource: ApiResource,
        document: Document,
        before: Document | None,
        field_manager: FieldManager,
        entries: list[ManagedFieldsEntry] | None,
    ) -> Document:
        if entries is not None:
            return write_managed_fields(document, prune_managed_fields(document, entries))
        if resource.kind in WITHOUT_MANAGED_FIELDS:
            return document
        top = self.top(resource, field_manager, document)
        return after_update(before, document, self.entry(resource, field_manager), top)

    def _new(self, resource: ApiResource, document: Document) -> Document:
        """Give a new object what only the server gives, and ask admission.

        Raises:
            ApiError: 404 without its namespace, 403 if not admitted.
        """
        meta = {
            **document["metadata"],
            "uid": str(uuid.UUID(int=self._rng.getrandbits(128), version=4)),
            "creationTimestamp": whole_seconds(self.clock.now()),
        }
        document = {**document, "metadata": meta}
        if resource.namespaced:
            self._admit_to_namespace(resource, meta)
        if resource.kind == "Pod":
            self._admit_pod(document)
        if resource.kind == "Service" and "clusterIP" not in document["spec"]:
            address = f"10.96.{self._rng.randrange(256)}.{self._rng.randrange(1, 255)}"
            document["spec"] = {**document["spec"], "clusterIP": address, "clusterIPs": [address]}
        return document

    def _admit_to_namespace(self, resource: ApiResource, meta: Document) -> None:
        namespace = self.storage.get("namespaces", "", meta["namespace"])
        if namespace is None:
            raise errors.not_found("", "namespaces", meta["namespace"])
        if namespace["metadata"].get("deletionTimestamp"):
            where = meta["namespace"]
            why = f"unable to create new content in namespace {where} because it is being terminated"
            raise errors.forbidden(resource.group, resource.plural, meta["name"], why)

    def _admit_pod(self, pod: Document) -> None:
        namespace = pod["metadata"]["namespace"]
        accounts = self.storage.all("serviceaccounts", namespace)
        quotas = self.storage.all("resourcequotas", namespace)
        refusal = admission.missing_account(pod, accounts)
        if refusal is None and quotas:
            refusal = admission.over_quota(pod, self.storage.all("pods", namespace), quotas)
        if refusal is not None:
            raise refusal

    def entry(self, resource: ApiResource, field_manager: FieldManager) -> ManagedFieldsEntry:
        """Return the writer's entry of `managedFields`, still without fields."""
        return ManagedFieldsEntry(
            manager=field_manager.manager,
            operation=field_manager.operation,
            subresource=field_manager.subresource,
            version=resource.api_version,
            time=whole_seconds(self.clock.now()),
            fields=frozenset(),
        )

    def top(self, resource: ApiResource, field_manager: FieldManager, document: Document) -> frozenset[str]:
        """Return the top-level fields this kind of write may set."""
        if field_manager.subresource == "status":
            return frozenset({"status", "metadata"})
        return frozenset(document) - ({"status"} if resource.has_status else set())
