"""The verbs of the API server on stored objects, without HTTP: what controllers and requests go through."""

import random
from collections.abc import Callable
from typing import Any

from bot.playground.cluster import deletion, errors
from bot.playground.cluster.apply import apply
from bot.playground.cluster.pipeline import CONTROLLER, Pipeline
from bot.playground.cluster.resources import BY_KIND, ApiResource, RequestTarget
from bot.playground.cluster.storage import Storage
from bot.playground.cluster.writes import FieldManager, with_identity
from core.clock import Clock

__all__ = ["CONTROLLER", "Api"]

Document = dict[str, Any]
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


class Api:
    """Reads and writes objects with everything an API server does on the way."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self.storage = storage
        self.clock = clock
        self.rng = random.Random()
        self.moments = 0
        self._pipeline = Pipeline(storage, clock)

    # -- reading -------------------------------------------------------------------------------------------

    def get(self, resource: ApiResource, namespace: str, name: str) -> Document:
        """Return an object.

        Raises:
            ApiError: 404, if there is none.
        """
        found = self.storage.get(resource.key, namespace, name)
        if found is None:
            raise errors.not_found(resource.group, resource.plural, name)
        return found

    def find(self, kind: str, namespace: str, name: str) -> Document | None:
        """Return an object by kind, `None` if there is none."""
        return self.storage.get(BY_KIND[kind].key, namespace, name)

    def all(self, kind: str, namespace: str = "") -> list[Document]:
        """Return the objects of a kind, of all namespaces if none is given."""
        return self.storage.all(BY_KIND[kind].key, namespace)

    # -- writing -------------------------------------------------------------------------------------------

    def create(
        self, target: RequestTarget, body: Document, field_manager: FieldManager, *, dry_run: bool = False
    ) -> Document:
        """Create an object.

        Raises:
            ApiError: 404 without its namespace, 409 if it exists, 422 if invalid, 403 if not admitted.
        """
        resource = target.resource
        document = with_identity(resource, body, None)
        meta = document["metadata"]
        if resource.namespaced:
            given = meta.setdefault("namespace", target.namespace)
            if target.namespace and given != target.namespace:
                raise errors.bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request"
                )
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"] + "".join(self.rng.choices(_LETTERS, k=5))
        if not meta.get("name"):
            why = "Required value: name or generateName is required"
            raise errors.invalid(
                resource.group, resource.kind, "", [("metadata.name", "FieldValueRequired", why)]
            )
        meta.pop("resourceVersion", None)
        if self.storage.get(resource.key, meta.get("namespace", ""), meta["name"]) is not None:
            raise errors.already_exists(resource.group, resource.plural, meta["name"])
        stored = self._pipeline.store(resource, document, None, field_manager, dry_run=dry_run)
        self._furnish(resource, stored, dry_run=dry_run)
        return stored

    def update(
        self, target: RequestTarget, body: Document, field_manager: FieldManager, *, dry_run: bool = False
    ) -> Document:
        """Replace an object or its status; a `resourceVersion` in the body must be the stored one.

        Raises:
            ApiError: 404 without the object, 409 if it has changed, 422 if invalid.
        """
        resource = target.resource
        before = self.get(resource, target.namespace, target.name)
        self._pipeline.check(resource, body, before)
        document = with_identity(resource, body, before)
        return self._pipeline.store(resource, document, before, field_manager, dry_run=dry_run)

    def edit(
        self,
        kind: str,
        namespace: str,
        name: str,
        change: Callable[[Document], Document],
        field_manager: FieldManager,
    ) -> Document | None:
        """Change an object by a function of it, as a controller does; `None` if it is gone."""
        resource = BY_KIND[kind]
        before = self.storage.get(resource.key, namespace, name)
        if before is None:
            return None
        document = with_identity(resource, change(before), before)
        return self._pipeline.store(resource, document, before, field_manager)

    def apply(
        self,
        target: RequestTarget,
        body: Document,
        field_manager: FieldManager,
        *,
        force: bool,
        dry_run: bool = False,
    ) -> tuple[Document, bool]:
        """Server-side apply.

        Returns:
            The object, and whether it was created.

        Raises:
            ApiError: 409 on a conflict of fields or a failed precondition, 404 without the namespace, 422, 400.
        """
        resource = target.resource
        if (body.get("metadata") or {}).get("managedFields"):
            raise errors.bad_request("metadata.managedFields must be nil")
        meta = {**(body.get("metadata") or {}), "name": target.name}
        if resource.namespaced:
            meta["namespace"] = target.namespace
        wanted = {**body, "metadata": meta}
        before = self.storage.get(resource.key, target.namespace, target.name)
        self._pipeline.check(resource, wanted, before)
        if before is None and field_manager.subresource:
            raise errors.not_found(resource.group, resource.plural, target.name)
        entry = self._pipeline.entry(resource, field_manager)
        merged = apply(
            before, wanted, entry, force=force, top=self._pipeline.top(resource, field_manager, wanted)
        )
        document = with_identity(resource, merged.document, before)
        stored = self._pipeline.store(
            resource, document, before, field_manager, entries=merged.entries, dry_run=dry_run
        )
        if before is None:
            self._furnish(resource, stored, dry_run=dry_run)
        return stored, before is None

    def delete(
        self, resource: ApiResource, namespace: str, name: str, options: Document | None = None
    ) -> tuple[Document, bool]:
        """Delete an object, or mark it if something must happen before it can go.

        Returns:
            The object as it was last, and whether it is gone.

        Raises:
            ApiError: 404 without it, 409 if a precondition of the options fails.
        """
        before = self.get(resource, namespace, name)
        return deletion.delete(self._pipeline, resource, before, options or {})

    def remove_finalizer(self, group_resource: str, namespace: str, name: str, finalizer: str) -> None:
        """Take a finalizer off an object, if it is there; it goes if that was the last thing that held it."""
        before = self.storage.get(group_resource, namespace, name)
        if before is not None:
            deletion.remove_finalizer(self._pipeline, group_resource, before, finalizer)

    def _furnish(self, resource: ApiResource, stored: Document, *, dry_run: bool) -> None:
        """Give a new namespace its default service account."""
        if resource.kind != "Namespace" or dry_run:
            return
        namespace = stored["metadata"]["name"]
        target = RequestTarget(resource=BY_KIND["ServiceAccount"], namespace=namespace)
        self.create(target, {"metadata": {"name": "default"}}, CONTROLLER)
