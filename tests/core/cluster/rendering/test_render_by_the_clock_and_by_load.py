"""What is rendered beside the workload of a service: its autoscaler, its budget, its timers; and who must not run twice."""

from typing import Any

import pytest

from core.records.bundle import Ref
from tests.core.cluster.rendering.samples import bundle, container, one

LABELS = {"system": "convox", "rack": "convox", "app": "myapp", "service": "web", "type": "service"}


def web(keys: str, rest: str = "") -> Any:
    indented = "\n".join(f"    {line}" for line in keys.splitlines())
    return bundle(f"services:\n  web:\n{indented}\n{rest}")


def kinds(found: Any) -> list[str]:
    return [each["kind"] for each in found.objects]


def test_an_autoscaler_holds_the_count_between_both_ends():
    found = web("scale: {count: 2-5, targets: {cpu: 70, memory: 90}}")
    scaler = one(found, "HorizontalPodAutoscaler")
    assert scaler["apiVersion"] == "autoscaling/v2"
    assert scaler["metadata"]["name"] == "web"
    assert scaler["spec"] == {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": 2,
        "maxReplicas": 5,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": name, "target": {"type": "Utilization", "averageUtilization": percent}},
            }
            for name, percent in (("cpu", 70), ("memory", 90))
        ],
    }
    (service,) = found.services
    assert (service.count, service.autoscaler) == (2, Ref("HorizontalPodAutoscaler", "web"))


def test_without_a_target_it_goes_by_cpu_as_kubernetes_would():
    (metric,) = one(web("scale: 1-3"), "HorizontalPodAutoscaler")["spec"]["metrics"]
    assert metric["resource"] == {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}


def test_one_number_has_none():
    found = web("scale: {count: 2, targets: {cpu: 70}}")
    assert "HorizontalPodAutoscaler" not in kinds(found)
    assert found.services[0].autoscaler is None


@pytest.mark.parametrize("keys", ["scale: 0", "scale: 1", "scale: 10"])
def test_a_drain_may_always_take_one_pod_and_any_that_is_not_ready(keys: str):
    spec = one(web(keys), "PodDisruptionBudget")["spec"]
    assert spec == {
        "maxUnavailable": 1,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
        "selector": {"matchLabels": LABELS},
    }


def test_the_pods_of_one_template_are_spread_over_zones_and_nodes():
    found = one(web("scale: 2"), "Deployment")["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in found] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]
    for each in found:
        assert each["whenUnsatisfiable"] == "ScheduleAnyway"
        assert each["labelSelector"] == {"matchLabels": LABELS}
        assert each["matchLabelKeys"] == ["pod-template-hash"]


def test_a_singleton_stops_before_it_starts():
    found = web("singleton: true\ntermination: {grace: 120}")
    assert one(found, "Deployment")["spec"]["strategy"] == {"type": "Recreate"}
    (service,) = found.services
    assert service.recreates
    other = web("singleton: false\ntermination: {grace: 120}").services[0]
    assert not other.recreates
    assert service.patience == other.patience + 120, "its old pods have their grace to stop"


TIMERS = """
timers:
  nightly: {schedule: 0 4 * * *, service: web, command: bin/clean --all, concurrency: replace}
  hourly: {schedule: 0 * * * *, service: web, parallelCount: 3, annotations: [example.com/note=x]}
"""


def test_timers_are_the_last_objects_and_each_is_one():
    found = web("port: 3000\nscale: 1-3", TIMERS)
    assert kinds(found)[-3:] == ["HorizontalPodAutoscaler", "CronJob", "CronJob"]
    assert [each["metadata"]["name"] for each in found.objects[-2:]] == ["timer-hourly", "timer-nightly"]


def test_a_timer_runs_its_command_once_with_what_its_service_has():
    found = web("port: 3000\nliveness: {path: /}\nlifecycle: {preStop: sleep 1}\ncommand: bin/web", TIMERS)
    cron = one(found, "CronJob", "timer-nightly")
    assert cron["metadata"]["labels"]["type"] == "timer"
    spec = cron["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == (
        "0 4 * * *",
        "Etc/UTC",
        "Replace",
    )
    job = spec["jobTemplate"]["spec"]
    assert job["backoffLimit"] == 0
    assert "completions" not in job
    pod = job["template"]
    labels = pod["metadata"]["labels"]
    assert labels["type"] == "timer", "a Service or a Deployment would take it for its own"
    assert (labels["name"], labels["service"], labels["release"]) == ("nightly", "web", "RABCDEFGHIJ")
    assert pod["spec"]["restartPolicy"] == "Never"
    assert "topologySpreadConstraints" not in pod["spec"]
    (main,) = pod["spec"]["containers"]
    served = container(found)
    assert main["args"] == ["bin/clean", "--all"]
    assert main["envFrom"] == served["envFrom"] == [{"secretRef": {"name": "env-web-rabcdefghij"}}]
    assert (main["image"], main["resources"], main["env"]) == (
        served["image"],
        served["resources"],
        served["env"],
    )
    assert not {"ports", "readinessProbe", "livenessProbe", "lifecycle"} & main.keys()


def test_each_process_of_a_run_of_several_knows_its_number():
    cron = one(web("port: 3000\ncommand: bin/web", TIMERS), "CronJob", "timer-hourly")
    job = cron["spec"]["jobTemplate"]["spec"]
    assert (job["completionMode"], job["completions"], job["parallelism"]) == ("Indexed", 3, 3)
    assert job["template"]["metadata"]["annotations"] == {"example.com/note": "x"}
    (main,) = job["template"]["spec"]["containers"]
    assert "args" not in main, "the image's own command"
    assert main["env"][-1]["name"] == "TIMER_INDEX"


def test_a_timer_of_a_service_that_runs_nothing_is_fine():
    assert "CronJob" in kinds(web("scale: 0", TIMERS))
