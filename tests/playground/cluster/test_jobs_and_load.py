"""CronJobs, Jobs and autoscalers of the simulated cluster, as their controllers make them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.playground.cluster.controllers.job import ended
from bot.playground.cluster.schedules import is_schedule, next_time, read_schedule
from tests.playground.cluster.client import DEPLOYMENT, EVENTS, PODS, Client, Document, deployment

CRON = "/apis/batch/v1/namespaces/shop/cronjobs"
JOBS = "/apis/batch/v1/namespaces/shop/jobs"
SCALERS = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"


@pytest.mark.parametrize(
    ("schedule", "due"),
    [
        ("* * * * *", "2026-01-01T12:31:00"),
        ("*/20 * * * *", "2026-01-01T12:40:00"),
        ("0 4 * * *", "2026-01-02T04:00:00"),
        ("@monthly", "2026-02-01T00:00:00"),
        ("0 0 * * mon", "2026-01-05T00:00:00"),
        ("30 5 1,15 * *", "2026-01-15T05:30:00"),
        ("0 0 13 * fri", "2026-01-02T00:00:00"),
        ("5/25 13-14 * jan-feb *", "2026-01-01T13:05:00"),
        ("@every 1h30m", "2026-01-01T14:00:10"),
    ],
)
def test_when_a_schedule_is_due(schedule: str, due: str):
    now = datetime(2026, 1, 1, 12, 30, 10, tzinfo=UTC)
    assert is_schedule(schedule)
    assert next_time(schedule, now) == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "schedule", ["", "x", "* * * *", "60 * * * *", "* * * * 7", "5-1 * * * *", "*/0 * * * *"]
)
def test_what_is_no_schedule(schedule: str):
    assert read_schedule(schedule) is None
    assert not is_schedule(schedule)
    assert next_time(schedule, datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_a_day_that_never_comes():
    assert next_time("0 0 31 2 *", datetime(2026, 1, 1, tzinfo=UTC)) is None


def cron(image: str = "v1", schedule: str = "* * * * *", job: Any = None, **spec: Any) -> Document:
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": f"registry.example/{image}"}]}
    template = {"metadata": {"labels": {"app": "timer"}}, "spec": pod}
    return {
        "metadata": {"name": "tick"},
        "spec": {
            "schedule": schedule,
            "jobTemplate": {"spec": {"template": template, **(job or {})}},
            **spec,
        },
    }


async def jobs(kube: Client) -> list[Document]:
    return await kube.items(JOBS)


async def conditions(kube: Client) -> list[str]:
    return sorted(ended(job) for job in await jobs(kube) if ended(job))


async def test_a_due_schedule_makes_a_job_that_runs_its_pod_to_the_end(kube: Client):
    made = await kube.request("POST", CRON, cron())
    assert (made["spec"]["concurrencyPolicy"], made["spec"]["suspend"]) == ("Allow", False)

    await kube.until(lambda: conditions(kube), what="a job's end")
    (job,) = await jobs(kube)
    assert job["metadata"]["name"].startswith("tick-")
    assert job["metadata"]["ownerReferences"][0]["kind"] == "CronJob"
    assert (job["status"]["succeeded"], ended(job)) == (1, "Complete")
    (pod,) = await kube.items(PODS)
    assert pod["status"]["phase"] == "Succeeded"
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0
    last = (await kube.get(f"{CRON}/tick"))["status"]["lastScheduleTime"]
    assert last.endswith(":00Z")


async def test_a_run_that_fails_is_not_tried_again(kube: Client):
    await kube.request("POST", CRON, cron("crash", job={"backoffLimit": 0}))
    assert await kube.until(lambda: conditions(kube), what="a job's end") == ["Failed"]
    (pod,) = await kube.items(PODS)
    assert pod["status"]["phase"] == "Failed"


async def test_a_run_of_several_has_a_pod_for_each_number(kube: Client):
    job = {"completionMode": "Indexed", "completions": 3, "parallelism": 2}
    await kube.request("POST", CRON, cron(job=job))
    await kube.until(lambda: conditions(kube), what="a job's end")
    index = "batch.kubernetes.io/job-completion-index"
    assert sorted(p["metadata"]["annotations"][index] for p in await kube.items(PODS)) == ["0", "1", "2"]


async def test_one_that_is_suspended_starts_nothing_and_what_runs_is_told(kube: Client):
    await kube.request("POST", CRON, cron("slow"))

    async def active() -> Any:
        return (await kube.get(f"{CRON}/tick")).get("status", {}).get("active")

    (running,) = await kube.until(active, what="a running job")
    assert running["kind"] == "Job"
    patch = {"spec": {"suspend": True}}
    await kube.request("PATCH", f"{CRON}/tick", patch, "application/merge-patch+json")
    await kube.until(lambda: conditions(kube), what="the end of what runs")
    await kube.clock.sleep(130.0)
    assert len(await jobs(kube)) == 1
    assert not await active()


async def test_of_those_that_are_over_the_history_is_kept(kube: Client):
    await kube.request("POST", CRON, cron(successfulJobsHistoryLimit=1))
    seen: set[str] = set()

    async def three() -> bool:
        seen.update(job["metadata"]["name"] for job in await jobs(kube))
        return len(seen) >= 3

    await kube.until(three, 240.0, what="three runs")
    assert len([job for job in await jobs(kube) if ended(job)]) <= 2


@pytest.mark.parametrize(("policy", "at_most"), [("Forbid", 1), ("Replace", 1)])
async def test_what_happens_when_it_is_due_and_still_runs(kube: Client, policy: str, at_most: int):
    """A pod whose image never comes runs for ever."""
    await kube.request("POST", CRON, cron("notfound", concurrencyPolicy=policy))
    await kube.until(lambda: jobs(kube), what="the first run")
    await kube.clock.sleep(130.0)
    running = [j for j in await jobs(kube) if not ended(j) and "deletionTimestamp" not in j["metadata"]]
    assert len(running) == at_most


async def test_a_cron_job_that_goes_takes_its_jobs_and_their_pods_along(kube: Client):
    await kube.request("POST", CRON, cron("slow"))
    await kube.until(lambda: kube.items(PODS), what="a pod")
    await kube.request("DELETE", f"{CRON}/tick", {"propagationPolicy": "Background"})

    async def nothing() -> bool:
        return not await jobs(kube) and not await kube.items(PODS)

    await kube.until(nothing, what="everything gone")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"schedule": "never"}, "spec.schedule"),
        ({"concurrencyPolicy": "Sometimes"}, "spec.concurrencyPolicy"),
    ],
)
async def test_a_broken_cron_job_is_refused_with_the_field(kube: Client, changes: Document, field: str):
    refusal = await kube.request("POST", CRON, cron(**changes))
    assert (refusal.code, refusal["details"]["causes"][0]["field"]) == (422, field)


async def test_a_cron_job_runs_pods_that_end_and_its_name_leaves_room_for_theirs(kube: Client):
    body = cron()
    body["spec"]["jobTemplate"]["spec"]["template"]["spec"]["restartPolicy"] = "Always"
    body["metadata"]["name"] = "n" * 53
    refusal = await kube.request("POST", CRON, body)
    assert refusal.code == 422
    assert [cause["field"] for cause in refusal["details"]["causes"]] == [
        "metadata.name",
        "spec.jobTemplate.spec.template.spec.restartPolicy",
    ]


def scaler(low: int, high: int) -> Document:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    metric = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    return {
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": target,
            "minReplicas": low,
            "maxReplicas": high,
            "metrics": [{"type": "Resource", "resource": metric}],
        },
    }


async def replicas(kube: Client) -> int:
    return int((await kube.get(DEPLOYMENT))["spec"]["replicas"])


@pytest.mark.parametrize(("before", "after"), [(1, 2), (9, 5), (3, 3), (0, 0)])
async def test_a_count_is_kept_between_both_ends_but_0_is_left_alone(kube: Client, before: int, after: int):
    await kube.apply(deployment("v1", before))
    await kube.request("POST", SCALERS, scaler(2, 5))

    async def told() -> Any:
        return (await kube.get(f"{SCALERS}/web")).get("status", {}).get("conditions")

    found = {each["type"]: each for each in await kube.until(told, what="a status")}
    assert await replicas(kube) == after
    reason = "FailedGetResourceMetric" if before else "ScalingDisabled"
    assert (found["ScalingActive"]["status"], found["ScalingActive"]["reason"]) == ("False", reason)
    await kube.clock.sleep(20.0)
    assert [each["reason"] for each in await told()] == ["SucceededGetScale", reason]


@pytest.mark.parametrize(("low", "high", "field"), [(0, 5, "spec.minReplicas"), (5, 2, "spec.maxReplicas")])
async def test_a_broken_autoscaler_is_refused_with_the_field(kube: Client, low: int, high: int, field: str):
    refusal = await kube.request("POST", SCALERS, scaler(low, high))
    assert (refusal.code, refusal["details"]["causes"][0]["field"]) == (422, field)


def job(image: str = "v1", init: str = "", **spec: Any) -> Document:
    pod: Document = {"restartPolicy": "Never"}
    if init:
        pod["initContainers"] = [{"name": "init", "image": f"registry.example/{init}"}]
    pod["containers"] = [{"name": "main", "image": f"registry.example/{image}"}]
    template = {"metadata": {"labels": {"app": "once"}}, "spec": pod}
    return {"metadata": {"name": "once"}, "spec": {"template": template, "backoffLimit": 0, **spec}}


async def test_a_job_whose_init_container_fails_is_failed_and_its_words_are_kept(kube: Client):
    await kube.request("POST", JOBS, job(init="crash"))
    assert await kube.until(lambda: conditions(kube), what="a job's end") == ["Failed"]
    (pod,) = await kube.items(PODS)
    log = await kube.get(f"{PODS}/{pod['metadata']['name']}/log", container="init")
    assert "Traceback" in log["_text"]
    unstarted = await kube.get(f"{PODS}/{pod['metadata']['name']}/log", container="main")
    assert unstarted["message"].endswith("is waiting to start: PodInitializing")


async def test_a_job_that_may_make_no_pod_says_so_and_makes_it_when_it_may(kube: Client):
    quota = {"metadata": {"name": "builds"}, "spec": {"hard": {"pods": "0"}}}
    await kube.request("POST", "/api/v1/namespaces/shop/resourcequotas", quota)
    await kube.request("POST", JOBS, job())

    async def told() -> list[str]:
        return [each["message"] for each in await kube.items(EVENTS) if each["reason"] == "FailedCreate"]

    (said, *_) = await kube.until(told, what="an event")
    assert said.startswith('Error creating: pods "once-')
    assert "exceeded quota: builds, requested: pods=1, used: pods=0, limited: pods=0" in said
    await kube.request("DELETE", "/api/v1/namespaces/shop/resourcequotas/builds")
    assert await kube.until(lambda: conditions(kube), what="a job's end") == ["Complete"]


async def test_a_job_whose_time_is_over_is_failed_and_its_pod_goes(kube: Client):
    await kube.request("POST", JOBS, job("slow", activeDeadlineSeconds=5))
    assert await kube.until(lambda: conditions(kube), what="a job's end") == ["Failed"]
    (ended_job,) = await jobs(kube)
    assert ended_job["status"]["conditions"][0]["reason"] == "DeadlineExceeded"

    async def gone() -> bool:
        return not await kube.items(PODS)

    await kube.until(gone, what="the pod's end")
