"""What the bot's objects are called and how they are known as its own; changing any of these orphans live objects."""

from collections.abc import Mapping

from core.manifest.resources import AppResource
from core.manifest.service import Service
from core.manifest.timers import Timer
from core.records.app import App
from core.records.release import Release

# Field managers (engine rules 19 and 20): who owns a field is told by these names.
FIELD_MANAGER = "convox-bot"
SCALE_MANAGER = "convox-bot-scale"
# Of its own, so that an apply of a release, in which no restart is noted, takes none away.
RESTART_MANAGER = "convox-bot-restart"
TOKEN_ANNOTATION = "convox.com/token"  # noqa: S105 — a fencing number, no secret
# Stands on what the bot has suspended itself, so that it is taken up again when a release has it again.
SUSPENDED_ANNOTATION = "convox.com/suspended"
MANAGED_LABEL = "app.kubernetes.io/managed-by"
# https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
NAME_LABEL = "app.kubernetes.io/name"
INSTANCE_LABEL = "app.kubernetes.io/instance"
VERSION_LABEL = "app.kubernetes.io/version"
PART_OF_LABEL = "app.kubernetes.io/part-of"
# What an object says of the promotion that applied it last; `kubectl rollout history` shows the cause.
PROMOTION_ANNOTATION = "convox-bot/promotion"
RELEASE_ANNOTATION = "convox-bot/release"
REQUESTER_ANNOTATION = "convox-bot/requested-by"
CHANGE_CAUSE_ANNOTATION = "kubernetes.io/change-cause"
# Written with each apply and part of no bundle: that one of them differs is no change of the object.
SENT_LABELS = frozenset({NAME_LABEL, INSTANCE_LABEL, VERSION_LABEL, PART_OF_LABEL})
SENT_ANNOTATIONS = frozenset(
    {PROMOTION_ANNOTATION, RELEASE_ANNOTATION, REQUESTER_ANNOTATION, CHANGE_CAUSE_ANNOTATION}
)
RELEASE_LABEL = "release"
SERVICE_LABEL = "service"
RESOURCE_LABEL = "resource"
CONTAINER = "main"
INIT_CONTAINER = "init"
# What the Deployment controller adds to the template of each replica set.
HASH_LABEL = "pod-template-hash"


def namespace_name(rack: str, app: str) -> str:
    """Return the namespace of an app, as in Convox."""
    return f"{rack}-{app}"


def secret_name(service: str, release: str) -> str:
    """Return the Secret of a service's environment; one a release, so that old pods never read new values."""
    return f"env-{service}-{release.lower()}"


def config_name(config: str, release: str) -> str:
    """Return the Secret of a file of the manifest; one a release, as that of an environment."""
    return f"cfg-{config}-{release.lower()}"


def registry_secret_name(service: str, release: str) -> str:
    """Return the Secret of the logins with which the images of a service are pulled."""
    return f"pull-{service}-{release.lower()}"


# The logins of the app itself; one for all releases, since a password that was changed is no good in any of them.
APP_REGISTRIES = "convox-bot-registries"


def timer_name(timer: Timer) -> str:
    """Return the name of a timer's CronJob, as in Convox."""
    return f"timer-{timer.name}"


def timer_labels(labels: Mapping[str, str], timer: Timer) -> dict[str, str]:
    """Return the labels of a timer's pod from those of its service's: another `type`, so that no Service finds it."""
    return {**labels, "type": "timer", "name": timer.name}


def match_labels(rack: str, app: App, service: Service) -> dict[str, str]:
    """Return the labels that never change; `type` keeps one-off processes out of the replica sets."""
    return {"system": "convox", "rack": rack, "app": app.name, SERVICE_LABEL: service.name, "type": "service"}


def own_labels(rack: str, app: App, service: Service, *, type_: str = "service") -> dict[str, str]:
    """Return the labels of an object of ours; `type_` is Convox's `type`."""
    return {**match_labels(rack, app, service), "type": type_, MANAGED_LABEL: FIELD_MANAGER}


def resource_match_labels(rack: str, app: App, resource: AppResource) -> dict[str, str]:
    """Return the labels of a resource that never change; those of no service are among them."""
    return {
        "system": "convox",
        "rack": rack,
        "app": app.name,
        "type": "resource",
        RESOURCE_LABEL: resource.name,
    }


def resource_labels(rack: str, app: App, resource: AppResource) -> dict[str, str]:
    """Return the labels of an object of a resource: none of a release, since it outlives them all (engine rule 29)."""
    return {**resource_match_labels(rack, app, resource), MANAGED_LABEL: FIELD_MANAGER}


def config_labels(rack: str, app: App) -> dict[str, str]:
    """Return the labels of a file of an app's manifest."""
    return {"system": "convox", "rack": rack, "app": app.name, "type": "config", MANAGED_LABEL: FIELD_MANAGER}


def registries_labels(rack: str, app: App) -> dict[str, str]:
    """Return the labels of the logins of an app."""
    return {
        "system": "convox",
        "rack": rack,
        "app": app.name,
        "type": "registry",
        MANAGED_LABEL: FIELD_MANAGER,
    }


def volume_labels(rack: str, app: App) -> dict[str, str]:
    """Return the labels of a disk of an app; several services may have it."""
    return {"system": "convox", "rack": rack, "app": app.name, "type": "volume", MANAGED_LABEL: FIELD_MANAGER}


def pod_labels(rack: str, app: App, service: Service, release: Release) -> dict[str, str]:
    """Return the labels of a pod: the manifest's, then Convox's, which select it and so cannot be overridden."""
    return {
        **dict(service.labels),
        **own_labels(rack, app, service),
        "name": service.name,
        RELEASE_LABEL: release.id,
    }
