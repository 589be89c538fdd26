"""`convox-bot check`: what a release of a convox.yml would be, and whether a policy file can be read, from the file alone."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from core.actor import BOT
from core.cluster.bundling import render_bundle
from core.cluster.object_lines import object_lines
from core.cluster.rendering.routes import route_notes
from core.errors import Invalid
from core.manifest.convox_yml import Manifest, parse_manifest, required
from core.policy.authorization import parse_policy
from core.policy.oidc_width import width
from core.policy.rules import Rules
from core.records.app import DEFAULT_RACK, App
from core.records.build import Build
from core.records.bundle import Bundle
from core.records.environment import Environment
from core.records.release import Release
from core.records.router import NO_ROUTER, Router

# Stand for what is not known before a build is registered; neither reaches a cluster.
APP, RELEASE = "app", "RAAAAAAAAAA"
_MADE_UP = datetime(2000, 1, 1, tzinfo=UTC)


class CheckResult(NamedTuple):
    """What is printed: a line for each object, notes, and every problem, of which there are none where it is fine."""

    objects: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def check_manifest(text: str, variables: Mapping[str, str], router: Router = NO_ROUTER) -> CheckResult:
    """Read a convox.yml with these variables and render it as a release of an app would be, on a rack with this router."""
    environment = Environment(tuple(variables.items()))
    try:
        manifest = parse_manifest(text, environment, complete=False)
        bundle = _rendered(manifest, environment, router)
    except Invalid as refused:
        return CheckResult(problems=tuple(str(refused.sentence).splitlines()))
    missing = required(manifest.services, environment)
    problems = (f"required env: {', '.join(missing)}",) if missing else ()
    notes = (*manifest.notes, *route_notes(manifest, router))
    return CheckResult(object_lines(bundle), notes, problems)


def check_policy(text: str) -> CheckResult:
    """Read a policy file."""
    try:
        policy = parse_policy(text)
    except Invalid as refused:
        return CheckResult(problems=tuple(str(refused.sentence).splitlines()))
    roles = tuple(f"role {role.name}: {', '.join(sorted(role.verbs))}" for role in policy.roles)
    builds = tuple(f"builds {each}" for each in policy.builds)
    apps = tuple(f"apps {', '.join(each.match)}" for each in policy.apps)
    notes = tuple(f"oidc:{rule.name}: {wide}" for rule in policy.oidc if (wide := width(rule)))
    return CheckResult((*roles, *builds, *map(str, policy.oidc), *apps), notes)


def _rendered(manifest: Manifest, environment: Environment, router: Router) -> Bundle:
    images = {service.name: service.image or f"{service.name}:build" for service in manifest.services}
    build = Build(
        id="BAAAAAAAAAA",
        app=APP,
        manifest="",
        images=images,
        description="",
        git_sha="",
        release=RELEASE,
        started_at=_MADE_UP,
        ended_at=_MADE_UP,
        created_by=BOT,
    )
    release = Release(
        id=RELEASE,
        app=APP,
        sequence=1,
        build=build.id,
        environment=environment,
        description="",
        created_at=_MADE_UP,
        created_by=BOT,
    )
    app = App(name=APP, created_at=_MADE_UP, created_by=BOT)
    passwords = dict.fromkeys((each.name for each in manifest.made), "")
    # What only a policy can allow is among the notes.
    rules = Rules(privileged=True, host_paths=True)
    return render_bundle(release, build, manifest, app, rules, passwords, rack=DEFAULT_RACK, router=router)
