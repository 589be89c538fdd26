"""How a controller makes a pod from a template."""

from typing import Any

from bot.playground.cluster.api import CONTROLLER, Api
from bot.playground.cluster.controllers.controller import reference_to
from bot.playground.cluster.controllers.recorder import EventRecorder
from bot.playground.cluster.errors import ApiError
from bot.playground.cluster.resources import BY_KIND, RequestTarget

Document = dict[str, Any]


def make_pod(
    api: Api,
    recorder: EventRecorder,
    owner: Document,
    template: Document,
    *,
    name: str = "",
    labels: Document | None = None,
    spec: Document | None = None,
) -> ApiError | None:
    """Make a pod for its owner, and tell of it.

    Args:
        api: where to.
        recorder: of the controller.
        owner: whose pod it is.
        template: what it is made from.
        name: "" for one that the server makes up.
        labels: beside those of the template.
        spec: fields beside those of the template.

    Returns:
        Why there is none, `None` where it was made.
    """
    meta, of = owner["metadata"], template.get("metadata") or {}
    pod = {
        "metadata": {
            **({"name": name} if name else {"generateName": f"{meta['name']}-"}),
            "namespace": meta["namespace"],
            "labels": {**(of.get("labels") or {}), **(labels or {})},
            "ownerReferences": [reference_to(owner)],
            **({"annotations": dict(of["annotations"])} if of.get("annotations") else {}),
        },
        "spec": {**template["spec"], **(spec or {})},
    }
    try:
        made = api.create(
            RequestTarget(resource=BY_KIND["Pod"], namespace=meta["namespace"]), pod, CONTROLLER
        )
    except ApiError as error:
        if error.code != 404:
            recorder.record(owner, "Warning", "FailedCreate", f"Error creating: {error.message}")
        return error
    recorder.record(owner, "Normal", "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
    return None


def delete_pod(api: Api, recorder: EventRecorder, owner: Document, pod: Document) -> None:
    """Take a pod away, and tell of it."""
    meta = pod["metadata"]
    try:
        api.delete(BY_KIND["Pod"], meta["namespace"], meta["name"])
    except ApiError:
        return
    recorder.record(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {meta['name']}")
