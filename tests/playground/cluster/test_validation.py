"""What the server refuses to store and what it fills in, as tables."""

from copy import deepcopy
from typing import Any

import pytest

from bot.playground.cluster.defaults import with_defaults
from bot.playground.cluster.resources import BY_KIND, discovery, parse_path
from bot.playground.cluster.schema import unknown_fields
from bot.playground.cluster.validation import validate
from tests.playground.cluster.client import Client, deployment

CONFIGMAPS = "/api/v1/namespaces/shop/configmaps"


def broken(path: str, value: object) -> dict:
    """Return a Deployment in which one field has another value."""
    body = deepcopy(deployment("v1", 1))
    *way, last = path.split(".")
    place: Any = body
    for step in way:
        place = place[int(step)] if step.isdigit() else place.setdefault(step, {})
    place[last] = value
    return body


CONTAINER = "spec.template.spec.containers.0"


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (f"{CONTAINER}.image", "", "spec.template.spec.containers[0].image"),
        (f"{CONTAINER}.name", "", "spec.template.spec.containers[0].name"),
        (f"{CONTAINER}.name", "Main", "spec.template.spec.containers[0].name"),
        ("spec.template.spec.containers", [], "spec.template.spec.containers"),
        ("spec.selector", None, "spec.selector"),
        ("spec.template.metadata.labels", {"app": "x"}, "spec.template.metadata.labels"),
        ("spec.replicas", -1, "spec.replicas"),
        ("spec.strategy.type", "Magic", "spec.strategy.type"),
        (
            "spec.strategy",
            {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}},
            "spec.strategy.rollingUpdate.maxUnavailable",
        ),
        ("spec.minReadySeconds", 60, "spec.progressDeadlineSeconds"),
        ("metadata.labels", {"app": "not valid!"}, "metadata.labels"),
        (
            f"{CONTAINER}.resources",
            {"requests": {"memory": "128Mi"}, "limits": {"memory": "64Mi"}},
            "spec.template.spec.containers[0].resources.requests",
        ),
    ],
)
def test_a_broken_deployment_is_refused_with_the_field(path: str, value: object, field: str):
    refusal = validate(BY_KIND["Deployment"], with_defaults(broken(path, value)), None)

    assert refusal is not None
    assert refusal.code == 422
    assert refusal.details["causes"][0]["field"] == field


def test_a_deployment_that_holds_together_is_not_refused():
    assert validate(BY_KIND["Deployment"], with_defaults(deployment("v1", 1)), None) is None


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("ConfigMap", {"data": {"a b": ""}}, "data[a b]"),
        ("Service", {"spec": {}}, "spec.ports"),
        ("Namespace", {"metadata": {"name": "a.b"}}, "metadata.name"),
    ],
)
def test_other_kinds_have_their_own_rules(kind: str, body: dict, field: str):
    document = with_defaults({"kind": kind, "metadata": {"name": "a"}, **body})
    refusal = validate(BY_KIND[kind], document, None)

    assert refusal is not None
    assert refusal.details["causes"][0]["field"] == field


def test_several_faults_are_told_at_once():
    body = broken(f"{CONTAINER}.image", "")
    body["spec"]["replicas"] = -1
    refusal = validate(BY_KIND["Deployment"], with_defaults(body), None)

    assert refusal is not None
    assert refusal.message.startswith('Deployment.apps "web" is invalid: [')
    assert len(refusal.details["causes"]) == 2


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("web", "Always"),
        ("web:latest", "Always"),
        ("web:v1", "IfNotPresent"),
        ("localhost:5000/web", "Always"),
        ("web@sha256:abc", "IfNotPresent"),
    ],
)
def test_only_floating_images_are_always_pulled(image: str, policy: str):
    filled = with_defaults(broken(f"{CONTAINER}.image", image))

    assert filled["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == policy


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/namespaces/shop", ("namespaces", "", "shop", "")),
        ("/api/v1/namespaces/shop/status", ("namespaces", "", "shop", "status")),
        ("/api/v1/pods", ("pods", "", "", "")),
        ("/api/v1/namespaces/shop/pods/a/log", ("pods", "shop", "a", "log")),
        ("/apis/apps/v1/namespaces/shop/deployments/web/scale", ("deployments", "shop", "web", "scale")),
    ],
)
def test_a_path_names_kind_namespace_object_and_part(path: str, expected: tuple):
    target = parse_path(path)

    assert (target.resource.plural, target.namespace, target.name, target.subresource) == expected


def test_discovery_lists_every_kind_of_a_group():
    listed = discovery("/apis/apps/v1")

    assert [each["kind"] for each in listed["resources"]] == [
        "Deployment",
        "ReplicaSet",
        "StatefulSet",
        "DaemonSet",
        "ControllerRevision",
    ]
    assert discovery("/apis/apps/v1/deployments") is None


def test_strict_decoding_finds_misspelt_fields_at_their_place():
    body = broken("spec.replica", 3)
    body["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["period"] = 3

    assert unknown_fields(body) == [
        "spec.template.spec.containers[0].readinessProbe.period",
        "spec.replica",
    ]


async def test_a_selection_can_be_deleted_at_once(kube: Client):
    for name, labels in (("a", {"x": "1"}), ("b", {"x": "1"}), ("c", {})):
        await kube.request("POST", CONFIGMAPS, {"metadata": {"name": name, "labels": labels}})
    answer = await kube.request("DELETE", CONFIGMAPS, labelSelector="x=1")

    assert [each["metadata"]["name"] for each in answer["items"]] == ["a", "b"]
    assert [each["metadata"]["name"] for each in await kube.items(CONFIGMAPS)] == ["c"]


async def test_a_dry_run_of_a_deletion_deletes_nothing(kube: Client):
    await kube.request("POST", CONFIGMAPS, {"metadata": {"name": "a"}})
    answer = await kube.request("DELETE", f"{CONFIGMAPS}/a", dryRun="All")

    assert answer.code == 200
    assert (await kube.get(f"{CONFIGMAPS}/a")).code == 200


async def test_a_negative_scale_is_invalid(kube: Client):
    path = "/apis/apps/v1/namespaces/shop/deployments/web"
    await kube.apply(deployment("v1", 1))
    body = {"spec": {"replicas": -1}}
    answer = await kube.request("PATCH", f"{path}/scale", body, "application/merge-patch+json")

    assert answer.code == 422


async def test_a_kubelet_outside_may_write_a_pods_status(kube: Client):
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "main", "image": "web:v1"}]}}
    made = await kube.request("POST", "/api/v1/namespaces/shop/pods", pod)
    patch = {"status": {"message": "hello", "conditions": [{"type": "Custom", "status": "True"}]}}
    answer = await kube.request(
        "PATCH", "/api/v1/namespaces/shop/pods/p/status", patch, "application/strategic-merge-patch+json"
    )

    assert made["spec"]["serviceAccountName"] == "default"
    assert answer["status"]["message"] == "hello"
    assert "Custom" in {each["type"] for each in answer["status"]["conditions"]}
