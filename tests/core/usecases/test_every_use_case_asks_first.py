"""Whoever has no right is refused by each use case itself, whichever door they came through, and nothing is written."""

import inspect
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.actor import Caller
from core.build_run import BuildRequest
from core.errors import Conflict, Forbidden, NotFound
from core.lifecycle.access import Access
from core.policy.authorization import parse_policy
from core.policy.deeds import deed
from core.promotion import Phase, PromotionKind
from core.records.environment_text import VariableLine
from core.records.process_log import LogRequest
from core.usecases.asking import PromotionRequest
from core.usecases.build_chooser import BuildChooser
from core.usecases.build_promoter import BuildPromoter
from core.usecases.build_starter import BuildStarter
from core.usecases.build_viewer import BuildViewer
from core.usecases.chooser import Chooser
from core.usecases.decider import Decider
from core.usecases.explainer import Explainer
from core.usecases.freezer import Freezer
from core.usecases.process_viewer import ProcessViewer
from core.usecases.promoter import Promoter
from core.usecases.push_receiver import PushReceiver
from core.usecases.registrar import Registrar
from core.usecases.scaler import Scaler
from core.usecases.source_registrar import SourceRegistrar
from core.usecases.viewer import Viewer
from tests.bot.api.asking import policy_of
from tests.bot.api.serving import sources_of
from tests.core.building.nursery import MANIFEST as BUILT
from tests.core.building.nursery import starter_of
from tests.core.test_build_run import RUN
from tests.core.world import ALICE, BOB, CAROL, World, by, manifest, until
from tests.fakes import START, progressing

DIGEST = "sha256:" + "0" * 64
APPROVALS = 'apps: [{match: ["*"], approvals: {promote: {count: 1}}}]\n'
USE_CASES = (
    Promoter,
    Decider,
    Registrar,
    Viewer,
    ProcessViewer,
    Scaler,
    Freezer,
    Explainer,
    Chooser,
    SourceRegistrar,
    BuildChooser,
    BuildStarter,
    BuildViewer,
    BuildPromoter,
    PushReceiver,
)
# Nobody asks for these, so there is no right to ask for. Whoever adds one says why.
OF_THE_BOT = {
    "Explainer.principal": "whoever draws a button or reminds somebody asks who that is",
    "Explainer.request": "tells whoever draws a button whether somebody could ask for it, which they are asked again when they do",
    "Explainer.decision": "the same of a decision",
    "Decider.expire": "the clock calls it",
    "Decider.expire_stale": "what has ended by itself is ended, ahead of whatever was asked for",
    "Decider.hand_over": "tells and drives what another use case has committed",
    "Freezer.tell_begun": "the clock calls it",
    "Registrar.release_build": "what somebody with the right has asked for is built, and makes its release",
    "BuildPromoter.promote_due": "the clock calls it; the rights of whoever asked for the build are asked",
    "PushReceiver.receive": "whoever has signed it asks; the rule that names the repository is the right, which each build asks for",
    "PushReceiver.age_out": "the clock calls it",
    "BuildViewer.source": "the pod of a build shows its own token, which opens nothing else",
    "SourceRegistrar.age_out": "the clock calls it",
    "Scaler.resume": "goes on with what somebody with the right has asked for before the process died",
    "Viewer.linked_app": "which app a channel means is asked before it is known what is wanted",
}


def methods() -> dict[str, Callable[..., Any]]:
    return {
        f"{each.__name__}.{name}": method
        for each in USE_CASES
        for name, method in inspect.getmembers(each, inspect.isfunction)
        if not name.startswith("_")
    }


# Who one is oneself is told to everybody; of an app that one may not view nothing is listed.
OF_ANYBODY = {"Explainer.whoami", "Explainer.waiting"}
FOR_PEOPLE = sorted(methods().keys() - OF_THE_BOT.keys() - OF_ANYBODY)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


async def request(w: World, name: str, caller: Caller) -> None:
    """Call a use case on the world's own objects, with something sensible for each parameter that it must have."""
    (waiting,) = await w.store.read.awaiting("myapp")
    (release,) = await w.store.read.releases("myapp", 1)
    sensible = {
        "caller": caller,
        "app": "myapp",
        "name": "myapp",
        "request": PromotionRequest(app="myapp"),
        "promotion_id": waiting.id,
        "promotion": waiting,
        "release_id": release.id,
        "build_id": release.build,
        "manifest": manifest(),
        "images": {},
        "image": "registry.example/web:v2",
        "pairs": [("A", "2")],
        "keys": ["A"],
        "lines": [VariableLine(number=1, key="A", value=None)],
        "host": "registry.example",
        "user": "bot",
        "password": "secret",
        "token": "secret",
        "locked": True,
        "seen": release.build,
        "key": "A",
        "limit": 10,
        "after": 0,
        "at": START,
        "since": START,
        "base": release.id,
        "build_from": release.id,
        "env_from": release.id,
        "service": "web",
        "count": 3,
        "seconds": 60.0,
        "reason": "the launch",
        "until": None,
        "asked": LogRequest(),
        "choosing": "promote",
        "to_promote": True,
        "images_alone": False,
        "digest": DIGEST,
        "size": 1,
        "offset": 0,
        "pieces": _nothing(),
    }
    if name.startswith(("BuildStarter.", "BuildViewer.")):
        sensible |= {
            "build_id": RUN.id,
            "asked": BuildRequest(manifest=BUILT, source="SABCDEFGHIJ"),
        }
    access = Access(lambda: w.policy, w.directory)
    sources = sources_of(w, w.store._database.path.parent)
    sensible["source_id"] = (await sources._sources.create("myapp", DIGEST, 1)).id
    _, *parameters = inspect.signature(methods()[name]).parameters.values()
    given = {each.name: sensible[each.name] for each in parameters if each.default is each.empty}
    use_cases = {
        "Promoter": w.promoter,
        "Chooser": w.chooser,
        "Decider": w.decider,
        "Registrar": w.registrar,
        "Viewer": w.viewer,
        "ProcessViewer": w.processes,
        "Scaler": w.scaler,
        "Freezer": w.freezer,
        "Explainer": w.explainer,
        "SourceRegistrar": sources,
        "BuildChooser": BuildChooser(w.store, access, w.registrar, lambda: ""),
        "BuildStarter": starter_of(w),
        "BuildViewer": BuildViewer(w.store, access, sources._sources),
    }
    owner, _, method = name.partition(".")
    await getattr(use_cases[owner], method)(**given)


async def furnish(w: World) -> None:
    """Put something there to look at and to decide about, asked for by alice."""
    await w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")])
    login = {"host": "registry.example", "user": "bot", "password": "secret"}
    await w.registrar.add_registry(by(ALICE), "myapp", **login)
    await w.registrar.add_git_account(by(ALICE), "myapp", host="registry.example", token="secret")
    await w.ask((await w.build()).release.id)
    async with w.store.transaction() as tx:
        await tx.add_build_run(RUN)


def written(path: Path) -> list[str]:
    with sqlite3.connect(path / "convox.db") as connection:
        dump = list(connection.iterdump())
    connection.close()
    return dump


def test_every_use_case_takes_the_caller_first_or_says_why_nobody_asks_for_it():
    first = {name: list(inspect.signature(method).parameters)[1:2] for name, method in methods().items()}
    assert {name for name in first if first[name] != ["caller"]} == OF_THE_BOT.keys()


@pytest.mark.parametrize("name", FOR_PEOPLE)
@pytest.mark.world(policy=APPROVALS)
async def test_who_has_no_right_is_refused_and_nothing_is_written(w: World, tmp_path: Path, name: str):
    await furnish(w)
    w.policy = parse_policy(policy_of("view, build, env, promote, approve, cancel, admin", who="U01ALICE"))
    before = written(tmp_path)
    with pytest.raises(Forbidden, match="^you may not "):
        await request(w, name, by(CAROL, "C1"))
    assert written(tmp_path) == before


@pytest.mark.parametrize("name", FOR_PEOPLE)
@pytest.mark.world(policy=APPROVALS)
async def test_who_has_every_right_is_not_refused_for_want_of_one(w: World, name: str):
    await furnish(w)
    with suppress(Conflict, NotFound):
        await request(w, name, by(BOB, "C1"))
    await w.idle()


@pytest.mark.parametrize("kind", ["promote", "rollback"])
async def test_a_rollback_and_a_promote_are_two_rights(w: World, kind: PromotionKind):
    good = await w.good()
    other = {"promote": "rollback", "rollback": "promote"}[kind]
    w.policy = parse_policy(policy_of(other, who="U01ALICE"))
    with pytest.raises(Forbidden, match=f"^you may not {deed(kind, 'myapp')}"):
        await w.ask(good, kind=kind)


@pytest.mark.parametrize("deed", ["set", "unset"])
async def test_who_may_change_variables_but_not_promote_makes_no_release_that_is_to_be_promoted(
    w: World, deed: str
):
    """Both rights are asked for before anything is made: nothing is half done for a want that could be known."""
    await w.registrar.set_environment(by(ALICE), "myapp", [("A", "0")])
    w.policy = parse_policy(policy_of("env", who="U01ALICE"))
    change = {
        "set": lambda **more: w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")], **more),
        "unset": lambda **more: w.registrar.unset_environment(by(ALICE), "myapp", ["A"], **more),
    }[deed]
    with pytest.raises(Forbidden, match="^you may not promote myapp"):
        await change(to_promote=True)
    assert len(await w.store.read.releases("myapp", 9)) == 1
    await change()
    assert len(await w.store.read.releases("myapp", 9)) == 2


async def test_a_channel_is_taken_from_no_app_but_the_one_whose_right_was_asked_for(w: World):
    await w.registrar.create_app(by(ALICE), "mine")
    w.policy = parse_policy(policy_of("admin", who="U02BOB", apps="mine"))
    with pytest.raises(Conflict, match="^this channel is linked to myapp, not to mine$"):
        await w.registrar.unlink(by(BOB, "C1"), "mine")
    assert (await w.store.read.app("myapp")).channel == "C1"


async def test_a_button_of_another_apps_promotion_needs_the_right_on_that_app(w: World):
    slow = (await w.build()).release.id
    w.cluster.behaves[slow] = lambda _: progressing()
    flying = (await w.ask(slow)).promotion
    await until(w, flying.id, Phase.UPDATING)
    w.policy = parse_policy(policy_of("cancel", who="U02BOB", apps="mine"))
    with pytest.raises(Forbidden, match="^you may not cancel rollouts of myapp"):
        await w.decider.cancel(by(BOB), flying.id)
    assert not (await w.store.read.promotion(flying.id)).settled


async def test_what_is_written_has_the_name_that_slack_knows_now(w: World):
    alice = replace(ALICE, name="as in an old envelope")
    await w.build()
    made = await w.registrar.set_environment(by(alice), "myapp", [("A", "1")])
    promotion = await w.promote(made.release.id, actor=alice)
    assert (made.release.created_by, promotion.requested_by) == (ALICE, ALICE)
