"""What the kinds say that the bot needs is enough for a whole rollout, and it is what deploy/ grants."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from core.cluster.kinds import KINDS
from core.records.cluster_event import ClusterEvent
from core.records.desired_state import DesiredState
from core.records.observation import Readiness
from core.records.router import Router
from tests.core.cluster.live import HOME, NOW, WEB, Live, claim, live
from tests.core.cluster.rendering.samples import bundle as rendered
from tests.core.cluster.rendering.samples import one
from tests.fakes import NO_SECRETS

NGINX = Router(kind="ingress", name="nginx", domain="apps.example.com")
GATEWAY = Router(kind="gateway", name="main", namespace="infra", domain="apps.example.com")
# A manifest of which every kind has an object.
EVERY_KIND = """
resources:
  database: {type: postgres}
services:
  agent: {build: ., agent: true}
  web: {build: ., port: 3000, scale: 2-5, annotations: [eks.amazonaws.com/role-arn=x]}
timers:
  yearly: {schedule: "0 0 1 1 *", service: web, command: bin/clean}
"""
DEPLOY = Path(__file__).parents[4] / "deploy"
# Asked by anybody, whatever their rights (the cluster role system:basic-user).
ANYBODYS = {("create", "selfsubjectaccessreviews")}
# Not asked for by a verb of its own: the API server wants it of whoever binds a role that gives more than they have.
TO_BIND = {("bind", "clusterroles")}


def needed() -> set[tuple[str, str]]:
    return {
        (verb, f"{kind.resource.plural}/{part}" if part else kind.resource.plural)
        for kind in KINDS.values()
        for part, verbs in kind.rights.items()
        for verb in verbs
    }


def provisioning() -> set[tuple[str, str]]:
    return {(verb, kind.resource.plural) for kind in KINDS.values() for verb in kind.provisioning}


def granted(file: str, role: str) -> set[tuple[str, str]]:
    documents: list[dict[str, Any]] = list(yaml.safe_load_all((DEPLOY / file).read_text(encoding="utf-8")))
    (found,) = [d for d in documents if d["kind"] == "ClusterRole" and d["metadata"]["name"] == role]
    places = {(kind.resource.plural, kind.resource.group) for kind in KINDS.values()}
    known = {plural for plural, _ in places}
    pairs = set()
    for rule in found["rules"]:
        for resource in rule["resources"]:
            plural, (group,) = resource.partition("/")[0], rule["apiGroups"]
            assert plural not in known or (plural, group) in places
            pairs |= {(verb, resource) for verb in rule["verbs"]}
    return pairs


def test_the_role_in_an_apps_namespace_grants_what_the_kinds_need_and_no_more():
    assert granted("rbac.yaml", "convox-bot-app") == needed()


def test_self_service_grants_what_making_a_namespace_needs_and_no_more():
    assert granted("self-service.yaml", "convox-bot-self-service") == provisioning() | TO_BIND


def may_only(on: Live, rights: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Take every other right away; return what requests will have asked for."""
    asked: set[tuple[str, str]] = set()
    refusal = on.simulated.access.refusal

    def noted(identity: Any, verb: str, target: Any, **more: Any) -> Any:
        plural, part = target.resource.plural, target.subresource
        if identity.bound and (verb, plural) not in ANYBODYS:
            asked.add((verb, f"{plural}/{part}" if part else plural))
        return refusal(identity, verb, target, **more)

    # What an access review asks is no request that needs the right.
    on.simulated.access.refusal = noted
    on.simulated.access.deny = lambda verb, resource, _: (verb, resource) not in rights | ANYBODYS
    return asked


async def test_a_namespace_is_made_with_the_founding_rights_alone():
    async with live(namespace=False) as on:
        asked = may_only(on, provisioning())
        assert await on.cluster.create_namespace("myapp") is None
        assert asked == provisioning(), "each that is granted is used"
        assert await on.admin.get(HOME.itself) is not None


async def test_a_whole_rollout_needs_what_the_kinds_say_and_no_more():
    async with live(router=NGINX, extensions=("gateway.networking.k8s.io",)) as on:
        asked = may_only(on, needed())
        bundle = on.bundle("web:notfound", manifest=EVERY_KIND)
        # No release has both; what either needs is asked for here at once.
        route = one(rendered(EVERY_KIND, router=GATEWAY), "HTTPRoute")
        bundle = replace(bundle, objects=(*bundle.objects, route))
        intent = await on.cluster.read_baseline("myapp", bundle.refs)
        await on.cluster.claim_anchor(on.app(), claim("i", 1))
        await on.cluster.claim_anchor(on.app(), claim("i", 2))
        await on.cluster.preflight("myapp", bundle, token=2, force=False)
        applied = await on.apply(bundle, token=2)
        told = ClusterEvent(
            name="web.p1.started",
            ref=WEB,
            reason="RolloutStarted",
            action="Promote",
            note="",
            warning=False,
            at=NOW,
        )
        await on.cluster.record_event("myapp", told)
        await on.cluster.scale("myapp", WEB, 2, token=2)
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(DesiredState(release=bundle.release, bundle=bundle, applied=applied))
            look = await watch.next(1.0)
            while not (look.services and look.services[0].diagnoses):
                look = await watch.next(1.0)
            assert (await watch.fresh()).services[0].readiness is Readiness.PROGRESSING
            await on.cluster.evidence(
                "myapp", replace(look.services[0].diagnoses[0], container="main"), NO_SECRETS
            )
            assert not await on.cluster.suspend("myapp", bundle.refs[-1], uid="", token=2)
            assert await on.cluster.suspend("myapp", bundle.refs[-1], uid="", token=2)
            gone = tuple(ref for ref in bundle.refs if on.cluster.traits(ref).removed)
            for ref in reversed(gone):
                await on.cluster.delete("myapp", ref, uid="", token=2)
            watch.aim(DesiredState(release=bundle.release, bundle=None, absent=gone))
            while (look := await watch.next(1.0)).services or not look.synced:
                pass
        assert asked == needed(), "each that is granted is used"
