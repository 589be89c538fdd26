"""The way of every write: preconditions, defaults, validation, admission, the book of fields, the store."""

import random
import uuid
from typing import Any

from bot.playground.cluster import admission, errors
from bot.playground.cluster.defaults import with_defaults
from bot.playground.cluster.managed_fields import Entry, after_update, prune_book, write_entries
from bot.playground.cluster.resources import Resource
from bot.playground.cluster.storage import Storage
from bot.playground.cluster.timestamps import whole_seconds
from bot.playground.cluster.validation import validate
from bot.playground.cluster.writes import UNBOOKED, Author, counted, parted, same, without_nulls
from core.clock import Clock

Document = dict[str, Any]
CONTROLLER = Author(manager="kube-controller-manager")


class Pipeline:
    """Takes documents through everything that stands between a request and the store."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self.storage = storage
        self.clock = clock
        self._dice = random.Random()

    def check(self, resource: Resource, body: Document, before: Document | None) -> None:
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
        resource: Resource,
        document: Document,
        before: Document | None,
        author: Author,
        *,
        entries: list[Entry] | None = None,
        dry_run: bool = False,
    ) -> Document:
        """Store a document whose identity is right already.

        Args:
            resource: its kind.
            document: what is to be stored.
            before: what it replaces; `None` for a new object.
            author: who writes.
            entries: the book of fields after an apply; other writes keep it here.
            dry_run: do everything but store it.

        Returns:
            The object as stored, or as it was if nothing changes.

        Raises:
            ApiError: 404 without the namespace, 422 if invalid, 403 if not admitted.
        """
        if resource.kind != "Event":
            # The recorders' times are sent as null where they are unknown.
            document = without_nulls(document)
        document = parted(resource, document, before, author.subresource)
        document = counted(resource, with_defaults(document), before)
        refusal = validate(resource, document, before)
        if refusal is not None:
            raise refusal
        if before is None:
            document = self._new(resource, document)
        document = self._booked(resource, document, before, author, entries)
        if before is not None and same(before, document):
            return before
        if dry_run:
            return document
        stored = self.storage.put(resource.key, document)
        meta = stored["metadata"]
        if meta.get("deletionTimestamp") and not meta.get("finalizers") and resource.kind != "Pod":
            return self.storage.remove(resource.key, meta.get("namespace", ""), meta["name"])
        return stored

    def _booked(
        self,
        resource: Resource,
        document: Document,
        before: Document | None,
        author: Author,
        entries: list[Entry] | None,
    ) -> Document:
        if entries is not None:
            return write_entries(document, prune_book(document, entries))
        if resource.kind in UNBOOKED:
            return document
        top = self.top(resource, author, document)
        return after_update(before, document, self.entry(resource, author), top)

    def _new(self, resource: Resource, document: Document) -> Document:
        """Give a new object what only the server gives, and ask admission.

        Raises:
            ApiError: 404 without its namespace, 403 if not admitted.
        """
        meta = {
            **document["metadata"],
            "uid": str(uuid.UUID(int=self._dice.getrandbits(128), version=4)),
            "creationTimestamp": whole_seconds(self.clock.now()),
        }
        document = {**document, "metadata": meta}
        if resource.namespaced:
            self._admit_to_namespace(resource, meta)
        if resource.kind == "Pod":
            self._admit_pod(document)
        if resource.kind == "Service" and "clusterIP" not in document["spec"]:
            address = f"10.96.{self._dice.randrange(256)}.{self._dice.randrange(1, 255)}"
            document["spec"] = {**document["spec"], "clusterIP": address, "clusterIPs": [address]}
        return document

    def _admit_to_namespace(self, resource: Resource, meta: Document) -> None:
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

    def entry(self, resource: Resource, author: Author) -> Entry:
        """Return the author's line in the book, still without fields."""
        return Entry(
            manager=author.manager,
            operation=author.operation,
            subresource=author.subresource,
            version=resource.api_version,
            time=whole_seconds(self.clock.now()),
            fields=frozenset(),
        )

    def top(self, resource: Resource, author: Author, document: Document) -> frozenset[str]:
        """Return the top-level fields this kind of write may set."""
        if author.subresource == "status":
            return frozenset({"status", "metadata"})
        return frozenset(document) - ({"status"} if resource.has_status else set())
