"""`convox-bot check`: what a release of a convox.yml would be, and whether a policy file can be read, from the file alone."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from core.actor import BOT
from core.cluster.bundling import render_bundle
from core.errors import Invalid
from core.manifest.convox_yml import Manifest, parse_manifest, required
from core.policy.authorization import parse_policy
from core.policy.rules import Rules
from core.records.app import DEFAULT_RACK, App
from core.records.build import Build
from core.records.bundle import Bundle
from core.records.environment import Environment
from core.records.release import Release

# Stand for what is not known before a build is registered; neither reaches a cluster.
APP, RELEASE = "app", "RAAAAAAAAAA"
_MADE_UP = datetime(2000, 1, 1, tzinfo=UTC)


class CheckResult(NamedTuple):
    """What is printed: a line for each object, notes, and every problem, of which there are none where it is fine."""

    objects: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def check_manifest(text: str, variables: Mapping[str, str]) -> CheckResult:
    """Read a convox.yml with these variables and render it as a release of an app would be."""
    environment = Environment(tuple(variables.items()))
    try:
        manifest = parse_manifest(text, environment, complete=False)
        bundle = _rendered(manifest, environment)
    except Invalid as refused:
        return CheckResult(problems=tuple(str(refused.sentence).splitlines()))
    missing = required(manifest.services, environment)
    problems = (f"required env: {', '.join(missing)}",) if missing else ()
    return CheckResult(tuple(_line(each, bundle) for each in bundle.objects), manifest.notes, problems)


def check_policy(text: str) -> CheckResult:
    """Read a policy file."""
    try:
        policy = parse_policy(text)
    except Invalid as refused:
        return CheckResult(problems=tuple(str(refused.sentence).splitlines()))
    roles = tuple(f"role {role.name}: {', '.join(sorted(role.verbs))}" for role in policy.roles)
    return CheckResult((*roles, *(f"apps {', '.join(each.match)}" for each in policy.apps)))


def _rendered(manifest: Manifest, environment: Environment) -> Bundle:
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
    return render_bundle(release, build, manifest, app, rules, passwords, rack=DEFAULT_RACK)


def _line(document: Mapping[str, Any], bundle: Bundle) -> str:
    """Return an object in a line: kind, name, and what is worth knowing of it."""
    kind, name = document["kind"], document["metadata"]["name"]
    detail = ""
    match kind:
        case "Deployment":
            count = next(s.count for s in bundle.services if s.name == name)
            asked = document["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
            detail = f"{count} × {asked['cpu']} {asked['memory']}"
            if document["spec"]["strategy"]["type"] == "Recreate":
                detail += ", down while it is replaced"
        case "HorizontalPodAutoscaler":
            spec = document["spec"]
            measures = (each["resource"] for each in spec["metrics"])
            loads = ", ".join(f"{m['name']} {m['target']['averageUtilization']} %" for m in measures)
            detail = f"{spec['minReplicas']} to {spec['maxReplicas']}, {loads}"
        case "CronJob":
            detail = f"{document['spec']['schedule']} UTC"
        case "DaemonSet":
            asked = document["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
            detail = f"one a node, {asked['cpu']} {asked['memory']}"
        case "StatefulSet":
            detail = document["spec"]["template"]["spec"]["containers"][0]["image"]
        case "PersistentVolumeClaim":
            detail = document["spec"]["resources"]["requests"]["storage"]
        case "Service":
            ports = document["spec"]["ports"]
            detail = ", ".join(f"{p['port']}/{p['protocol'].lower()}" for p in ports)
        case "Secret":
            # That of a resource holds its password alone, and no release.
            own = name.endswith(f"-{RELEASE.lower()}")
            detail = f"{len(document['data'])} variables" if own else ""
            name = name.removesuffix(f"-{RELEASE.lower()}")
        case _:
            pass
    return f"{kind} {name} ({detail})" if detail else f"{kind} {name}"
