"""The examples are what a newcomer reads first, so every one of them must do what it says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.playground.examples import read_builds
from bot.playground.kubelet.behaviour import GOOD, behaviour_of
from bot.playground.tour import ROLES
from core.actor import Actor
from core.errors import Invalid
from core.lifecycle.patience import check_times
from core.manifest.convox_yml import parse_manifest, resolve_images
from core.policy.authorization import parse_policy
from core.policy.rules import VERBS
from core.records.app import check_name
from core.records.build import is_pinned
from core.records.environment import Environment

EXAMPLES = Path(__file__).parents[1] / "examples"
APPS: dict[str, Any] = yaml.safe_load((EXAMPLES / "releases.yml").read_text(encoding="utf-8"))["apps"]
POLICY = parse_policy((EXAMPLES / "playground-policy.yml").read_text(encoding="utf-8"))
BUILDS = [(app, number) for app in APPS for number in range(len(APPS[app]["builds"]))]


def environment(app: str, number: int) -> Environment:
    """Return the variables that are set when a build is registered."""
    found = Environment()
    for build in APPS[app]["builds"][: number + 1]:
        found = found.with_pairs(build.get("environment", {}).items())
    return found


def images(app: str, number: int) -> dict[str, str]:
    build = APPS[app]["builds"][number]
    text = (EXAMPLES / build["manifest"]).read_text(encoding="utf-8")
    return resolve_images(parse_manifest(text, environment(app, number)), build["images"])


def behaviours(app: str, number: int) -> set[str]:
    """Return the words of what does not simply run."""
    return {image for image in images(app, number).values() if behaviour_of(image) != GOOD}


@pytest.mark.parametrize(("app", "number"), BUILDS)
def test_every_build_can_be_registered_as_it_stands(app: str, number: int):
    build = APPS[app]["builds"][number]

    assert check_name(app) == app
    assert set(build) <= {"shows", "manifest", "description", "git-sha", "environment", "images"}
    assert re.fullmatch(r"[0-9a-f]{40}", build["git-sha"])
    assert build["description"].startswith(f"build {build['git-sha'][:10]} ")
    assert all(isinstance(value, str) for value in build.get("environment", {}).values())
    assert len(images(app, number)) >= 2


@pytest.mark.parametrize(("app", "number"), BUILDS)
def test_what_a_build_is_said_to_show_is_what_its_images_do(app: str, number: int):
    shows = APPS[app]["builds"][number]["shows"]
    fails = bool(behaviours(app, number)) and not all("slow" in image for image in behaviours(app, number))

    assert ("fails" in shows) == fails
    assert ("approval" in shows) == (POLICY.rules(app).promote.count > 0)
    assert ("not pinned" in shows) == (
        app == "store" and not all(map(is_pinned, images(app, number).values()))
    )


@pytest.mark.parametrize("word", ["notfound", "crash", "crash-late", "neverready", "oom", "slow"])
def test_myapp_shows_every_way_to_fail_and_a_slow_way_to_succeed(word: str):
    found = [image for number in range(len(APPS["myapp"]["builds"])) for image in behaviours("myapp", number)]

    assert [image for image in found if image.endswith(f"-{word}")]


def test_what_goes_out_well_is_older_than_what_does_not_so_that_each_failure_can_be_promoted_in_any_order():
    for builds in read_builds(EXAMPLES).values():
        well = [build.goes_out_well and "fails" not in build.shows for build in builds]
        assert well == sorted(well, reverse=True)
        assert well[0]
        assert not well[-1]


def test_the_policy_has_somebody_of_each_kind_and_the_owner_may_do_everything():
    def may(who: str) -> set[str]:
        actor = Actor("slack", who, who)
        return {verb for verb in VERBS if POLICY.may(actor, verb, "myapp", {}).allowed}

    alice, bob, carol, nina = (may(who) for who in ROLES)
    assert nina == {"view", "logs"}
    assert bob == nina | {"approve"}
    assert {"promote", "rollback", "env", "cancel"} < alice
    assert "approve" not in alice
    assert carol == set(VERBS)


def test_every_failure_is_over_within_a_minute():
    assert POLICY.rules("myapp").longest <= 60
    assert POLICY.rules("store").longest <= 120, "its liveness check alone allows a start of 40 s"


@pytest.mark.parametrize(("app", "number"), BUILDS)
def test_every_build_can_become_good_within_the_time_that_it_has(app: str, number: int):
    text = (EXAMPLES / APPS[app]["builds"][number]["manifest"]).read_text(encoding="utf-8")
    check_times(parse_manifest(text, environment(app, number)).services, POLICY.rules(app))


@pytest.mark.parametrize("app", sorted(APPS))
def test_every_example_needs_a_variable_so_that_its_first_release_shows_how_to_set_one(app: str):
    text = (EXAMPLES / APPS[app]["builds"][0]["manifest"]).read_text(encoding="utf-8")

    with pytest.raises(Invalid, match="required env: "):
        parse_manifest(text, Environment())


def test_every_other_manifest_of_the_playground_s_apps_is_used():
    used = {(EXAMPLES / build["manifest"]).resolve() for app in APPS.values() for build in app["builds"]}

    assert used == {path.resolve() for app in APPS for path in (EXAMPLES / app).glob("*.yml")}


# What teams have; tests/scenarios/test_scenarios_examples.py rolls each of them out.
PLAIN = sorted(path.parent.name for path in EXAMPLES.glob("*/convox.yml"))


@pytest.mark.parametrize("app", PLAIN)
def test_every_example_is_read_and_every_note_on_it_is_about_a_disk_or_a_router(app: str):
    text = (EXAMPLES / app / "convox.yml").read_text(encoding="utf-8")
    found = parse_manifest(text, Environment(), complete=False)

    assert found.services
    assert text.startswith("# "), "it says what it is for"
    assert [note for note in found.notes if "disk" not in note and "router" not in note] == []
