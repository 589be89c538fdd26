"""The bot has the rights of `deploy/` and no others; one that is missing is named, with what gives it. Real only."""

from collections.abc import AsyncIterator

import pytest

from bot.playground.kubelet.api import ApiClientError
from tests.controlplane.plane import USERS, ControlPlane
from tests.scenarios.harness import Stage

pytestmark = pytest.mark.controlplane

RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


@pytest.fixture
def plane(control_plane: ControlPlane) -> ControlPlane:
    """The simulated cluster knows tokens and no roles."""
    return control_plane


class Role:
    """A copy of `deploy/`'s ClusterRole, bound in the app's namespace in its place."""

    def __init__(self, stage: Stage) -> None:
        self._admin = stage.cluster.admin
        self._namespace = stage.namespace()
        self._name = f"cut-{self._namespace}"
        self._stage = stage

    async def without(self, resource: str, verb: str) -> None:
        """Give everything but one right, and return once the API server has taken note."""
        whole = await self._admin.call("GET", f"{RBAC}/clusterroles/convox-bot-app")
        rules = [
            {**rule, "resources": [name], "verbs": left}
            for rule in whole["rules"]
            for name in rule["resources"]
            if (left := [each for each in rule["verbs"] if (name, each) != (resource, verb)])
        ]
        await self._replace(f"{RBAC}/clusterroles", {"metadata": {"name": self._name}, "rules": rules})
        bindings = f"{RBAC}/namespaces/{self._namespace}/rolebindings"
        bound = await self._admin.call("GET", f"{bindings}/convox-bot")
        reference = {**bound["roleRef"], "name": self._name}
        body = {"metadata": {"name": "convox-bot"}, "roleRef": reference, "subjects": bound["subjects"]}
        await self._replace(bindings, body)
        await self._stage.until(lambda: self._denied(resource, verb))

    async def remove(self) -> None:
        await self._admin.call("DELETE", f"{RBAC}/clusterroles/{self._name}")

    async def _replace(self, path: str, body: dict) -> None:
        try:
            await self._admin.call("DELETE", f"{path}/{body['metadata']['name']}")
        except ApiClientError as error:
            if error.code != 404:
                raise
        await self._admin.call("POST", path, body)

    async def _denied(self, resource: str, verb: str) -> bool:
        """Ask the API server itself, about the taken right and about one that is left."""
        name, _, part = resource.partition("/")
        taken = await self._allowed(verb=verb, resource=name, subresource=part, group=_group(name))
        left = await self._allowed(verb="list", resource="replicasets", subresource="", group="apps")
        return left and not taken

    async def _allowed(self, **attributes: str) -> bool:
        user, groups = USERS["convox-bot"]
        attributes["namespace"] = self._namespace
        spec = {"user": user, "groups": groups.split(","), "resourceAttributes": attributes}
        answer = await self._admin.call("POST", REVIEWS, {"spec": spec})
        return bool(answer["status"]["allowed"])


def _group(resource: str) -> str:
    return "apps" if resource in {"deployments", "replicasets"} else ""


@pytest.fixture
async def role(stage: Stage) -> AsyncIterator[Role]:
    made = Role(stage)
    yield made
    await made.remove()


async def test_the_rights_of_deploy_are_enough(stage: Stage):
    await stage.running(web="v1")
    bad = await stage.promoted(await stage.build(web="v2-crash"))

    assert bad.phase == "Reverted"
    assert any("last log lines" in text for text in await stage.thread(bad.id))


async def test_a_right_that_is_missing_refuses_before_anything_is_touched(stage: Stage, role: Role):
    release = await stage.build(web="v1")
    for resource, verb in (
        ("namespaces", "get"),
        ("configmaps", "get"),
        ("secrets", "patch"),
        ("services", "create"),
        ("deployments", "create"),
    ):
        await role.without(resource, verb)
        promotion = await stage.promoted(release)

        right = f"the bot may not {verb} {resource} in namespace {stage.namespace()}"
        assert (promotion.phase, right in str(promotion.reason)) == ("Refused", True), promotion.reason
        command = f"CONVOX_RACK={stage.cluster.rack} convox-bot app-manifest myapp | kubectl apply -f -"
        assert f"`{command}`" in str(promotion.reason)
        (ending,) = (await stage.thread(promotion.id))[-1:]
        assert ending.startswith(
            f"ERROR: refused, nothing was changed: {str(promotion.reason).split(';')[0]}"
        )
        assert await stage.items("deployments") == []


async def test_a_right_that_is_missed_in_the_middle_is_named_as_the_cause(stage: Stage, role: Role):
    await role.without("deployments/scale", "patch")
    promotion = await stage.promoted(await stage.build(web="v1"))

    right = f"the bot may not patch deployments/scale in namespace {stage.namespace()}"
    assert (promotion.phase, promotion.removed, right in str(promotion.cause)) == ("Reverted", True, True)
    assert await stage.items("deployments") == []


async def test_without_the_right_to_read_logs_a_failure_is_told_without_its_log(stage: Stage, role: Role):
    await role.without("pods/log", "get")
    promotion = await stage.promoted(await stage.build(web="v1-crash"))

    assert str(promotion.cause) == "web exits with code 1 right after its start, restarted once"
    assert not any("last log lines" in text for text in await stage.thread(promotion.id))


async def test_a_start_that_could_not_watch_what_it_started_is_refused_and_the_right_named(
    stage: Stage, role: Role
):
    release = await stage.build(web="v1")
    for resource in ("deployments", "replicasets", "pods", "events"):
        await role.without(resource, "watch")
        promotion = await stage.promoted(release)

        right = f"the bot may not watch {resource} in namespace {stage.namespace()}"
        assert (promotion.phase, right in str(promotion.reason)) == ("Refused", True), promotion.reason
        assert await stage.items("deployments") == []


async def test_a_watch_that_is_lost_in_the_middle_is_named_and_without_events_a_rollout_ends_all_the_same(
    stage: Stage, role: Role
):
    promotion = await stage.promote(await stage.build(web="v1"))
    await stage.phase(promotion, "Updating")
    await role.without("events", "watch")

    assert (await stage.ended(promotion)).phase == "Running"
    hangs = await stage.promote(await stage.build(web="v2-neverready"))
    assert (await stage.phase(hangs, "Refused")).untouched
