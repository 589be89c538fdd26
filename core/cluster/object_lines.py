"""What a release would be in the cluster, a line for each object, as `check` tells it; pure functions of its bundle."""

from core.cluster.documents import name_of
from core.cluster.kinds import MANAGED
from core.records.bundle import Bundle


def object_lines(bundle: Bundle) -> tuple[str, ...]:
    """Return a line for each object: kind, name, and what is worth knowing of it; of an environment how many variables it has.

    The id of its release is part of names that tell nobody anything, so it is left out of them.
    """
    ending = f"-{bundle.release.lower()}"
    return tuple(
        f"{each['kind']} {name_of(each).removesuffix(ending)}{MANAGED[each['kind']].brief(each, bundle)}"
        for each in bundle.objects
    )
