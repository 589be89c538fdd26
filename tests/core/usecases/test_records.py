"""Apps, builds, releases and environments as people make them, on the real store."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from core.policy.authorization import parse_policy
from core.promotion import Phase
from core.records.environment import Environment
from core.records.release import Release, ReleaseStatus
from core.sentence import Hyperlink, Sentence
from core.usecases.registrar import Registrar
from tests.chain import first_broken
from tests.core.world import ALICE, BOB, World, by, manifest

WITH_BUILD = "services:\n  web:\n    build: .\n  worker:\n    build: .\n"

# Said of each manifest with a published service, for the fake cluster has no router.
INSIDE = "nobody outside of the cluster reaches web: this rack has no router"


async def audited(w: World, path: Path) -> list[tuple[str, str, str]]:
    assert await first_broken(w.store) is None
    with sqlite3.connect(path / "convox.db") as connection:
        rows = connection.execute("SELECT action, subject, detail FROM audit ORDER BY seq").fetchall()
    connection.close()
    return rows


async def hold(w: World, release: Release) -> None:
    async with w.store.transaction() as tx:
        await tx.save_release_status(ReleaseStatus(release=release.id, held=Sentence.of("it crashed")))


async def newest(w: World) -> Release:
    return (await w.store.read.releases("myapp", 1))[0]


# Apps


async def test_a_new_app_takes_the_channel_it_is_made_in_if_that_is_free(w: World):
    first = await w.registrar.create_app(by(ALICE, "C2"), "first")
    second = await w.registrar.create_app(by(ALICE, "C2"), "second")
    assert (first.app.channel, second.app.channel) == ("C2", None)
    assert (first.app.created_by, first.administrator_command) == (ALICE, "")


async def test_an_app_made_outside_of_slack_has_no_channel(w: World):
    assert (await w.registrar.create_app(by(ALICE), "first")).app.channel is None


async def test_where_the_namespace_is_not_the_bots_to_make_the_command_is_told(w: World, monkeypatch):
    async def refused(app: str) -> str:
        return f"convox-bot app-manifest {app} | kubectl apply -f -"

    monkeypatch.setattr(w.cluster, "create_namespace", refused)
    made = await w.registrar.create_app(by(ALICE), "first")
    assert made.administrator_command == "convox-bot app-manifest first | kubectl apply -f -"
    assert (await w.store.read.app("first")).name == "first"


async def test_an_app_is_made_once(w: World):
    with pytest.raises(Conflict, match="^app already exists: myapp$"):
        await w.registrar.create_app(by(ALICE, "C9"), "myapp")
    assert await w.store.read.app_of_channel("C9") is None


@pytest.mark.parametrize("name", ["", "My", "1app", "app-", "a_b", "x" * 31, "rack", "system"])
async def test_a_name_that_no_namespace_could_have_is_refused(w: World, name: str):
    with pytest.raises(Invalid, match="^app name"):
        await w.registrar.create_app(by(ALICE), name)


async def test_linking_moves_the_channel_and_unlinking_takes_it_back(w: World):
    await w.registrar.create_app(by(ALICE, "C2"), "other")
    assert (await w.registrar.link(by(BOB, "C1"), "other")).app.channel == "C1"
    assert (await w.store.read.app("myapp")).channel is None
    assert await w.store.read.app_of_channel("C2") is None
    assert (await w.registrar.unlink(by(BOB, "C1"), "other")).name == "other"
    with pytest.raises(Conflict, match="^this channel is linked to no app$"):
        await w.registrar.unlink(by(BOB, "C1"), "other")
    with pytest.raises(NotFound, match="^app not found: nope$"):
        await w.registrar.link(by(BOB, "C1"), "nope")


ADMIN_OF_OTHER = """\
roles: {owner: [admin, view]}
members:
  - {who: [U02BOB], roles: [owner], apps: [other]}
  - {who: [U01ALICE], roles: [owner], apps: ["*"]}
apps: []
"""


async def test_a_channel_is_taken_from_an_app_with_the_right_on_that_one_too(w: World):
    await w.registrar.create_app(by(ALICE, "C2"), "other")
    w.policy = parse_policy(ADMIN_OF_OTHER)
    with pytest.raises(
        Forbidden,
        match="^this channel is linked to myapp, which would lose it: you may not change settings of",
    ):
        await w.registrar.link(by(BOB, "C1"), "other")
    assert (await w.store.read.app("myapp")).channel == "C1"
    await w.registrar.link(by(BOB, "C3"), "other")
    assert (await w.registrar.link(by(ALICE, "C1"), "other")).unlinked_app == "myapp"


async def test_a_channel_that_changes_hands_while_the_right_is_asked_is_not_taken(w: World):
    await w.registrar.create_app(by(ALICE, "C2"), "other")
    await w.registrar.create_app(by(ALICE, "C3"), "third")
    person = w.directory.person
    asked = []

    async def meanwhile(user_id: str) -> Any:
        asked.append(user_id)
        if len(asked) == 2:  # whether BOB may take it from myapp
            async with w.store.transaction() as tx:
                await tx.link("third", "C1")
        return await person(user_id)

    w.directory.person = meanwhile
    with pytest.raises(Conflict, match="^this channel was linked to third just now$"):
        await w.registrar.link(by(BOB, "C1"), "other")
    assert (await w.store.read.app("third")).channel == "C1"


# Builds


async def test_a_build_makes_one_release_with_the_environment_of_the_newest(w: World):
    await w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")])
    made = await w.registrar.register_build(
        by(BOB),
        "myapp",
        manifest=manifest(),
        images={},
        description="build 89df13d5bf Greet",
        git_sha="89df",
    )
    assert made.build is not None
    build = await w.store.read.build("myapp", made.build.id)
    assert build == made.build
    assert (build.release, build.git_sha, build.created_by) == (made.release.id, "89df", BOB)
    assert build.images == {"web": f"registry.example/web@sha256:{'0' * 64}"}
    assert await newest(w) == made.release
    assert made.release.environment == Environment((("A", "1"),))
    assert made.release.description == "build 89df13d5bf Greet"
    assert len(await w.store.read.releases("myapp", 10)) == 2


async def test_an_announced_build_links_what_changed_since_the_one_that_runs(w: World):
    async def registered(sha: str) -> str:
        made = await w.registrar.register_build(
            by(BOB), "myapp", manifest=manifest(), images={}, git_sha=sha * 10, repository="git@github.com:shop/web.git"
        )  # fmt: skip
        return made.release.id

    await w.promote(await registered("0000"))
    await registered("1111")
    first, second = (notice.said.parts for notice in await w.store.outbox.notices.due())

    page = "https://github.com/shop/web"
    assert Hyperlink(f"{page}/commit/{'0' * 40}", "commit 0000000") in first
    assert Hyperlink(f"{page}/compare/{'0' * 40}...{'1' * 40}", "compare 0000000 → 1111111") in second


async def test_a_build_without_a_description_is_described_by_its_time(w: World):
    assert (await w.build()).release.description == "build 2026-01-01 12:00"


async def test_every_service_that_is_built_needs_an_image_and_all_that_lack_one_are_named(w: World):
    with pytest.raises(Invalid, match="no image for web, worker"):
        await w.build(text=WITH_BUILD)
    with pytest.raises(Invalid, match="no such service: 'nope'"):
        await w.build(text=WITH_BUILD, web="r.example/w:1", worker="r.example/w:1", nope="r.example/n:1")
    assert await w.store.read.builds("myapp", 10) == []
    assert await w.store.read.releases("myapp", 10) == []


async def test_a_variable_that_is_missing_is_named_with_the_build_and_asked_for_by_the_promote(w: World):
    needs = "environment:\n  - SECRET_KEY\n" + manifest()
    made = await w.build(text=needs)
    assert made.notes == (INSIDE, "required env: SECRET_KEY: set before it is promoted")
    with pytest.raises(Invalid, match="^required env: SECRET_KEY$"):
        await w.ask(made.release.id)
    await w.registrar.set_environment(by(ALICE), "myapp", [("SECRET_KEY", "x")])
    later = await w.build(text=needs)
    assert later.notes == (INSIDE,)
    assert (await w.promote(later.release.id)).phase is Phase.RUNNING


async def test_keys_of_which_nothing_comes_are_noted_with_the_build(w: World):
    made = await w.build(text=manifest() + "version: '3'\n")
    assert [str(note).partition(":")[0] for note in made.notes] == [
        "version of convox.yml is without effect",
        "nobody outside of the cluster reaches web",
    ]


async def test_a_build_whose_times_no_rollout_could_meet_is_refused_when_it_is_read(w: World):
    """Engine rule 52: it would be rolled out, and rolled back, for nothing."""
    text = manifest().replace("port: 3000", "port: 3000\n    health: {grace: 3000}")
    with pytest.raises(
        Invalid, match=r"allow a start of 3019 s .* a rollout may take 3000 s in all"
    ) as refused:
        await w.build(text=text)
    assert "longest" in str(refused.value.hint)
    assert await w.store.read.builds("myapp", 9) == []


async def test_a_build_of_an_unknown_app_is_refused(w: World):
    with pytest.raises(NotFound, match="^app not found: nope$"):
        await w.build("nope")


async def test_a_release_on_hold_is_no_base_and_that_is_said(w: World):
    good = (await w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")])).release
    bad = (await w.registrar.set_environment(by(ALICE), "myapp", [("A", "2")])).release
    await hold(w, bad)
    made = await w.build()
    assert made.release.environment.get("A") == "1"
    assert made.skipped == f"{bad.id} is on hold and was skipped; this release is based on {good.id}"


async def test_if_every_release_is_on_hold_the_next_is_based_on_nothing(w: World):
    bad = (await w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")])).release
    await hold(w, bad)
    made = await w.registrar.set_environment(by(ALICE), "myapp", [("B", "2")])
    assert list(made.release.environment) == ["B"]
    assert made.skipped == f"{bad.id} is on hold and was skipped; this release is based on nothing"


# Environments


async def test_a_change_makes_a_release_that_names_keys_and_keeps_the_build(w: World):
    build = (await w.build()).build
    assert build is not None
    made = await w.registrar.set_environment(by(BOB), "myapp", [("B", "2"), ("A", "1")])
    assert made.release.build == build.id
    assert made.release.description == "env add:A add:B"
    assert list(made.release.environment) == ["B", "A"]
    unset = await w.registrar.unset_environment(by(BOB), "myapp", ["A", "NOPE"])
    assert unset.release.description == "env remove:A"
    assert unset.release.sequence == made.release.sequence + 1


@pytest.mark.parametrize("names", [[], ()])
async def test_setting_or_unsetting_nothing_is_refused_in_convox_words(w: World, names: Sequence[str]):
    with pytest.raises(Invalid, match="^at least 1 arg required$"):
        await w.registrar.set_environment(by(ALICE), "myapp", [])
    with pytest.raises(Invalid, match="^at least 1 arg required$"):
        await w.registrar.unset_environment(by(ALICE), "myapp", names)


async def test_the_audit_knows_who_did_what_and_no_value(w: World, tmp_path: Path):
    made = await w.registrar.set_environment(
        by(BOB), "myapp", [("B", "correct-horse"), ("A", "battery-staple")]
    )
    await w.viewer.variable(by(BOB), "myapp", "B")
    rows = await audited(w, tmp_path)
    assert [(action, subject) for action, subject, _ in rows] == [
        ("app.create", "myapp"),
        ("env.set", made.release.id),
        ("env.reveal", f"{made.release.id}/B"),
    ]
    assert '"keys":["A","B"]' in rows[1][2]
    assert "correct-horse" not in str(rows)


# When nothing can be written, and when chance is against us


async def test_while_nothing_may_be_written_nothing_is_made(w: World):
    full = Registrar(w.store, w.cluster, w.registrar._access, lambda: "the disk is full")
    attempts = (
        full.create_app(by(ALICE), "other"),
        full.register_build(by(ALICE), "myapp", manifest=manifest(), images={}),
        full.set_environment(by(ALICE), "myapp", [("A", "1")]),
        full.unset_environment(by(ALICE), "myapp", ["A"]),
    )
    for attempt in attempts:
        with pytest.raises(Unavailable, match="^the disk is full$"):
            await attempt
    assert [app.name for app in await w.store.read.apps()] == ["myapp"]
    assert await w.store.read.releases("myapp", 10) == []


async def test_an_id_that_is_taken_is_drawn_again(w: World, monkeypatch):
    taken = (await w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")])).release.id
    drawn = iter([taken, taken, "RZZZZZZZZZZ"])
    monkeypatch.setattr("core.usecases.environment_registrar.new_id", lambda _kind: next(drawn))
    made = await w.registrar.set_environment(by(ALICE), "myapp", [("A", "2")])
    assert made.release.id == "RZZZZZZZZZZ"
    assert made.release.sequence == 2


async def test_a_generator_that_always_draws_the_same_is_given_up(w: World, monkeypatch):
    taken = (await w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")])).release.id
    monkeypatch.setattr("core.usecases.environment_registrar.new_id", lambda _kind: taken)
    with pytest.raises(Conflict, match="^no free id was found$"):
        await w.registrar.set_environment(by(ALICE), "myapp", [("A", "2")])
    assert len(await w.store.read.releases("myapp", 10)) == 1


async def test_a_release_is_made_of_ones_build_and_anothers_environment(w: World):
    await w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")])
    first = (await w.build()).release
    await w.promote(first.id)
    await w.registrar.set_environment(by(ALICE), "myapp", [("A", "2")])
    second = (await w.build()).release
    made = await w.registrar.create_from(by(ALICE), "myapp", build_from=second.id, env_from=None)
    assert (made.build_from, made.env_from) == (second.id, first.id)
    assert (made.release.build, made.release.environment.get("A")) == (second.build, "1")
    assert made.release.description == (
        f"Created from build release: {second.id} and environment release: {first.id}"
    )
    assert (await w.promote(made.release.id)).phase is Phase.RUNNING


async def test_a_release_is_made_of_no_other_app_and_of_no_active_release_that_is_not_there(w: World):
    plain = (await w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")])).release
    with pytest.raises(NotFound, match="myapp has no active release"):
        await w.registrar.create_from(by(ALICE), "myapp", build_from=plain.id, env_from=None)
    with pytest.raises(Invalid, match=f"no build for release: {plain.id}"):
        await w.registrar.create_from(by(ALICE), "myapp", build_from=plain.id, env_from=plain.id)
    with pytest.raises(NotFound):
        await w.registrar.create_from(by(ALICE), "myapp", build_from="RZZZZZZZZZZ", env_from=plain.id)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("A" * 254, "x", f"the name {'A' * 40}… has 254 characters; Kubernetes takes 253"),
        ("BIG", "x" * 128 * 1024, "BIG has 131,077 bytes; Linux takes 131,072 in one variable"),
        ("NUL", "a\0b", "the value of NUL has a NUL byte, and no variable can hold one"),
        ("HALF", "\ud800", "the value of HALF is not valid Unicode"),
    ],
)
async def test_a_variable_that_could_not_run_is_refused_where_it_is_set(
    w: World, key: str, value: str, says: str
):
    before = len(await w.store.read.releases("myapp", 9))
    with pytest.raises(Invalid) as raised:
        await w.registrar.set_environment(by(ALICE), "myapp", [("GOOD", "1"), (key, value)])
    assert str(raised.value) == says
    assert len(await w.store.read.releases("myapp", 9)) == before


async def test_an_environment_of_more_than_1_mib_names_the_largest_that_was_set(w: World):
    large = [(f"K{n}", "x" * 130_000) for n in range(8)]
    await w.registrar.set_environment(by(ALICE), "myapp", large)
    with pytest.raises(Invalid, match="with LARGER, which has 9,000 bytes, the environment has 1,049,003"):
        await w.registrar.set_environment(by(ALICE), "myapp", [("SMALL", "abc"), ("LARGER", "x" * 9_000)])
    await w.registrar.unset_environment(by(ALICE), "myapp", ["K0", "K1"])
    await w.registrar.set_environment(by(ALICE), "myapp", [("A" * 253, "fits")])


BUILT = "services:\n  web:\n    build: .\n    port: 3000\n  cache:\n    image: redis:7\n"


async def test_a_tag_that_an_earlier_build_came_with_is_pulled_anew_and_that_is_noted(w: World):
    """With IfNotPresent a node would run its old copy of the tag, and OK would be said of it."""

    async def policies(**images: str) -> tuple[dict[str, str], tuple[str, ...]]:
        made = await w.build(text=BUILT, **images)
        await w.promote(made.release.id)
        bundle = await w.store.read.bundle(made.release.id)
        assert bundle is not None
        containers = [
            (o["metadata"]["name"], o["spec"]["template"]["spec"]["containers"][0])
            for o in bundle.objects
            if o["kind"] == "Deployment"
        ]
        notes = tuple(str(note) for note in made.notes if "earlier build" in str(note))
        return {name: c["imagePullPolicy"] for name, c in containers}, notes

    once, no_notes = await policies(web="registry.example/web:main")
    assert once == {"web": "IfNotPresent", "cache": "IfNotPresent"}
    assert no_notes == ()
    again, notes = await policies(web="registry.example/web:main")
    assert again == {"web": "Always", "cache": "IfNotPresent"}, "nobody has built redis:7 anew"
    (note,) = notes
    assert note.startswith(
        "an earlier build used the tag of web too, so each pod pulls it anew as it starts;"
    )
    pinned = f"registry.example/web@sha256:{'1' * 64}"
    for _ in range(2):
        assert await policies(web=pinned) == (once, ()), "a digest names its content"
    await w.registrar.create_app(by(ALICE), "other")
    other = await w.build("other", BUILT, web="registry.example/web:main")
    assert (other.build and other.build.reused) == ()
