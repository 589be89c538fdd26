"""Claims are made once: they grow where a release asks for it, and nothing else ever happens to them."""

from typing import Any

import pytest

from core.cluster.kinds.volume_claim import VOLUME_CLAIM, claim
from core.errors import Rejected

LIVE = {
    "metadata": {"name": "resource-db"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "standard",
        "volumeName": "pvc-1",
        "resources": {"requests": {"storage": "20Gi"}},
    },
}


def onto(size: str, mode: str = "ReadWriteOnce", *, force: bool = False) -> dict[str, Any]:
    wanted = claim("resource-db", {}, "convox-myapp", size, mode)
    return dict(VOLUME_CLAIM.onto(LIVE, wanted, force)["spec"])


def test_it_grows():
    assert onto("30Gi")["resources"] == {"requests": {"storage": "30Gi"}}
    assert onto("1Ti")["resources"] == {"requests": {"storage": "1Ti"}}


def test_the_same_size_is_written_as_it_is_there():
    assert onto("20480Mi")["resources"] == {"requests": {"storage": "20Gi"}}


def test_it_never_shrinks_and_that_is_said_before_anything_is_touched():
    with pytest.raises(Rejected, match="the disk resource-db has 20Gi and cannot become smaller, as 10Gi"):
        onto("10Gi")


def test_another_access_mode_wants_another_disk():
    with pytest.raises(Rejected, match="was made as ReadWriteOnce and cannot become ReadWriteMany"):
        onto("20Gi", "ReadWriteMany")


@pytest.mark.parametrize(("size", "mode"), [("10Gi", "ReadWriteMany"), ("99Gi", "ReadWriteOnce")])
def test_a_way_back_leaves_it_as_it_is(size, mode):
    spec = onto(size, mode, force=True)
    assert spec == {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "20Gi"}}}


def test_the_bot_may_not_delete_one():
    assert VOLUME_CLAIM.rights == {"": {"get", "create", "patch"}}
    assert not VOLUME_CLAIM.traits.pruned
    assert not VOLUME_CLAIM.traits.removed
