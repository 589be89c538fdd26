"""Timers: one CronJob each, whose pods are those of a service, but for their command and that they end."""

from collections.abc import Iterator

from core.cluster.documents import Document
from core.cluster.kinds.kind import MANAGE, Json, ManagedKind, Resource
from core.cluster.labels import RELEASE_LABEL, own_labels, timer_name
from core.cluster.rendering.input import RenderInput
from core.cluster.rendering.timer import timer_pod_template
from core.records.bundle import Bundle
from core.records.traits import Traits

# Convox's: a failed run is not tried again, and of those that are over one of each is kept to be looked at.
BACKOFF_LIMIT, HISTORY = 0, 1


def render(given: RenderInput) -> Iterator[Json]:
    """Yield the CronJob of each timer, by name; it runs in the image of the service that it names."""
    services = {service.name: service for service in given.services}
    for timer in sorted(given.manifest.timers, key=lambda timer: timer.name):
        service = services[timer.service]
        job: Json = {"backoffLimit": BACKOFF_LIMIT, "template": timer_pod_template(timer, service, given)}
        if timer.parallel > 1:
            job |= {"completionMode": "Indexed", "completions": timer.parallel, "parallelism": timer.parallel}
        yield {
            "apiVersion": "batch/v1",
            "kind": CRON_JOB.name,
            "metadata": {
                "name": timer_name(timer),
                "namespace": given.namespace,
                "labels": {
                    **own_labels(given.rack, given.app, service, type_="timer"),
                    RELEASE_LABEL: given.release.id,
                },
            },
            "spec": {
                "schedule": timer.schedule,
                "timeZone": "Etc/UTC",
                "concurrencyPolicy": timer.concurrency,
                "successfulJobsHistoryLimit": HISTORY,
                "failedJobsHistoryLimit": HISTORY,
                "jobTemplate": {"spec": job},
            },
        }


def brief(wanted: Document, _bundle: Bundle) -> str:
    """Return its schedule as it is written; it is UTC, as in Convox."""
    return f' "{wanted["spec"]["schedule"]}"'


CRON_JOB = ManagedKind(
    name="CronJob",
    resource=Resource("batch", "v1", "cronjobs"),
    rights={"": MANAGE},
    # Deleting one kills the run that goes on (engine rule 29).
    traits=Traits(counted=False, pruned=True, removed=True, after_verdict=True, suspended=True),
    render=render,
    brief=brief,
)
