"""Server-side apply over HTTP: ownership, conflicts, replicas, preconditions."""

from typing import Any

from tests.playground.cluster.client import DEPLOYMENT, Client, deployment

SECRET = "/api/v1/namespaces/shop/secrets/env"


def image(body: dict) -> str:
    return body["spec"]["template"]["spec"]["containers"][0]["image"]


async def test_the_first_apply_creates_and_fills_in_defaults(kube: Client):
    answer = await kube.apply(deployment("v1"))

    assert answer.code == 201
    spec = answer["spec"]
    assert (spec["replicas"], spec["revisionHistoryLimit"]) == (1, 10)
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": "25%", "maxSurge": "25%"}
    template = spec["template"]["spec"]
    assert template["serviceAccount"] == "default"
    assert template["terminationGracePeriodSeconds"] == 30
    assert template["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert "uid" in answer["metadata"]


async def test_applying_the_same_again_changes_nothing(kube: Client):
    await kube.apply(deployment("v1", 1))
    before = await kube.complete()
    again = await kube.apply(deployment("v1", 1))

    assert again.code == 200
    assert again["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert again["metadata"]["generation"] == 1


async def test_the_generation_rises_with_the_spec_and_not_with_labels(kube: Client):
    body = deployment("v1")
    await kube.apply(body)
    body["metadata"]["labels"]["team"] = "shop"
    labelled = await kube.apply(body)
    body["spec"]["minReadySeconds"] = 5
    changed = await kube.apply(body)

    assert labelled["metadata"]["generation"] == 1
    assert changed["metadata"]["generation"] == 2


async def test_a_field_of_somebody_else_is_a_conflict_that_names_manager_and_field(kube: Client):
    await kube.apply(deployment("v1", 2))
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "other:v9"}]}}}}
    patched = await kube.request(
        "PATCH", DEPLOYMENT, patch, "application/strategic-merge-patch+json", fieldManager="kubectl"
    )
    assert image(patched) == "other:v9"

    refused = await kube.apply(deployment("v2", 2))

    assert refused.code == 409
    assert refused["reason"] == "Conflict"
    assert refused["details"]["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "kubectl" using apps/v1',
            "field": '.spec.template.spec.containers[name="main"].image',
        }
    ]
    assert refused["message"] == (
        'Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: '
        '.spec.template.spec.containers[name="main"].image'
    )


async def test_force_takes_the_field_and_its_ownership(kube: Client):
    await kube.apply(deployment("v1", 2))
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "other:v9"}]}}}}
    await kube.request(
        "PATCH", DEPLOYMENT, patch, "application/strategic-merge-patch+json", fieldManager="kubectl"
    )

    forced = await kube.apply(deployment("v2", 2), force=True)

    assert forced.code == 200
    assert image(forced) == "registry.example/shop/web:v2"
    assert "kubectl" not in {each["manager"] for each in forced["metadata"]["managedFields"]}


async def test_the_same_value_is_owned_by_both_and_no_conflict(kube: Client):
    await kube.apply(deployment("v1", 2))
    other = {**deployment("v1"), "spec": {"replicas": 2}}
    answer = await kube.apply(other, manager="someone")

    assert answer.code == 200
    without = await kube.apply(deployment("v1"))
    assert without["spec"]["replicas"] == 2


async def test_replicas_that_their_only_owner_drops_fall_back_to_one(kube: Client):
    await kube.apply(deployment("v1", 3))
    dropped = await kube.apply(deployment("v1"))

    assert dropped["spec"]["replicas"] == 1


async def test_a_count_set_by_scale_survives_applies_without_replicas(kube: Client):
    await kube.apply(deployment("v1"))
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}}
    for count in (4, 0, 6):
        scaled = await kube.apply_json(
            f"{DEPLOYMENT}/scale", {**scale, "spec": {"replicas": count}}, "convox-bot-scale", force=True
        )
        assert scaled["spec"]["replicas"] == count
        applied = await kube.apply(deployment(f"v{count}"), force=True)
        assert applied["spec"]["replicas"] == count

    owner = next(
        each for each in applied["metadata"]["managedFields"] if each["manager"] == "convox-bot-scale"
    )
    assert (owner["operation"], owner["subresource"]) == ("Apply", "scale")
    assert owner["fieldsV1"] == {"f:spec": {"f:replicas": {}}}


async def test_a_forced_count_overrides_what_somebody_set_by_hand(kube: Client):
    await kube.apply(deployment("v1", 3))
    await kube.complete()
    put = await kube.get(f"{DEPLOYMENT}/scale")
    put["spec"]["replicas"] = 5
    by_hand = await kube.request("PUT", f"{DEPLOYMENT}/scale", put)
    refused = await kube.apply(deployment("v1", 3))
    forced = await kube.apply(deployment("v1", 3), force=True)

    assert by_hand["spec"]["replicas"] == 5
    assert refused.code == 409
    assert refused["details"]["causes"][0]["field"] == ".spec.replicas"
    assert forced["spec"]["replicas"] == 3


async def test_a_variable_added_by_somebody_else_outlives_forced_applies(kube: Client):
    await kube.apply(deployment("v1"))
    patch = {
        "spec": {
            "template": {"spec": {"containers": [{"name": "main", "env": [{"name": "DEBUG", "value": "1"}]}]}}
        }
    }
    await kube.request("PATCH", DEPLOYMENT, patch, "application/strategic-merge-patch+json")
    body = deployment("v2")
    body["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "RELEASE", "value": "R1"}]
    forced = await kube.apply(body, force=True)

    env = forced["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {each["name"] for each in env} == {"RELEASE", "DEBUG"}


async def test_a_variable_that_is_no_longer_applied_goes_away(kube: Client):
    body = deployment("v1")
    container = body["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    await kube.apply(body)
    container["env"] = [{"name": "A", "value": "1"}]
    answer = await kube.apply(body)

    assert answer["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "A", "value": "1"}]


async def test_a_service_account_that_is_left_out_comes_back_by_its_alias(kube: Client):
    body = deployment("v1")
    body["spec"]["template"]["spec"]["serviceAccountName"] = "runner"
    await kube.apply(body)
    del body["spec"]["template"]["spec"]["serviceAccountName"]
    answer = await kube.apply(body)

    assert answer["spec"]["template"]["spec"]["serviceAccountName"] == "runner"


async def test_recreate_over_a_defaulted_rolling_update_is_invalid(kube: Client):
    await kube.apply(deployment("v1"))
    refused = await kube.apply(deployment("v1", strategy={"type": "Recreate"}))
    patch = {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}
    entered = await kube.request("PATCH", DEPLOYMENT, patch, "application/merge-patch+json")
    applied = await kube.apply(deployment("v1", strategy={"type": "Recreate"}))

    assert (refused.code, refused["reason"]) == (422, "Invalid")
    assert refused["details"]["causes"][0]["field"] == "spec.strategy.rollingUpdate"
    assert entered["spec"]["strategy"] == {"type": "Recreate"}
    assert applied.code == 200


async def test_an_old_resource_version_is_a_conflict_even_with_force(kube: Client):
    await kube.apply(deployment("v1"))
    before = await kube.get(DEPLOYMENT)
    await kube.apply(deployment("v2"))
    body = deployment("v3")
    body["metadata"] |= {key: before["metadata"][key] for key in ("uid", "resourceVersion")}

    refused = await kube.apply(body, force=True)

    assert (refused.code, refused["reason"]) == (409, "Conflict")
    assert "the object has been modified" in refused["message"]
    assert "causes" not in refused["details"]


async def test_the_uid_of_a_deleted_object_is_a_conflict_and_no_resurrection(kube: Client):
    await kube.apply(deployment("v1"))
    before = await kube.get(DEPLOYMENT)
    await kube.request("DELETE", DEPLOYMENT)
    body = deployment("v2")
    body["metadata"] |= {key: before["metadata"][key] for key in ("uid", "resourceVersion")}

    refused = await kube.apply(body, force=True)

    assert refused.code == 409
    assert (await kube.get(DEPLOYMENT)).code == 404


async def test_a_resource_version_without_uid_creates_a_deleted_object_again(kube: Client):
    await kube.apply(deployment("v1"))
    before = await kube.get(DEPLOYMENT)
    await kube.request("DELETE", DEPLOYMENT)
    body = deployment("v2")
    body["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"]

    assert (await kube.apply(body)).code == 201


async def test_a_dry_run_answers_as_if_and_stores_nothing(kube: Client):
    created = await kube.apply(deployment("v1"), dryRun="All")
    missing = await kube.get(DEPLOYMENT)
    await kube.apply(deployment("v1"))
    changed = await kube.apply(deployment("v2"), dryRun="All")

    assert created.code == 201
    assert missing.code == 404
    assert image(changed).endswith(":v2")
    assert image(await kube.get(DEPLOYMENT)).endswith(":v1")


async def test_an_apply_into_a_missing_namespace_is_not_found(kube: Client):
    path = "/apis/apps/v1/namespaces/nowhere/deployments/web"
    queries: list[dict[str, Any]] = [{}, {"dryRun": "All"}]
    for query in queries:
        answer = await kube.apply_json(path, deployment("v1"), **query)
        assert (answer.code, answer["reason"]) == (404, "NotFound")
        assert answer["message"] == 'namespaces "nowhere" not found'


async def test_a_misspelt_field_is_named_under_strict_validation(kube: Client):
    body = deployment("v1")
    body["spec"]["template"]["spec"]["containers"][0]["imagee"] = "x"
    refused = await kube.apply(body, fieldValidation="Strict")

    assert (refused.code, refused["reason"]) == (400, "BadRequest")
    assert 'unknown field "spec.template.spec.containers[0].imagee"' in refused["message"]


async def test_the_selector_cannot_be_changed(kube: Client):
    await kube.apply(deployment("v1"))
    body = deployment("v1", selector={"matchLabels": {"app": "web2"}})
    body["spec"]["template"]["metadata"]["labels"] = {"app": "web2"}
    refused = await kube.apply(body)

    assert refused.code == 422
    assert refused["message"] == (
        'Deployment.apps "web" is invalid: spec.selector: Invalid value: '
        '{"matchLabels":{"app":"web2"}}: field is immutable'
    )


async def test_the_data_of_an_immutable_secret_stays(kube: Client):
    secret = {"apiVersion": "v1", "kind": "Secret", "immutable": True, "data": {"A": "MQ=="}}
    await kube.apply_json(SECRET, secret)
    same = await kube.apply_json(SECRET, secret)
    refused = await kube.apply_json(SECRET, {**secret, "data": {"A": "Mg=="}})

    assert same.code == 200
    assert (refused.code, refused["reason"]) == (422, "Invalid")
    assert refused["details"]["causes"][0]["field"] == "data"


async def test_an_apply_needs_a_field_manager(kube: Client):
    answer = await kube.request("PATCH", DEPLOYMENT, deployment("v1"), "application/apply-patch+yaml")

    assert answer.code == 422
    assert answer["details"]["causes"][0]["field"] == "fieldManager"


async def test_a_put_with_an_old_version_is_a_conflict(kube: Client):
    await kube.apply(deployment("v1"))
    old = await kube.get(DEPLOYMENT)
    await kube.apply(deployment("v2"))
    old.pop("_text")
    refused = await kube.request("PUT", DEPLOYMENT, old)

    assert (refused.code, refused["reason"]) == (409, "Conflict")


async def test_an_empty_apply_hands_out_somebody_elses_secret(kube: Client):
    secret = {"metadata": {"name": "env"}, "stringData": {"A": "1"}}
    await kube.request("POST", "/api/v1/namespaces/shop/secrets", secret)

    answer = await kube.apply_json(SECRET, {"apiVersion": "v1", "kind": "Secret"})

    assert answer["data"] == {"A": "MQ=="}


async def test_min_ready_seconds_alone_make_no_new_replica_set(kube: Client):
    await kube.apply(deployment("v1", 1))
    await kube.complete()
    changed = await kube.apply(deployment("v1", 1, minReadySeconds=1))
    await kube.complete()

    assert changed["metadata"]["generation"] == 2
    sets = await kube.items("/apis/apps/v1/namespaces/shop/replicasets")
    assert [each["spec"]["minReadySeconds"] for each in sets] == [1]


async def test_a_status_apply_keeps_to_the_status(kube: Client):
    await kube.apply(deployment("v1", 1))
    before = await kube.complete()
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "status": {"collisionCount": 3}}
    answer = await kube.apply_json(f"{DEPLOYMENT}/status", {**body, "spec": {"replicas": 9}}, "other")

    assert answer["status"]["collisionCount"] == 3
    assert answer["spec"]["replicas"] == 1
    assert answer["metadata"]["generation"] == before["metadata"]["generation"]


async def test_a_body_of_another_kind_or_name_is_a_bad_request(kube: Client):
    kind = await kube.apply({**deployment("v1"), "kind": "StatefulSet"})
    body = deployment("v1")
    body["metadata"]["name"] = "other"
    name = await kube.apply(body)
    booked = await kube.apply({**deployment("v1"), "metadata": {"name": "web", "managedFields": [{}]}})
    media = await kube.request("PATCH", DEPLOYMENT, [], "application/json-patch+json")

    assert [kind.code, name.code, booked.code] == [400, 400, 400]
    assert media.code in {400, 415}
