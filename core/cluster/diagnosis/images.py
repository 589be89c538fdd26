"""Why an image does not arrive: the runtime's texts, put into the order in which they must be asked.

containerd words missing credentials as "repository does not exist or may require authorization", so credentials
are asked before absence; and the event tells the cause up to a second before the status does.
"""

import re

from core.cluster.diagnosis.view import ContainerView, PodView, last
from core.records.observation import Diagnosis, DiagnosisKind

PULL_REASONS = frozenset(
    {
        "",
        "ContainerCreating",
        "PodInitializing",
        "ErrImagePull",
        "ImagePullBackOff",
        "ImageInspectError",
        "RegistryUnavailable",
    }
)
CREDENTIALS = re.compile(
    r"authorization failed|no basic auth credentials|insufficient_scope|pull access denied|failed to authorize"
    r"|\b401\b|\b403\b|unauthorized",
    re.IGNORECASE,
)
SCOPE = re.compile(r"insufficient_scope|pull access denied(?!.{0,300}no basic auth)", re.IGNORECASE)
PLATFORM = re.compile(r"no match for platform|no matching manifest for")
IMAGE_ABSENT = re.compile(
    r": not found$|manifest unknown|name unknown|repository does not exist", re.IGNORECASE
)
PULL_SECRET = re.compile(r"image pull secrets \(([^()]+)\)")
# What the registry or the way to it says; none of it is the app's fault, and Kubernetes keeps trying.
REGISTRY_BUSY = (
    (re.compile(r"429|toomanyrequests", re.IGNORECASE), "is rate limiting us (429 Too Many Requests)"),
    (re.compile(r"\b(5\d\d [A-Z][A-Za-z ]+)"), r"answers \1"),
    (re.compile(r"no such host"), "cannot be found: its name cannot be resolved"),
    (re.compile(r"connection refused"), "refuses connections"),
    (re.compile(r"x509|certificate"), "has a certificate that the node does not trust"),
    (re.compile(r"timeout|DeadlineExceeded|deadline exceeded", re.IGNORECASE), "does not answer"),
    (re.compile(r"no space left on device"), "sent more than the node's disk can hold"),
)


def find(service: str, pod: PodView, container: ContainerView) -> Diagnosis | None:
    """Explain a container whose image is not there; None where the image is not what it waits for."""
    if container.running or container.ended:
        return None
    return _bad_name(pod, container) or _never(pod, container) or _pull(service, pod, container)


def _bad_name(pod: PodView, container: ContainerView) -> Diagnosis | None:
    events = container.events_named("InspectFailed")
    if container.waiting.get("reason") != "InvalidImageName" and not events:
        return None
    text = events[-1].message if events else str(container.waiting.get("message", ""))
    why = text.rpartition("invalid reference format: ")[2] if "invalid reference format: " in text else ""
    fact = f'"{container.image}" is not a valid image name' + (f": {why}" if why else "")
    return pod.diagnosis(
        DiagnosisKind.IMAGE, fact, container=container, permanent=True, times=_times(container)
    )


def _never(pod: PodView, container: ContainerView) -> Diagnosis | None:
    if container.waiting.get("reason") != "ErrImageNeverPull" and not container.events_named(
        "ErrImageNeverPull"
    ):
        return None
    fact = f"image {container.image} is not on the node and imagePullPolicy is Never"
    return pod.diagnosis(
        DiagnosisKind.IMAGE, fact, container=container, permanent=True, times=_times(container)
    )


def _pull(service: str, pod: PodView, container: ContainerView) -> Diagnosis | None:
    if container.waiting.get("reason", "") not in PULL_REASONS:
        return None
    events = [e for e in container.events_named("Failed") if e.message.startswith("Failed to pull image")]
    text = events[-1].message if events else _from_status(container)
    if not text:
        return None
    kind, fact, permanent = _explain(service, pod, container, text)
    return pod.diagnosis(kind, fact, container=container, permanent=permanent, times=_times(container))


def _from_status(container: ContainerView) -> str:
    if container.waiting.get("reason") not in {"ErrImagePull", "ImagePullBackOff"}:
        return ""
    text = str(container.waiting.get("message", ""))
    # Before Kubernetes 1.32 a back-off did not carry its cause; "Back-off pulling image" alone explains nothing.
    return text if "ErrImagePull: " in text or not text.startswith("Back-off") else ""


def _explain(
    service: str, pod: PodView, container: ContainerView, text: str
) -> tuple[DiagnosisKind, str, bool]:
    """Return kind, sentence and whether it is final."""
    image, registry = container.image, registry_of(container.image)
    bare = _without_names(text, image)
    if CREDENTIALS.search(bare):
        return DiagnosisKind.PULL, _credentials(pod, image, registry, bare), False
    if PLATFORM.search(bare):
        fact = f"image {image} has no variant for the CPU of the node: build it for that one"
        return DiagnosisKind.IMAGE, fact, True
    if IMAGE_ABSENT.search(bare):
        fact = f"image {image} does not exist in the registry: no such repository or tag"
        return DiagnosisKind.IMAGE, fact, True
    for pattern, says in REGISTRY_BUSY:
        if found := pattern.search(bare):
            fact = f"the registry {registry} {found.expand(says)}; Kubernetes keeps trying"
            return DiagnosisKind.PULL, fact, False
    unknown = last(text.removeprefix(f'Failed to pull image "{image}": '), 200)
    return DiagnosisKind.PULL, f"{service} cannot pull image {image}: {unknown}", False


def _credentials(pod: PodView, image: str, registry: str, bare: str) -> str:
    lost = pod.events_named("FailedToRetrieveImagePullSecret")
    if lost and (secret := PULL_SECRET.search(lost[-1].message)):
        return f'the pull secret "{secret[1]}" does not exist, so {registry} refused the pull of {image}'
    if SCOPE.search(bare):
        repository = re.sub(r"(@.*|:[^/]*)$", "", image)
        return f"pull access denied for {repository}: the repository does not exist or needs credentials"
    return f"the registry {registry} refused the pull of {image}: credentials are missing or wrong"


def _without_names(text: str, image: str) -> str:
    """Take references and addresses out: their digits and words must not be read as the registry's answer."""
    return re.sub(r"https?://[^\s\"]+", "", text.replace(image, "")).strip()


def registry_of(image: str) -> str:
    """Return the host of a reference; one without a host is Docker Hub's."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def _times(container: ContainerView) -> int:
    tried = [e.count for e in container.events_named("Failed", "InspectFailed", "ErrImageNeverPull")]
    return max(tried, default=1)
