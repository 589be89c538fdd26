"""A release becomes objects that are the same every time and can hurt nobody."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from core.cluster.bundling import canonical
from core.cluster.labels import namespace_name
from core.errors import Invalid
from core.policy.authorization import Rules
from core.records.bundle import BundleService, Ref
from tests.core.cluster.rendering.samples import ANY_IMAGE, bundle, container, hold, one

EXAMPLES = Path(__file__).parents[4] / "examples"
PLAIN = "services:\n  web:\n    port: 3000\n"


def web(keys: str, **arguments: Any):
    indented = "\n".join(f"    {line}" for line in keys.splitlines())
    return bundle(f"services:\n  web:\n{indented}\n", **arguments)


def spec(keys: str, **arguments: Any):
    return one(web(keys, **arguments), "Deployment")["spec"]


@pytest.mark.parametrize(
    ("app", "number", "name"), [("myapp", 0, "myapp"), ("myapp", 2, "myapp-mailer"), ("store", 0, "store")]
)
def test_the_examples_render_as_reviewed(app: str, number: int, name: str):
    builds = yaml.safe_load((EXAMPLES / "releases.yml").read_text(encoding="utf-8"))["apps"][app]["builds"]
    values: dict[str, str] = {}
    for build in builds[: number + 1]:
        values |= build.get("environment", {})
    build = builds[number]

    hold(
        bundle(
            (EXAMPLES / build["manifest"]).read_text(encoding="utf-8"),
            app=app,
            environment=values,
            images=build["images"],
            description=build["description"],
        ),
        name,
    )


def test_every_key_together_renders_as_reviewed():
    hold(
        bundle(
            """
            environment: [MODE=fast, TOKEN]
            labels: {team: shop}
            services:
              web:
                image: registry.example/shop/web:1
                command: bin/web --bind 0.0.0.0
                port: https:3000
                ports: [9090, 53/udp]
                health: {path: /ready, grace: 3, interval: 4, timeout: 2}
                liveness: {path: /alive, grace: 20, interval: 10, timeout: 3, failureThreshold: 4}
                startupProbe: {tcpSocketPort: 3000, grace: 1, interval: 2, failureThreshold: 60}
                deployment: {minimum: 25, maximum: 110}
                scale: {count: 3, cpu: 100, memory: 256, limit: {cpu: 500, memory: 512}}
                termination: {grace: 45}
                init: false
                labels: {tier: front}
                annotations: [prometheus.io/scrape=true]
                lifecycle: {preStop: sleep 5, postStart: "sh -c 'echo up'"}
                nodeSelectorLabels: {example.com/disk: ssd}
                nodeAffinityLabels: [{weight: 10, label: example.com/zone, value: a}]
                dnsConfig: {ndots: 2}
              rpc:
                image: registry.example/shop/rpc:1
                port: grpc:50051
                grpcHealthEnabled: true
                labels: [tier=back]
            """,
            environment={"TOKEN": "hunter2", "MODE": "slow"},
            images={},
            rules=Rules(deadline=120, min_ready=8.5, settle=12),
        ),
        "every-key",
    )


def test_objects_come_in_the_order_in_which_they_are_applied():
    found = bundle("services:\n  web: {port: 1}\n  cache: {ports: [6379]}\n  api:\n")

    assert found.refs == (
        Ref("Secret", "env-api-rabcdefghij"),
        Ref("Secret", "env-cache-rabcdefghij"),
        Ref("Secret", "env-web-rabcdefghij"),
        Ref("Service", "cache"),
        Ref("Service", "web"),
        Ref("PodDisruptionBudget", "api"),
        Ref("PodDisruptionBudget", "cache"),
        Ref("PodDisruptionBudget", "web"),
        Ref("Deployment", "api"),
        Ref("Deployment", "cache"),
        Ref("Deployment", "web"),
    )


def test_a_count_is_in_no_object_and_the_verdict_knows_it():
    found = web("scale: 7")

    assert "replicas" not in json.dumps(found.objects)
    assert found.services == (
        BundleService(
            name="web", workload=Ref("Deployment", "web"), count=7, settle=15.0, soak=20.0, patience=75.0
        ),
    )


def test_the_selector_has_only_labels_that_never_change():
    found = one(bundle(PLAIN), "Deployment")
    chosen = found["spec"]["selector"]["matchLabels"]
    labels = found["spec"]["template"]["metadata"]["labels"]

    assert chosen == {
        "system": "convox",
        "rack": "convox",
        "app": "myapp",
        "service": "web",
        "type": "service",
    }
    assert chosen.items() <= labels.items()
    assert labels["release"] == "RABCDEFGHIJ"
    assert one(bundle(PLAIN), "Service")["spec"]["selector"] == chosen


def test_every_object_is_known_as_the_bots_own():
    for found in bundle(PLAIN).objects:
        assert found["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "convox-bot"
        assert found["metadata"]["namespace"] == namespace_name("convox", "myapp") == "convox-myapp"


def test_another_release_changes_the_pods_and_the_secret_but_not_the_service():
    one_, other = bundle(PLAIN), bundle(PLAIN, release="RZZZZZZZZZZ")

    assert one(one_, "Service") == one(other, "Service")
    assert one(one_, "Secret")["metadata"]["name"] != one(other, "Secret")["metadata"]["name"]
    assert one(one_, "Deployment")["spec"]["template"] != one(other, "Deployment")["spec"]["template"]
    assert one(one_, "Deployment")["spec"]["selector"] == one(other, "Deployment")["spec"]["selector"]


@pytest.mark.parametrize(
    ("keys", "surge", "unavailable"),
    [
        ("", "100%", "0%"),
        ("deployment: {minimum: 50}", "100%", "50%"),
        ("deployment: {minimum: 25, maximum: 110}", "10%", "75%"),
        ("deployment: {minimum: 0, maximum: 100}", "0%", "100%"),
        ("deployment: {minimum: 100, maximum: 100}", 1, 0),
    ],
)
def test_the_strategy_is_whole_and_never_nothing_at_all(keys: str, surge: object, unavailable: object):
    assert spec(keys)["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable},
    }


@pytest.mark.parametrize(
    ("keys", "seconds"),
    [
        ("port: 3000", 5),
        ("", 15),
        ("ports: [9000]", 15),
        ("port: 3000\nhealth: {disable: true}", 15),
        ("port: grpc:3000", 15),
        ("health: {port: 81}", 5),
    ],
)
def test_a_pod_without_a_readiness_probe_must_stay_up_longer(keys: str, seconds: int):
    assert spec(keys)["minReadySeconds"] == seconds


def test_the_policy_sets_the_patience_and_kubernetes_is_never_less_patient_than_a_start():
    assert spec("port: 1", rules=Rules(min_ready=0.5))["minReadySeconds"] == 1
    assert spec("port: 1")["progressDeadlineSeconds"] == 600
    assert spec("port: 1", rules=Rules(deadline=30))["progressDeadlineSeconds"] == 5 + 3 * 5 + 4 + 5 + 60
    assert spec("port: 1\nhealth: {grace: 700}")["progressDeadlineSeconds"] == 700 + 3 * 5 + 4 + 5 + 60
    assert spec("", rules=Rules(deadline=30))["progressDeadlineSeconds"] == 75
    assert spec("", rules=Rules(deadline=30, min_ready=600))["progressDeadlineSeconds"] == 660


LIVE = "port: 1\nliveness: "


@pytest.mark.parametrize(
    ("keys", "soak"),
    [
        ("port: 1", 20.0),
        (LIVE + "{path: /l}", 40.0),
        (LIVE + "{path: /l, grace: 1, interval: 1, timeout: 1, failureThreshold: 1}", 20.0),
        (LIVE + "{path: /l, grace: 60, interval: 10, timeout: 3, failureThreshold: 6}", 133.0),
    ],
)
def test_the_first_pods_run_for_long_enough_for_a_bad_liveness_check_to_show(keys: str, soak: float):
    assert web(keys).services[0].soak == soak
    assert web(keys).services[0].window == soak


@pytest.mark.parametrize(
    ("keys", "rules", "settle"),
    [
        ("port: 1", Rules(), 10.0),
        ("", Rules(), 15.0),
        ("port: 1", Rules(min_ready=30), 30.0),
        (LIVE + "{path: /l}", Rules(), 10.0),
        # No liveness check is made before the startup check has passed.
        (LIVE + "{path: /l}\nstartupProbe: {path: /s}", Rules(), 30.0),
    ],
)
def test_every_pod_stays_ready_for_ten_seconds_or_for_as_long_as_it_must_to_count(
    keys: str, rules: Rules, settle: float
):
    assert web(keys, rules=rules).services[0].settle == settle


def test_a_window_that_the_policy_names_runs_since_the_last_pod_became_ready():
    found = web(LIVE + "{path: /l}", rules=Rules(settle=3.0)).services[0]
    assert (found.settle, found.soak, found.window) == (3.0, 0.0, 3.0)


@pytest.mark.parametrize(
    ("keys", "patience"),
    [
        ("", 0 + 15 + 60),
        ("port: 1\nhealth: {grace: 700}", 700 + 15 + 4 + 5 + 60),
        (LIVE + "{path: /l, grace: 200}", 200 + 15 + 5 + 5 + 60),
        (
            "port: 1\nstartupProbe: {path: /s, grace: 1, interval: 2, timeout: 1, failureThreshold: 60}",
            122 + 5 + 60,
        ),
    ],
)
def test_a_start_is_given_what_its_checks_allow(keys: str, patience: float):
    assert web(keys).services[0].patience == patience


@pytest.mark.parametrize(
    ("keys", "rules", "numbers"),
    [
        (
            "port: 1\nhealth: {grace: 2976}",
            Rules(),
            "allow a start of 2995 s and its pods are then watched for 20 s",
        ),
        (
            LIVE + "{path: /l, grace: 40}",
            Rules(longest=100),
            "a start of 60 s and its pods are then watched for 70 s",
        ),
        ("port: 1", Rules(longest=40), "a rollout may take 40 s in all"),
        ("port: 1", Rules(settle=590.0, longest=600), "watched for 590 s"),
    ],
)
def test_times_that_no_rollout_could_meet_are_refused_with_the_numbers(keys: str, rules: Rules, numbers: str):
    with pytest.raises(Invalid, match=numbers):
        web(keys, rules=rules)


def test_probes_are_convox_probes():
    found = container(web("port: https:3000\nhealth: /h\nliveness: {path: /l}\nstartupProbe: {path: /s}"))

    assert found["readinessProbe"] == {
        "httpGet": {"path": "/h", "port": 3000, "scheme": "HTTPS"},
        "initialDelaySeconds": 5,
        "periodSeconds": 5,
        "timeoutSeconds": 4,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    assert found["livenessProbe"]["httpGet"] == {"path": "/l", "port": 3000, "scheme": "HTTPS"}
    assert found["startupProbe"]["httpGet"]["path"] == "/s"


def test_memory_is_limited_to_what_is_asked_for_and_cpu_only_where_the_manifest_says():
    assert container(web(""))["resources"] == {
        "requests": {"cpu": "250m", "memory": "512Mi"},
        "limits": {"memory": "512Mi"},
    }
    limited = container(web("scale: {cpu: 100, memory: 64, limit: {cpu: 200, memory: 128}}"))["resources"]
    assert limited["limits"] == {"cpu": "200m", "memory": "128Mi"}


def test_a_pod_has_no_rights_it_was_not_given():
    pod = spec("port: 1")["template"]["spec"]

    assert pod["serviceAccountName"] == "default"
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
    assert pod["containers"][0]["securityContext"] == {"allowPrivilegeEscalation": False}


def test_a_command_becomes_arguments_and_without_one_the_image_keeps_its_own():
    assert container(web("command: bin/web 'a b'"))["args"] == ["bin/web", "a b"]
    assert "args" not in container(web(""))


def test_one_number_may_serve_tcp_and_udp_under_two_names():
    found = web("port: 3000\nports: [53, 53/udp]")

    names = [port["name"] for port in container(found)["ports"]]
    assert names == ["main", "port-53", "port-53-udp"]
    assert [port["name"] for port in one(found, "Service")["spec"]["ports"]] == names


def test_a_service_without_a_port_has_no_address():
    assert not [o for o in web("").objects if o["kind"] == "Service"]


def test_what_a_manifest_labels_cannot_hide_whose_the_pods_are():
    labels = spec("labels: {team: shop, example.com/tier: front}")["template"]["metadata"]["labels"]

    assert labels["team"] == "shop"
    assert labels["service"] == "web"


def test_a_build_without_an_image_for_a_service_cannot_be_rendered():
    """The environment may have given the manifest another service since the build was registered."""
    with pytest.raises(Invalid, match="build BABCDEFGHIJ has no image for web"):
        bundle(PLAIN, registered={})


def test_two_renderings_are_equal_to_the_last_character():
    first, second = (
        bundle(PLAIN, environment={"B": "1", "A": "2"}),
        bundle(PLAIN, environment={"A": "2", "B": "1"}),
    )

    assert first == second
    assert canonical(first.objects) == canonical(second.objects)
    assert first.digest == second.digest
    assert len(first.digest) == 64


def test_the_digest_tells_values_images_counts_and_windows_apart():
    found = {
        bundle(PLAIN).digest,
        bundle(PLAIN, environment={"A": "1"}).digest,
        bundle(PLAIN, images={"web": "registry.example/other:1"}).digest,
        bundle(PLAIN + "    scale: 2\n").digest,
        bundle(PLAIN, rules=Rules(settle=60.0)).digest,
        bundle(PLAIN, release="RZZZZZZZZZZ").digest,
        bundle(PLAIN, rack="other").digest,
    }

    assert len(found) == 7


def test_a_bundle_survives_being_stored_as_json():
    found = bundle(PLAIN, environment={"A": "ä\n"})

    assert tuple(json.loads(json.dumps(found.objects))) == found.objects


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z_][A-Z0-9_]{0,20}", fullmatch=True),
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=10, max_size=60).map(
            lambda text: f"\u00a7{text}\u00a7"
        ),
        max_size=5,
    )
)
def test_values_are_in_the_data_of_secrets_and_nowhere_else(values: dict[str, str]):
    found = bundle("services:\n  web: {port: 3000, command: run it}\n  worker:\n", environment=values)
    rest = canonical([{k: v for k, v in o.items() if k != "data"} for o in found.objects])

    assert "\u00a7" not in rest
    for secret in (o for o in found.objects if o["kind"] == "Secret"):
        assert secret["immutable"] is True
        kept = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
        assert values.items() <= kept.items()
    assert ANY_IMAGE in rest


def test_the_registered_image_wins_over_the_manifests():
    manifest = "services:\n  web: {image: nginx}\n"

    assert container(bundle(manifest, registered={}))["image"] == "nginx"
    assert container(bundle(manifest, registered={"web": ANY_IMAGE}))["image"] == ANY_IMAGE


@given(st.permutations(["api", "web", "worker", "cache"]), st.integers(0, 5))
def test_the_order_of_a_file_does_not_change_the_bundle(names: list[str], count: int):
    def of(order: list[str]):
        return bundle("services:\n" + "".join(f"  {name}: {{scale: {count}}}\n" for name in order))

    assert of(names) == of(sorted(names))
