"""A resource of an app, a database or a cache: one pod with a name and a disk that outlive every release.

It carries no release id, so a promotion leaves it alone unless its own definition has changed (engine rule 29). A count is in no
bundle: who has scaled it to 0 to mend something finds it so (engine rule 20).
"""

from collections.abc import Iterator, Sequence
from functools import partial

from core.cluster.documents import Document, is_condition_true, replicas_of, status_of
from core.cluster.kinds.controller_revision import CONTROLLER_REVISION, made_from, owns_pod
from core.cluster.kinds.kind import LOOK, MANAGE, Follow, Json, Resource, WorkloadKind
from core.cluster.kinds.phrases import main_container, number_of
from core.cluster.labels import resource_labels, resource_match_labels
from core.cluster.rendering.input import RenderInput
from core.cluster.rendering.resources import resource_template
from core.records.bundle import Bundle
from core.records.traits import Traits


def render(given: RenderInput) -> Iterator[Json]:
    """Yield one for each resource that is made."""
    for resource in given.manifest.made:
        yield {
            "apiVersion": "apps/v1",
            "kind": STATEFUL_SET.name,
            "metadata": {
                "name": resource.object_name,
                "namespace": given.namespace,
                "labels": resource_labels(given.rack, given.app, resource),
            },
            "spec": {
                "serviceName": resource.object_name,
                "selector": {"matchLabels": resource_match_labels(given.rack, given.app, resource)},
                # In order, a pod that never gets ready keeps its own replacement back, and so every way back (kubernetes#67250).
                "podManagementPolicy": "Parallel",
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
                "template": resource_template(resource, given),
            },
        }


def unready(live: Document, pods: Sequence[Document], _spared: int) -> str:
    """Compare what is available, not only ready, with what is wanted (kubectl asks for less)."""
    status, wanted = status_of(live), replicas_of(live)
    updated, available = (int(status.get(key) or 0) for key in ("updatedReplicas", "availableReplicas"))
    ready = sum(1 for pod in pods if is_condition_true(pod, "Ready"))
    if min(updated, available, ready) >= wanted:
        return ""
    return f"{min(updated, available, ready)} of {number_of(wanted, 'pod')} {'is' if wanted == 1 else 'are'} ready"


def brief(wanted: Document, _bundle: Bundle) -> str:
    """Return its image, which says what it is and of which version."""
    return f" ({main_container(wanted)['image']})"


STATEFUL_SET = WorkloadKind(
    name="StatefulSet",
    resource=Resource("apps", "v1", "statefulsets"),
    rights={"": MANAGE | LOOK},
    follow=Follow(judged=True, fresh=True, selected=False),
    traits=Traits(counted=False, pruned=True, removed=True, after_verdict=False),
    render=render,
    runs=lambda _service: False,
    released=False,
    unready=unready,
    desired_replicas=replicas_of,
    per_node=False,
    revision=CONTROLLER_REVISION,
    owns_pods=True,
    made_from=made_from,
    owns_pod=partial(owns_pod, "StatefulSet"),
    diagnosis=lambda _service, _live: None,
    brief=brief,
)
