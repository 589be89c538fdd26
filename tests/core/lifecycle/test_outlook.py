"""What an approver is told of what is to come: looked up in the records, before anything has begun."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.lifecycle.outlook import earlier_rollout, read_outlook
from core.promotion import Phase, Promotion
from core.records.bundle import Ref
from core.sentence import Sentence
from tests.core.world import ALICE, BOB, manifest, world
from tests.fakes import START

NEW = Promotion(
    id="PNEW", app="myapp", release="RNEW", phase=Phase.AWAITING_APPROVAL, requested_by=ALICE, requested_at=START
)  # fmt: skip


def ended(number: int, release: str, phase: Phase, **changes) -> Promotion:
    return replace(
        NEW,
        id=f"P{number}",
        release=release,
        phase=phase,
        settled_at=START - timedelta(hours=number),
        **changes,
    )


def test_a_failure_of_the_same_release_tells_more_than_what_came_last():
    failed = ended(2, "RNEW", Phase.REVERTED, cause=Sentence.of("crashes"))
    went_well = ended(1, "ROLD", Phase.RUNNING)

    assert earlier_rollout([NEW, went_well, failed], NEW) == failed
    assert earlier_rollout([NEW, went_well, replace(failed, release="ROTHER")], NEW) == went_well
    assert earlier_rollout([NEW, replace(went_well, release="RNEW")], NEW) == replace(
        went_well, release="RNEW"
    )


@pytest.mark.parametrize(
    "silent",
    [
        ended(1, "RNEW", Phase.DECLINED),
        ended(1, "RNEW", Phase.REFUSED),
        ended(1, "RNEW", Phase.SUPERSEDED),
        ended(1, "RNEW", Phase.REVERTED, cancelled_by=BOB),
        ended(1, "RNEW", Phase.REVERTED, restarts=("web",)),
        replace(NEW, id="P1", phase=Phase.UPDATING),
    ],
)
def test_what_proved_nothing_of_a_release_is_not_told(silent):
    assert earlier_rollout([NEW, silent], NEW) is None


async def test_objects_and_addresses_are_compared_with_those_of_what_runs(tmp_path: Path):
    async with world(tmp_path) as w:
        active = await w.store.read.release("myapp", await w.good())
        made = await w.build(text=manifest(digit="1") + "  worker:\n    image: registry.example/worker:1\n")
        w.cluster.addresses = lambda bundle: {
            active.id: ("https://web.example", "https://old.example"),
            made.release.id: ("https://web.example", "https://new.example"),
        }[bundle.release]
        asked = (await w.ask()).promotion
        seen = await read_outlook(w.store.read, w.cluster, asked, made.release, active)

    assert seen.objects is not None
    assert Ref("Deployment", "worker") in seen.objects.added
    assert Ref("Deployment", "web") in seen.objects.changed
    assert (seen.opened, seen.closed) == (("https://new.example",), ("https://old.example",))
    assert seen.earlier is not None
    assert (seen.earlier.release, seen.earlier.phase) == (active.id, Phase.RUNNING)


async def test_a_first_release_opens_addresses_and_is_compared_with_nothing(tmp_path: Path):
    async with world(tmp_path) as w:
        made = await w.build()
        asked = (await w.ask()).promotion
        w.cluster.addresses = lambda bundle: ("https://web.example",)
        seen = await read_outlook(w.store.read, w.cluster, asked, made.release, None)
        without = await read_outlook(w.store.read, w.cluster, asked, replace(made.release, id="RNONE"), None)
        unknown = replace(made.release, id="RNONE")
        half = await read_outlook(w.store.read, w.cluster, asked, made.release, unknown)

    assert (seen.objects, seen.opened, seen.closed, seen.earlier) == (
        None,
        ("https://web.example",),
        (),
        None,
    )
    assert without.opened == half.opened == ()
