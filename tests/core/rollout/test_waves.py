"""When the turn of each object of a bundle comes (engine rules 25 and 29)."""

from collections.abc import Mapping
from typing import Any

import pytest

from core.records.bundle import Bundle, BundleService, Ref
from core.records.traits import Traits
from core.rollout.waves import begun, up_to, waves


def traits(ref: Ref) -> Traits:
    return Traits(counted=False, pruned=True, removed=True, after_verdict=ref.kind in {"Scaler", "Timer"})


def bundle(*names: str, recreated: frozenset[str] = frozenset()) -> Bundle:
    objects: tuple[Mapping[str, Any], ...] = tuple(
        {"kind": kind, "metadata": {"name": name}}
        for kind, _, name in (each.partition("/") for each in names)
    )
    services = tuple(
        BundleService(
            name=name.partition("/")[2],
            workload=Ref("Deployment", name.partition("/")[2]),
            count=1,
            settle=1.0,
            recreates=name.partition("/")[2] in recreated,
        )
        for name in names
        if name.startswith("Deployment/")
    )
    return Bundle(release="R1", app="myapp", objects=objects, services=services, digest="")


def told(order: tuple[tuple[Ref, ...], ...]) -> list[list[str]]:
    return [[str(ref) for ref in wave] for wave in order]


WEB, DB = "Deployment/web", "Deployment/db"


@pytest.mark.parametrize(
    ("names", "recreated", "order"),
    [
        ((), (), [[]]),
        (("Secret/web", WEB), (), [["Secret/web", WEB]]),
        ((WEB, "Scaler/web", "Timer/t"), (), [[WEB], ["Scaler/web", "Timer/t"]]),
        (("Secret/db", DB, WEB), ("db",), [["Secret/db", WEB], [DB]]),
        ((DB, WEB, "Timer/t"), ("db",), [[WEB], [DB], ["Timer/t"]]),
        # Nothing else runs, so there is nothing to wait for.
        (("Secret/db", DB), ("db",), [["Secret/db", DB]]),
        ((DB, WEB), ("db", "web"), [[DB, WEB]]),
    ],
)
def test_what_cannot_run_twice_comes_late_and_what_follows_a_verdict_last(names, recreated, order):
    assert told(waves(bundle(*names, recreated=frozenset(recreated)), traits)) == order


def test_the_wave_that_was_begun_is_the_last_of_which_anything_was_sent():
    order = waves(bundle(WEB, "Scaler/web", "Timer/t"), traits)
    assert begun(order, ()) == 0
    assert begun(order, {Ref("Deployment", "web")}) == 0
    assert begun(order, {Ref("Deployment", "web"), Ref("Scaler", "web")}) == 1


def test_a_part_of_a_bundle_has_the_services_that_its_objects_run():
    whole = bundle("Secret/db", DB, WEB, "Timer/t", recreated=frozenset({"db"}))
    order = waves(whole, traits)
    first = whole.part(up_to(order, 0))
    assert [str(ref) for ref in first.refs] == ["Secret/db", WEB]
    assert [service.name for service in first.services] == ["web"]
    assert whole.part(up_to(order, 2)) == whole
