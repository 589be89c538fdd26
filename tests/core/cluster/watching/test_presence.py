"""What was applied must be there when a release is called good: the object itself, with our labels, leading where it led."""

from collections.abc import Mapping

import pytest

from core.cluster.labels import FIELD_MANAGER
from core.cluster.watching.presence import loss
from core.records.bundle import Ref
from core.records.desired_state import DesiredState
from core.records.intent import Intent
from tests.core.cluster.live import HOME, Live, live
from tests.fakes import NO_SECRETS

WEB = Ref("Service", "web")
LABELS = {"service": "web", "release": "R1"}
PORTS = [{"name": "main", "port": 3000, "targetPort": "main", "protocol": "TCP"}]
SPEC = {"type": "ClusterIP", "selector": {"service": "web"}, "ports": PORTS}
WANTED = {"metadata": {"labels": LABELS}, "spec": SPEC}


def found(*, spec: Mapping[str, object] | None = None, **metadata: object) -> dict[str, object]:
    """Return the Service as it is seen: the API server has filled things in, others have added some."""
    seen = {**SPEC, "clusterIP": "10.0.0.1", "sessionAffinity": "None", **(spec or {})}
    return {"metadata": {"uid": "u1", "labels": {**LABELS, "x": "y"}} | metadata, "spec": seen}


def taken(field: str, value: object, owned: Mapping[str, object]) -> dict[str, object]:
    """Return it with a field that `kubectl edit` has given another value."""
    fields = {"f:spec": {f"f:{field}": owned}}
    entry = {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": fields, "time": "t"}
    return found(spec={field: value}, managedFields=[entry])


def answered(field: str, value: object, owned: Mapping[str, object]) -> dict[str, object]:
    """Return it with a field that a webhook of the cluster has given another value as the bot applied it."""
    fields = {"f:spec": {f"f:{field}": owned}}
    entry = {"manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": fields, "time": "t"}
    return found(spec={field: value}, managedFields=[entry])


BY_PORT: Mapping[str, object] = {'k:{"port":3000,"protocol":"TCP"}': {"f:targetPort": {}}}


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (found(), ""),
        (None, "Service/web was deleted by somebody"),
        (found(deletionTimestamp="t"), "Service/web is being deleted by somebody"),
        (found(uid="u2"), "Service/web was deleted and made anew by somebody"),
        (found(labels={"service": "web"}), "somebody changed the label release of Service/web"),
        (found(labels={}), "somebody changed the label release, service of Service/web"),
        (taken("selector", {"service": "old"}, {}), "kubectl-edit changed .spec.selector of Service/web"),
        (taken("type", "LoadBalancer", {}), "kubectl-edit changed .spec.type of Service/web"),
        (
            taken("ports", [{**PORTS[0], "targetPort": 4000}], BY_PORT),
            'kubectl-edit changed .spec.ports[port=3000,protocol="TCP"].targetPort of Service/web',
        ),
        (
            found(spec={"selector": None, "ports": None}),
            'somebody changed .spec.ports[port=3000,protocol="TCP"].targetPort, .spec.selector of Service/web',
        ),
        (answered("selector", {"service": "web", "mesh": "on"}, {}), ""),
        (answered("ports", [{**PORTS[0], "targetPort": 4000}], BY_PORT), ""),
        (answered("type", "NodePort", {}), ""),
        (
            taken("selector", {"service": "web", "x": "y"}, {"f:x": {}}),
            "kubectl-edit changed .spec.selector of Service/web",
        ),
        (found(spec={"ports": [{"port": 9, "targetPort": 9}, *PORTS]}), ""),
    ],
)
def test_what_has_become_of_an_object_is_said(there, said):
    assert loss(WEB, WANTED, "u1", there) == said


def test_an_answer_whose_uid_nobody_knows_is_not_compared():
    assert loss(WEB, WANTED, "", found(uid="u2")) == ""


async def aimed(on: Live) -> tuple[DesiredState, Intent]:
    bundle = on.bundle()
    intent = await on.cluster.read_baseline("myapp", bundle.refs)
    applied = await on.apply(bundle)
    return DesiredState(release=bundle.release, bundle=bundle, applied=applied), intent


async def test_only_a_fresh_look_asks_for_everything_and_names_all_that_is_lost():
    async with live() as on:
        target, intent = await aimed(on)
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            await watch.wait_for_sync()
            assert (await watch.fresh()).lost == ""
            secret = next(ref for ref in target.bundle.refs if ref.kind == "Secret")
            for ref in (WEB, secret):
                await on.admin.delete(HOME.at(ref.kind, ref.name), {})
            assert (await watch.next(0)).lost == ""
            assert (await watch.fresh()).lost == (
                f"{secret} was deleted by somebody; Service/web was deleted by somebody"
            )


async def test_a_service_that_leads_elsewhere_by_now_is_found_and_named():
    async with live() as on:
        target, intent = await aimed(on)
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            await watch.wait_for_sync()
            at = HOME.at("Service", "web")
            patch = {"spec": {"selector": {"service": "other"}}}
            await on.admin.merge(at, patch, manager="kubectl-patch")
            assert (await watch.fresh()).lost == "kubectl-patch changed .spec.selector of Service/web"


async def test_what_cannot_be_asked_is_not_there_and_not_lost():
    async with live() as on:
        target, intent = await aimed(on)
        async with on.cluster.watch("myapp", intent, NO_SECRETS) as watch:
            watch.aim(target)
            await watch.wait_for_sync()
            on.simulated.access.deny = lambda verb, resource, _: (verb, resource) == ("get", "secrets")
            seen = await watch.fresh()
            assert (seen.synced, seen.lost) == (False, "")
            assert "secrets" in seen.blind
