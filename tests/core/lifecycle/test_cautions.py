"""What an approver has to know of a rollout before it begins."""

import pytest

from core.lifecycle.cautions import cautions
from core.records.bundle import Bundle, BundleService, Ref


def bundle(**recreated: bool) -> Bundle:
    services = tuple(
        BundleService(name=n, workload=Ref("Deployment", n), count=1, settle=1.0, recreates=r)
        for n, r in recreated.items()
    )
    return Bundle(release="R1", app="myapp", objects=(), services=services, digest="")


@pytest.mark.parametrize(
    ("services", "said"),
    [
        ({"web": False}, ()),
        ({"web": True}, ("web is down from when the rollout begins until its new process is ready",)),
        (
            {"web": False, "db": True},
            ("db is down from when the rest is verified until its new process is ready",),
        ),
        (
            {"web": False, "db": True, "cache": True},
            ("cache, db are down from when the rest is verified until their new processes are ready",),
        ),
    ],
)
def test_what_is_down_is_told_with_when_that_begins_and_ends(
    services: dict[str, bool], said: tuple[str, ...]
):
    assert cautions(bundle(**services), first=False) == said
    assert cautions(bundle(**services), first=True) == ()
