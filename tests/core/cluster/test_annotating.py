"""Objects say what they belong to and why they are as they are; no pod and no approval notices."""

import re
from copy import deepcopy

import pytest
import yaml

from core.cluster.annotating import annotated
from core.cluster.labels import (
    CHANGE_CAUSE_ANNOTATION,
    INSTANCE_LABEL,
    MANAGED_LABEL,
    NAME_LABEL,
    PART_OF_LABEL,
    PROMOTION_ANNOTATION,
    RELEASE_ANNOTATION,
    REQUESTER_ANNOTATION,
    VERSION_LABEL,
)
from core.cluster.patches import substance
from core.records.change_cause import ChangeCause
from tests.core.cluster.live import WEB, live
from tests.core.cluster.rendering.samples import bundle

CAUSE = ChangeCause(promotion="PABCDEFGHIJ", requested_by="@alice", text="convox-bot PABCDEFGHIJ: promote")
LATER = ChangeCause(promotion="PKLMNOPQRST", requested_by="@bob", text="convox-bot PKLMNOPQRST: promote")
APP = """
configs:
  - id: nginx
    value: a
resources:
  database: {type: postgres, options: {storage: 10}}
services:
  web:
    image: registry.example/web
    port: 3000
    labels: {app.kubernetes.io/name: mine}
    annotations: [example.com/note=kept]
    resources: [database]
timers:
  nightly: {schedule: 0 3 * * *, command: a, service: web}
"""
# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
VALUE = re.compile(r"[a-z0-9A-Z]([-_.a-z0-9A-Z]{0,61}[a-z0-9A-Z])?")


def sent(cause=CAUSE, **changes):
    made = annotated(bundle(APP, login_hosts=["ghcr.io"], **changes), cause)
    return {f"{o['kind']}/{o['metadata']['name']}": o for o in made.objects}


def test_an_object_of_a_release_tells_app_service_release_promotion_and_who_asked():
    metadata = sent()["Deployment/web"]["metadata"]
    assert {key: value for key, value in metadata["labels"].items() if "/" in key} == {
        # What convox.yml says of a label stands; elsewhere it is the service.
        NAME_LABEL: "mine",
        INSTANCE_LABEL: "convox-myapp",
        PART_OF_LABEL: "myapp",
        VERSION_LABEL: "RABCDEFGHIJ",
        MANAGED_LABEL: "convox-bot",
    }
    assert metadata["annotations"] == {
        PROMOTION_ANNOTATION: "PABCDEFGHIJ",
        RELEASE_ANNOTATION: "RABCDEFGHIJ",
        REQUESTER_ANNOTATION: "@alice",
        CHANGE_CAUSE_ANNOTATION: "convox-bot PABCDEFGHIJ: promote",
    }


def test_an_object_of_a_service_is_named_by_it():
    assert sent()["Service/web"]["metadata"]["labels"][NAME_LABEL] == "web"


def test_every_object_of_every_kind_carries_labels_that_kubernetes_takes():
    objects = sent(rack="r" * 20, app="a" * 42)
    assert {name.split("/")[0] for name in objects} >= {"Secret", "Service", "Deployment", "CronJob"}
    for name, each in objects.items():
        labels = each["metadata"]["labels"]
        assert {NAME_LABEL, INSTANCE_LABEL, PART_OF_LABEL, MANAGED_LABEL} <= labels.keys(), name
        assert all(VALUE.fullmatch(value) for value in labels.values()), name


def test_what_outlives_every_release_tells_of_none():
    objects = sent()
    telling = {name for name, each in objects.items() if VERSION_LABEL in each["metadata"]["labels"]}
    assert objects.keys() - telling == {
        "PersistentVolumeClaim/resource-database",
        "Secret/convox-bot-registries",
        "Secret/resource-database",
        "Service/resource-database",
        "StatefulSet/resource-database",
    }
    assert telling == {name for name, each in objects.items() if each["metadata"].get("annotations")}
    assert objects["Secret/convox-bot-registries"]["metadata"]["labels"][NAME_LABEL] == "myapp"
    assert objects["StatefulSet/resource-database"]["metadata"]["labels"][NAME_LABEL] == "database"


def test_no_pod_template_and_no_selector_is_touched_and_the_stored_bundle_stays_as_it_is():
    stored = bundle(APP)
    before = deepcopy(stored.objects)
    made = annotated(stored, CAUSE)
    assert stored.objects == before
    assert made.digest == stored.digest
    for was, now in zip(stored.objects, made.objects, strict=True):
        assert {k: v for k, v in now.items() if k != "metadata"} == {
            k: v for k, v in was.items() if k != "metadata"
        }
    assert "PABCDEFGHIJ" not in yaml.safe_dump([o.get("spec") for o in made.objects])


def test_another_promotion_of_the_same_release_is_no_change_and_another_variable_is():
    for first, second in zip(sent().values(), sent(LATER).values(), strict=True):
        assert substance(first) == substance(second)
    bare = {f"{o['kind']}/{o['metadata']['name']}": o for o in bundle(APP, login_hosts=["ghcr.io"]).objects}
    assert {n: substance(o) for n, o in bare.items()} == {n: substance(o) for n, o in sent().items()}, (
        "an upgrade is quiet"
    )
    other = sent(environment={"A": "b"})["Secret/env-web-rabcdefghij"]
    assert substance(other) != substance(sent()["Secret/env-web-rabcdefghij"])


async def test_promoted_again_the_objects_tell_the_new_promotion_and_no_pod_is_replaced():
    async with live() as on:
        made = on.bundle()
        await on.apply(made)
        generation = (await on.get(WEB))["spec"]["template"]
        assert not any(a.changed for a in await on.apply(annotated(made, CAUSE), token=2)), "an upgrade"
        again = await on.apply(annotated(made, LATER), token=3)
        assert not any(a.changed for a in again)
        there = await on.get(WEB)
        assert there["metadata"]["annotations"][PROMOTION_ANNOTATION] == "PKLMNOPQRST"
        assert there["spec"]["template"] == generation


@pytest.mark.parametrize("force", [False, True])
async def test_a_cause_that_somebody_wrote_by_hand_keeps_no_release_from_going_out(force):
    async with live() as on:
        made = on.bundle()
        await on.apply(annotated(made, CAUSE))
        await on.make(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "web", "annotations": {CHANGE_CAUSE_ANNOTATION: "by hand"}},
            },
            manager="kubectl-annotate",
        )
        later = annotated(made, LATER)
        await on.cluster.preflight("myapp", later, token=2, force=force)
        applied = await on.apply(later, token=2, force=force)
        assert not any(a.overwrote for a in applied)
        assert (await on.get(WEB))["metadata"]["annotations"][CHANGE_CAUSE_ANNOTATION] == LATER.text
