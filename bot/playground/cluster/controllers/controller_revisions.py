"""The templates that a DaemonSet or a StatefulSet has had, each kept as a ControllerRevision."""

from typing import Any

from bot.playground.cluster.api import CONTROLLER, Api
from bot.playground.cluster.controllers.controller import owned, reference_to
from bot.playground.cluster.controllers.revisions import template_hash
from bot.playground.cluster.resources import BY_KIND, RequestTarget

Document = dict[str, Any]
HASH = "controller-revision-hash"
# On a StatefulSet's revisions the hash stands under another name.
STATEFUL_HASH = "controller.kubernetes.io/hash"


def current_revision(api: Api, workload: Document) -> Document:
    """Return the newest revision, which has the workload's template; one that had it before becomes the newest."""
    meta, template = workload["metadata"], workload["spec"]["template"]
    known = owned(api.all("ControllerRevision", meta["namespace"]), meta["uid"])
    newest = max((int(each["revision"]) for each in known), default=0)
    same = next((each for each in known if _template(each) == template), None)
    if same is not None:
        if int(same["revision"]) < newest:
            name = same["metadata"]["name"]
            again = api.edit(
                "ControllerRevision",
                meta["namespace"],
                name,
                lambda live: {**live, "revision": newest + 1},
                CONTROLLER,
            )
            return again or same
        return same
    mark = template_hash(template)
    label = HASH if workload["kind"] == "DaemonSet" else STATEFUL_HASH
    labels = {**((template.get("metadata") or {}).get("labels") or {}), label: mark}
    revision = {
        "metadata": {
            "name": f"{meta['name']}-{mark}",
            "namespace": meta["namespace"],
            "labels": labels,
            "ownerReferences": [reference_to(workload)],
        },
        "data": {"spec": {"template": {**template, "$patch": "replace"}}},
        "revision": newest + 1,
    }
    target = RequestTarget(resource=BY_KIND["ControllerRevision"], namespace=meta["namespace"])
    return api.create(target, revision, CONTROLLER)


def _template(revision: Document) -> Document:
    kept: Document = revision["data"]["spec"]["template"]
    return {key: value for key, value in kept.items() if key != "$patch"}
