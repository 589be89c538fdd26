"""What was sealed by an earlier version reads as if it had been written today."""

import logging

import pytest

from core.actor import Actor
from core.promotion import Phase
from core.records.binding import Binding
from core.records.bundle import Ref
from core.records.workload_count import WorkloadCount
from core.sentence import EMPTY_SENTENCE, Channel, Sentence
from storage.codec import sentence_of
from storage.errors import SchemaTooNew
from storage.keys import Keyring
from storage.reseal import UPGRADES, reseal, sentence_in
from storage.store import open_store
from tests.storage.before import RELEASE, database_of_before
from tests.storage.making import ALICE, APP

P, Q = "PAAAAAAAAAA", "PBBBBBBBBBB"
FIRST = "bundle=00ff active= prune= namespace="


async def test_what_an_approval_was_bound_to_as_a_text_reads_as_parts(path, key, clock):
    async with database_of_before(path, key) as before:
        await before.promotion(P, "AwaitingApproval")
        await before.promotion(Q, "Refused", approved_for=FIRST)
    async with open_store(path, Keyring([key]), clock) as store:
        assert (await store.read.promotion(P)).binding == Binding(
            bundle="00ff",
            active="RZZZZZZZZZZ",
            prune=(Ref("Deployment", "worker"), Ref("Service", "worker")),
            namespace="ns-1",
        )
        bare = Binding(bundle="00ff", active=None, prune=(), namespace=None)
        assert (await store.read.promotion(Q)).binding == bare


async def test_people_in_a_stored_sentence_read_as_parts(path, key, clock):
    lost = "an approval no longer counts: <@U1> (the policy wants one of <@U2>, group:S1 for myapp)"
    async with database_of_before(path, key) as before:
        await before.promotion(P, "Refused", reason=lost, cause="it was <busy> & broken")
        await before.promotion(Q, "Declined", by=ALICE, reason="ask <@U1>")
        await before.hold(RELEASE, "its rollout was cancelled by <@U1>")
    async with open_store(path, Keyring([key]), clock) as store:
        refused, declined = await store.read.promotion(P), await store.read.promotion(Q)
        status = await store.read.release_status(RELEASE)
    one, two = Actor("slack", "U1"), Actor("slack", "U2")
    assert status.held == Sentence.of("its rollout was cancelled by ", one)
    assert refused.cause == Sentence.of("it was <busy> & broken")
    assert refused.reason == Sentence.of(
        *("an approval no longer counts: ", one, " (the policy wants one of ", two, ", group:S1 for myapp)")
    )
    assert declined.reason == Sentence.of("ask <@U1>"), "a person's own words are meant as they stand"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", EMPTY_SENTENCE),
        (
            "app is currently updating: <@U1> promotes R in <#C1>",
            Sentence.of(
                *("app is currently updating: ", Actor("slack", "U1"), " promotes R in ", Channel("C1")),
            ),
        ),
        ("<@W1><@U2>", Sentence.of(Actor("slack", "W1"), Actor("slack", "U2"))),
        ("<!channel> <@x> <#U1> <@C1> <@U1|ana>", Sentence.of("<!channel> <@x> <#U1> <@C1> <@U1|ana>")),
    ],
)
def test_only_what_we_have_written_ourselves_is_a_person_or_a_channel(text, sentence):
    assert sentence_of(sentence_in(text)) == sentence


@pytest.mark.parametrize("had", [7, None])
async def test_counts_that_only_bundles_and_intents_held_are_recorded(path, key, clock, had):
    web, worker = Ref("Deployment", "web"), Ref("Deployment", "worker")
    async with database_of_before(path, key) as before:
        await before.promotion(P, "Running")
        await before.active(RELEASE, web=2, worker=0)
        if had is not None:
            await before.intent(P, web=had)
    async with open_store(path, Keyring([key]), clock) as store:
        assert await store.read.workload_counts(APP) == {
            web: WorkloadCount(app=APP, ref=web, count=2, replicas=had),
            worker: WorkloadCount(app=APP, ref=worker, count=0, replicas=None),
        }


async def test_what_is_asked_of_hundreds_of_releases_is_known_after_the_upgrade(
    path, key, clock, monkeypatch, caplog
):
    monkeypatch.setattr("storage.reseal.TOLD_EACH", 100)
    monkeypatch.setattr("storage.reseal.AT_ONCE", 30)
    releases = [f"R{number:010}" for number in range(2, 302)]
    async with database_of_before(path, key) as before:
        for number, release in enumerate(releases, start=2):
            await before.release(release, number)
            worker = ("Deployment", f"worker-{number % 3}")
            await before.bundle(
                release, ("Deployment", "web"), worker, ("Secret", f"env-web-{release.lower()}")
            )
            await (before.hold(release, "it crashed") if number % 2 else before.verify(release))
        for number, phase in enumerate(["Running", "Running", "Reverted"]):
            await before.promotion(f"P{number:010}", phase)
    with caplog.at_level(logging.INFO):
        async with open_store(path, Keyring([key]), clock) as store:
            read = store.read
            assert await read.bundle_refs(APP, {"Deployment"}) == {
                Ref("Deployment", name) for name in ("web", "worker-0", "worker-1", "worker-2")
            }
            assert len(await read.bundle_refs(APP, {"Secret"})) == len(releases)
            newest, older = await read.release_entries(APP, 2)
            assert (newest.id, newest.held, newest.verified) == (releases[-1], True, False)
            assert (older.id, older.held, older.verified) == (releases[-2], False, True)
            assert await read.ways_back(APP, 2) == [releases[-2], releases[-4]]
            assert await read.phases() == {Phase.RUNNING: 2, Phase.REVERTED: 1}
    told = [r.getMessage() for r in caplog.records if "bundles read" in r.getMessage()]
    assert told == [f"upgrading the database: {done} of 300 bundles read" for done in (120, 210, 300)]


async def test_what_is_sealed_is_upgraded_once(path, key, clock):
    async with database_of_before(path, key) as before:
        await before.promotion(P, "AwaitingApproval")
    async with open_store(path, Keyring([key]), clock) as store:
        first = await store.read.promotion(P)
    async with open_store(path, Keyring([key]), clock) as store:
        assert await store.read.promotion(P) == first


async def test_an_upgrade_of_what_is_sealed_that_fails_changes_nothing(path, key, clock, store):
    async def half(session, _):
        await session.run("save_resealed", {"value": 99})
        raise RuntimeError("no power")

    with pytest.raises(RuntimeError, match="no power"):
        await reseal(store._database, store._vault, (*UPGRADES, half))
    await reseal(store._database, store._vault)


async def test_what_a_newer_version_has_sealed_is_refused(store):
    async def more(*_):
        pass

    await reseal(store._database, store._vault, (*UPGRADES, more))
    with pytest.raises(
        SchemaTooNew, match=rf"format {len(UPGRADES) + 1}, this convox-bot knows {len(UPGRADES)}"
    ):
        await reseal(store._database, store._vault)
