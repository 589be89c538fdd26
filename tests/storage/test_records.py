import asyncio
import zlib
from dataclasses import replace
from typing import Any

import pytest

from core.errors import Conflict, NotFound, Taken
from core.records.bundle import Ref
from core.records.release import ReleaseStatus
from core.sentence import Sentence
from storage.codec import json_bytes
from storage.records.rows import bundle_of, bundle_row
from tests.storage.making import (
    ALICE,
    APP,
    NOW,
    make_app,
    make_build,
    make_bundle,
    make_release,
    seed,
)


async def test_an_app_comes_back_as_it_was_stored(store):
    app = make_app(channel="C01", active_release="R1", token=4, namespace_uid="uid")
    async with store.transaction() as tx:
        await tx.add_app(app)
        assert await tx.app(APP) == app
    assert await store.read.app(APP) == app
    assert await store.read.app_of_channel("C01") == app
    assert await store.read.app_of_channel("C02") is None


async def test_apps_are_listed_by_name(store):
    async with store.transaction() as tx:
        for name in ("zulu", "alpha", "mike"):
            await tx.add_app(make_app(name))
    assert [app.name for app in await store.read.apps()] == ["alpha", "mike", "zulu"]


async def test_a_second_app_of_a_name_is_refused_by_name(store):
    await seed(store)
    with pytest.raises(Conflict, match="app already exists: myapp"):
        async with store.transaction() as tx:
            await tx.add_app(make_app())


async def test_an_unknown_app_build_or_release_is_not_found_by_name(store):
    await seed(store)
    with pytest.raises(NotFound, match="app not found: other"):
        await store.read.app("other")
    with pytest.raises(NotFound, match="no such build: BAAAAAAAAAA"):
        await store.read.build(APP, "BAAAAAAAAAA")
    with pytest.raises(NotFound, match="no such release: RZZZZZZZZZZ"):
        await store.read.release(APP, "RZZZZZZZZZZ")
    with pytest.raises(NotFound, match="app not found: other"):
        async with store.transaction() as tx:
            await tx.save_app(make_app("other"))


async def test_a_release_of_another_app_is_not_found(store):
    await seed(store)
    async with store.transaction() as tx:
        await tx.add_app(make_app("other"))
    with pytest.raises(NotFound):
        await store.read.release("other", "RAAAAAAAAAA")


async def test_what_changes_of_an_app_is_saved_and_who_made_it_is_not(store):
    await seed(store)
    changed = make_app(active_release="RAAAAAAAAAA", token=9, namespace_uid="uid")
    async with store.transaction() as tx:
        await tx.save_app(replace(changed, created_at=NOW.replace(year=2030)))
    assert await store.read.app(APP) == changed


async def test_linking_a_channel_takes_it_from_the_app_that_had_it(store):
    async with store.transaction() as tx:
        await tx.add_app(make_app("first", channel="C01"))
        await tx.add_app(make_app("second"))
        await tx.link("second", "C01")
    assert (await store.read.app("first")).channel is None
    assert (await store.read.app("second")).channel == "C01"
    async with store.transaction() as tx:
        await tx.link("second", None)
    assert (await store.read.app("second")).channel is None
    with pytest.raises(NotFound, match="app not found: third"):
        async with store.transaction() as tx:
            await tx.link("third", "C01")


async def test_two_apps_never_share_a_channel(store):
    async with store.transaction() as tx:
        await tx.add_app(make_app("first", channel="C01"))
        with pytest.raises(Conflict, match="channel C01 is linked to another app"):
            await tx.add_app(make_app("second", channel="C01"))
        await tx.add_app(make_app("second"))
        with pytest.raises(Conflict, match="channel C01"):
            await tx.save_app(make_app("second", channel="C01"))


async def test_a_build_and_its_release_come_back_whole_whichever_is_stored_first(store):
    pairs = (("FOO", "1"), ("EMPTY", ""), ("MULTI", 'a\n"b"\u2028=ü'))
    async with store.transaction() as tx:
        await tx.add_app(make_app())
        for number, letter in enumerate("AB", start=1):
            build = make_build(f"B{letter * 10}", f"R{letter * 10}")
            release = make_release(build.release, sequence=number, build=build.id, pairs=pairs)
            writes = [lambda b=build: tx.add_build(b), lambda r=release: tx.add_release(r)]
            for write in writes if letter == "A" else reversed(writes):
                await write()
            assert await tx.build(APP, build.id) == build
            assert await tx.release(APP, release.id) == release
    assert [b.id for b in await store.read.builds(APP, 9)] == ["BBBBBBBBBBB", "BAAAAAAAAAA"]
    assert [b.id for b in await store.read.builds(APP, 1)] == ["BBBBBBBBBBB"]
    assert [r.environment.pairs for r in await store.read.releases(APP, 1)] == [pairs]


async def test_releases_are_listed_by_sequence_and_not_by_when_they_were_stored(store):
    async with store.transaction() as tx:
        await tx.add_app(make_app())
        assert await tx.next_sequence(APP) == 1
        for sequence in (2, 3, 1):
            await tx.add_release(make_release(sequence=sequence))
        assert await tx.next_sequence(APP) == 4
    assert [r.sequence for r in await store.read.releases(APP, 2)] == [3, 2]
    assert [r.sequence for r in await store.read.releases(APP, 9)] == [3, 2, 1]


async def test_an_id_that_is_taken_leaves_the_transaction_usable_for_another(store):
    await seed(store)
    async with store.transaction() as tx:
        with pytest.raises(Taken):
            await tx.add_release(make_release("RAAAAAAAAAA", sequence=2))
        await tx.add_release(make_release("RBBBBBBBBBB", sequence=2))
        await tx.add_build(make_build("BAAAAAAAAAA", "RBBBBBBBBBB"))
        with pytest.raises(Taken):
            await tx.add_build(make_build("BAAAAAAAAAA", "RAAAAAAAAAA"))
    assert len(await store.read.releases(APP, 10)) == 2


async def test_a_standing_is_empty_until_something_happens_and_then_follows_it(store):
    await seed(store)
    assert await store.read.release_status("RAAAAAAAAAA") == ReleaseStatus(release="RAAAAAAAAAA")
    first = ReleaseStatus(release="RAAAAAAAAAA", held=Sentence.of("rolled back: boom"), withdrawn=True)
    second = ReleaseStatus(release="RAAAAAAAAAA", verified_at=NOW)
    for status in (first, second):
        async with store.transaction() as tx:
            await tx.save_release_status(status)
        assert await store.read.release_status("RAAAAAAAAAA") == status


async def test_a_bundle_is_stored_once_and_never_replaced(store):
    await seed(store)
    bundle = make_bundle("RAAAAAAAAAA")
    assert await store.read.bundle("RAAAAAAAAAA") is None
    async with store.transaction() as tx:
        await tx.save_bundle(bundle)
    with pytest.raises(Conflict, match="has a bundle already"):
        async with store.transaction() as tx:
            await tx.save_bundle(make_bundle("RAAAAAAAAAA", value="2"))
    assert await store.read.bundle("RAAAAAAAAAA") == bundle


async def test_a_bundle_of_before_it_named_workloads_is_one_of_deployments(store):
    bundle = make_bundle("RAAAAAAAAAA")
    (web,) = bundle.services
    (deployment,) = [ref for ref in bundle.refs if ref.kind == "Deployment"]
    old = {
        "objects": bundle.objects,
        "services": [{"name": web.name, "count": web.count, "settle": web.settle}],
        "digest": bundle.digest,
    }
    vault = store._vault
    row: Any = bundle_row(bundle, vault.seal_bytes(zlib.compress(json_bytes(old))))
    assert bundle_of(row, vault) == bundle
    assert web.workload == deployment


async def test_every_object_that_a_bundle_ever_had_is_known_by_its_kind(store):
    async with store.transaction() as tx:
        await tx.add_app(make_app())
        await tx.add_app(make_app("other"))
        for number, (release, app) in enumerate(
            (("RAAAAAAAAAA", APP), ("RBBBBBBBBBB", APP), ("RCCCCCCCCCC", "other"))
        ):
            await tx.add_release(make_release(release, app=app, sequence=number))
            await tx.save_bundle(
                make_bundle(release, app=app), await store.seal_bundle(make_bundle(release, app=app))
            )
        assert await tx.has_bundle("RAAAAAAAAAA")
        assert not await tx.has_bundle("RDDDDDDDDDD")
    secrets = {Ref("Secret", "env-web-raaaaaaaaaa"), Ref("Secret", "env-web-rbbbbbbbbbb")}
    assert await store.read.bundle_refs(APP, {"Deployment", "Service"}) == {Ref("Deployment", "web")}
    assert await store.read.bundle_refs(APP, {"Secret"}) == secrets
    assert await store.read.bundle_refs(APP, set()) == frozenset()
    assert await store.read.bundle("RAAAAAAAAAA") == make_bundle("RAAAAAAAAAA")


async def test_an_entry_says_what_happened_to_a_release_and_to_its_build(store):
    held = Sentence.of("it crashed")
    async with store.transaction() as tx:
        await tx.add_app(make_app())
        await tx.add_build(make_build("BAAAAAAAAAA", "RAAAAAAAAAA"))
        await tx.add_release(make_release("RAAAAAAAAAA", sequence=1, build="BAAAAAAAAAA"))
        await tx.add_release(
            make_release("RBBBBBBBBBB", sequence=2, build="BAAAAAAAAAA", copy_of="RAAAAAAAAAA")
        )
        await tx.add_release(make_release("RCCCCCCCCCC", sequence=3))
        for release in ("RBBBBBBBBBB", "RCCCCCCCCCC"):
            await tx.save_release_status(ReleaseStatus(release=release, held=held, withdrawn=True))
    bare, copy, first = await store.read.release_entries(APP, 9)
    assert (bare.held, bare.build_held) == (True, False), "releases without a build hold each other never"
    assert (copy.held, copy.withdrawn, copy.verified, copy.copy_of) == (True, True, False, first.id)
    assert (first.held, first.build_held, first.build_verified) == (False, True, False)
    assert await store.read.why_build_held("BAAAAAAAAAA") == held
    assert not await store.read.why_build_held("BBBBBBBBBBB")
    assert await store.read.ways_back(APP, 9) == []
    async with store.transaction() as tx:
        await tx.save_release_status(ReleaseStatus(release="RAAAAAAAAAA", verified_at=NOW))
    assert (await store.read.release_entry(APP, "RBBBBBBBBBB")).build_verified
    assert await store.read.ways_back(APP, 9) == ["RAAAAAAAAAA"]
    assert [e.id for e in await store.read.release_entries(APP, 1, below=3)] == ["RBBBBBBBBBB"]
    with pytest.raises(NotFound, match="no such release: RZZZZZZZZZZ"):
        await store.read.release_entry(APP, "RZZZZZZZZZZ")


async def test_what_is_large_is_opened_beside_the_loop_and_comes_back_the_same(store, monkeypatch):
    apart = []
    to_thread = asyncio.to_thread

    async def noted(work, *args):
        apart.append(work.__name__)
        return await to_thread(work, *args)

    monkeypatch.setattr(asyncio, "to_thread", noted)
    pairs = (("BIG", "x" * 100_000),)
    async with store.transaction() as tx:
        await tx.add_app(make_app())
        await tx.add_release(make_release("RAAAAAAAAAA", pairs=pairs))
        await tx.add_release(make_release("RBBBBBBBBBB", sequence=2))
    assert (await store.read.release(APP, "RAAAAAAAAAA")).environment.pairs == pairs
    assert (await store.read.release(APP, "RBBBBBBBBBB")).environment.pairs == ()
    assert apart == ["release_of"]


async def test_a_release_a_build_and_a_bundle_cannot_be_changed_by_any_statement(store):
    await seed(store)
    async with store.transaction() as tx:
        await tx.add_build(make_build("BAAAAAAAAAA", "RAAAAAAAAAA"))
        await tx.save_bundle(make_bundle("RAAAAAAAAAA"))
    for table in ("releases", "builds", "bundles"):
        with pytest.raises(Exception, match="never changes"):
            async with store._database.transaction() as connection:
                await connection.execute(f"UPDATE {table} SET app = 'other'")


async def test_everything_in_one_transaction_has_one_moment_and_no_write_escapes_it(store, clock):
    async with store.transaction() as tx:
        clock.jump(60)
        assert tx.now == NOW
        await tx.audit(ALICE, "app.create", APP, {})
    with pytest.raises(RuntimeError, match="transaction is over"):
        await tx.add_app(make_app())
    assert await store.read.apps() == []
