"""What a DaemonSet and a StatefulSet keep of their pod templates: one a template that pods were made from."""

from core.cluster.documents import Document, controller_of, labels_of, name_of
from core.cluster.kinds.kind import LOOK, Follow, Kind, Resource

# On the pods: of a DaemonSet the hash at the end of the revision's name, of a StatefulSet the whole name.
HASH_LABEL = "controller-revision-hash"

CONTROLLER_REVISION = Kind(
    name="ControllerRevision",
    resource=Resource("apps", "v1", "controllerrevisions"),
    rights={"": LOOK},
    follow=Follow(judged=True, fresh=True, selected=True),
)


def made_from(pod: Document, revision: Document) -> bool:
    """Tell whether a pod was made from the template of a revision (engine rule 29)."""
    mark, name = str(labels_of(pod).get(HASH_LABEL, "")), name_of(revision)
    return bool(mark) and (name == mark or name.endswith(f"-{mark}"))


def owns_pod(kind: str, name: str, pod: Document) -> bool:
    """Tell whether a pod was made for the object of that kind and name, which owns its pods itself."""
    owner = controller_of(pod, {kind})
    return owner is not None and owner["name"] == name
