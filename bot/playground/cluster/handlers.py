"""What each verb answers: a call in, a code and a document out."""

from typing import Any

from bot.playground.cluster import errors
from bot.playground.cluster.api import Api
from bot.playground.cluster.authorization import Authorizer, Identity
from bot.playground.cluster.listing import page
from bot.playground.cluster.patch import merge_patch, strategic_merge_patch
from bot.playground.cluster.requests import APPLY, ApiRequest
from bot.playground.cluster.resources import ApiResource
from bot.playground.cluster.scale import scale_of, scaled, wanted_count
from bot.playground.cluster.schema import unknown_fields

Document = dict[str, Any]
Answer = tuple[int, Document]
_PATCHES = {
    "application/merge-patch+json": merge_patch,
    "application/strategic-merge-patch+json": strategic_merge_patch,
}


def answer(api: Api, call: ApiRequest) -> Answer:
    """Do what a call asks, and return code and document.

    Raises:
        ApiError: as the API server refuses.
    """
    if call.target.subresource == "scale":
        return _scale(api, call)
    match call.verb:
        case "get" | "list":
            return 200, _read(api, call)
        case "create" | "update":
            _check_body(call)
            write = api.create if call.verb == "create" else api.update
            code = 201 if call.verb == "create" else 200
            return code, write(call.target, call.body, call.field_manager, dry_run=call.dry_run)
        case "patch":
            return _patch(api, call)
        case "delete" | "deletecollection":
            return _delete(api, call)
        case _:
            raise errors.ApiError(405, "MethodNotAllowed", "the server does not allow this method")


def _read(api: Api, call: ApiRequest) -> Document:
    target = call.target
    if call.verb == "list":
        return page(api.storage, target.resource, target.namespace, call.query)
    return api.get(target.resource, target.namespace, target.name)


def _patch(api: Api, call: ApiRequest) -> Answer:
    if call.media == APPLY:
        if not call.query.get("fieldManager"):
            raise errors.invalid(
                "meta.k8s.io",
                "PatchOptions",
                "",
                [("fieldManager", "FieldValueRequired", "Required value: is required for apply patch")],
            )
        _check_body(call)
        document, created = api.apply(
            call.target, call.body, call.field_manager, force=call.flag("force"), dry_run=call.dry_run
        )
        return (201 if created else 200), document
    change = _PATCHES.get(call.media)
    if change is None:
        raise errors.unsupported_media_type(call.media)
    before = api.get(call.target.resource, call.target.namespace, call.target.name)
    patched = change(before, call.body)
    # A patch without a version is made on whatever is stored now.
    if "resourceVersion" not in (call.body.get("metadata") or {}):
        patched = {**patched, "metadata": {**patched["metadata"], "resourceVersion": ""}}
    return 200, api.update(call.target, patched, call.field_manager, dry_run=call.dry_run)


def _check_body(call: ApiRequest) -> None:
    """Hold a body against the path and the known fields.

    Raises:
        ApiError: 400.
    """
    resource, body = call.target.resource, call.body
    kind, version = body.get("kind"), body.get("apiVersion")
    if call.media == APPLY and (not kind or not version):
        raise errors.bad_request("error decoding YAML: Object 'Kind' is missing" if not kind else "missing")
    if (kind and kind != resource.kind) or (version and version != resource.api_version):
        raise errors.bad_request(
            f"the API version in the data ({version}, Kind={kind}) does not match the expected API version "
            f"({resource.api_version}, Kind={resource.kind})"
        )
    name = (body.get("metadata") or {}).get("name")
    if call.target.name and name and name != call.target.name:
        raise errors.bad_request(
            f"the name of the object ({name}) does not match the name on the URL ({call.target.name})"
        )
    if call.query.get("fieldValidation") == "Strict":
        unknown = unknown_fields(body)
        if unknown:
            listed = ", ".join(f'unknown field "{field}"' for field in unknown)
            raise errors.bad_request(f"strict decoding error: {listed}")


def _delete(api: Api, call: ApiRequest) -> Answer:
    target, options = call.target, dict(call.body)
    for name in ("propagationPolicy", "gracePeriodSeconds"):
        if name in call.query:
            options.setdefault(name, call.query[name])
    if call.dry_run:
        options["dryRun"] = ["All"]
    if call.verb == "deletecollection":
        found = page(api.storage, target.resource, target.namespace, call.query)
        for item in found["items"]:
            api.delete(
                target.resource, item["metadata"].get("namespace", ""), item["metadata"]["name"], options
            )
        return 200, found
    document, gone = api.delete(target.resource, target.namespace, target.name, options)
    if not gone or target.resource.kind == "Pod":
        return 200, document
    details: Document = {
        "name": target.name,
        "kind": target.resource.plural,
        "uid": document["metadata"]["uid"],
    }
    if target.resource.group:
        details["group"] = target.resource.group
    return 200, {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }


def _scale(api: Api, call: ApiRequest) -> Answer:
    target = call.target
    before = api.get(target.resource, target.namespace, target.name)
    if call.verb == "get":
        return 200, scale_of(before)
    if call.media == APPLY:
        part = _applied_count(call, target.resource)
        document, _ = api.apply(
            target, part, call.field_manager, force=call.flag("force"), dry_run=call.dry_run
        )
        return 200, scale_of(document)
    if call.verb == "patch":
        change = _PATCHES.get(call.media)
        if change is None:
            raise errors.unsupported_media_type(call.media)
        wanted = change(scale_of(before), call.body)
        given = (call.body.get("metadata") or {}).get("resourceVersion", "")
    else:
        wanted, given = call.body, (call.body.get("metadata") or {}).get("resourceVersion", "")
    count = wanted_count(target.resource, target.name, wanted)
    document = scaled(before, count)
    document = {**document, "metadata": {**document["metadata"], "resourceVersion": given}}
    return 200, scale_of(api.update(target, document, call.field_manager, dry_run=call.dry_run))


def _applied_count(call: ApiRequest, resource: ApiResource) -> Document:
    """Return the part of a Deployment that an applied `Scale` sets."""
    if call.body.get("kind") not in {None, "Scale"}:
        raise errors.bad_request("the object provided is not a Scale")
    meta = {
        key: value
        for key, value in (call.body.get("metadata") or {}).items()
        if key in {"uid", "resourceVersion"}
    }
    count = wanted_count(resource, call.target.name, call.body)
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": meta,
        "spec": {"replicas": count},
    }


def review(access: Authorizer, identity: Identity, body: Document) -> Answer:
    """Answer a SelfSubjectAccessReview."""
    asked = (body.get("spec") or {}).get("resourceAttributes") or {}
    resource = asked.get("resource", "*")
    if asked.get("subresource"):
        resource = f"{resource}/{asked['subresource']}"
    allowed = access.authorize(identity, asked.get("verb", "*"), resource, asked.get("namespace", ""))
    status: Document = {"allowed": allowed}
    if not allowed:
        status["reason"] = "no RBAC policy matched"
    return 201, {
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": body.get("spec") or {},
        "status": status,
    }


def unlisted(body: Document) -> Document:
    """Answer a SelfSubjectRulesReview as a cluster does that is authorized by a webhook: it cannot list what one may."""
    status = {
        "resourceRules": [],
        "nonResourceRules": [],
        "incomplete": True,
        "evaluationError": "webhook authorizer does not support user rule resolution",
    }
    spec = body.get("spec") or {}
    kind = {"kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1"}
    return {**kind, "metadata": {}, "spec": spec, "status": status}
