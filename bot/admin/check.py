"""`convox-bot check`: what a release of a convox.yml would be, and whether a policy file can be read, from the file alone."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from core.actor import BOT
from core.cluster.bundling import render_bundle
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
    return CheckResult(tuple(_line(each, bundle) for each in bundle.objects), notes, problems)


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


def _asked(workload: Mapping[str, Any]) -> str:
    """Return what each pod has for itself; a service with GPUs may ask for nothing else."""
    resources = workload["spec"]["template"]["spec"]["containers"][0]["resources"]
    asked = {**resources.get("limits", {}), **resources.get("requests", {})}
    given = [asked[key] for key in ("cpu", "memory") if key in asked]
    return " ".join(given + [f"{many} {key}" for key, many in asked.items() if "/" in key])


def _line(document: Mapping[str, Any], bundle: Bundle) -> str:
    """Return an object in a line: kind, name, and what is worth knowing of it."""
    kind, name = document["kind"], document["metadata"]["name"]
    if leads := _hosts(document):
        return f"{kind} {name} → {', '.join(leads)}"
    detail = _workload(document, bundle) or _detail(document)
    name = name.removesuffix(f"-{RELEASE.lower()}")
    return f"{kind} {name} ({detail})" if detail else f"{kind} {name}"


def _hosts(document: Mapping[str, Any]) -> list[str]:
    """Return the names by which something is found from outside."""
    match document["kind"]:
        case "Ingress":
            return [rule["host"] for rule in document["spec"]["rules"]]
        case "HTTPRoute":
            return list(document["spec"]["hostnames"])
        case _:
            return []


def _workload(document: Mapping[str, Any], bundle: Bundle) -> str:
    """Return what runs, and how much of it."""
    match document["kind"]:
        case "Deployment":
            count = next(s.count for s in bundle.services if s.name == document["metadata"]["name"])
            down = ", down while it is replaced" * (document["spec"]["strategy"]["type"] == "Recreate")
            return f"{count} × {_asked(document)}{down}"
        case "DaemonSet":
            return f"one a node, {_asked(document)}"
        case "StatefulSet":
            return str(document["spec"]["template"]["spec"]["containers"][0]["image"])
        case _:
            return ""


def _detail(document: Mapping[str, Any]) -> str:
    """Return what is worth knowing of what runs nothing."""
    match document["kind"]:
        case "HorizontalPodAutoscaler":
            spec = document["spec"]
            measures = (each["resource"] for each in spec["metrics"])
            loads = ", ".join(f"{m['name']} {m['target']['averageUtilization']} %" for m in measures)
            return f"{spec['minReplicas']} to {spec['maxReplicas']}, {loads}"
        case "CronJob":
            return f"{document['spec']['schedule']} UTC"
        case "PersistentVolumeClaim":
            return str(document["spec"]["resources"]["requests"]["storage"])
        case "Service":
            ports = document["spec"]["ports"]
            return ", ".join(f"{p['port']}/{p['protocol'].lower()}" for p in ports)
        case "Secret" if document["metadata"]["name"].endswith(f"-{RELEASE.lower()}"):
            # That of a resource holds its password alone, and no release.
            return f"{len(document['data'])} variables"
        case _:
            return ""
