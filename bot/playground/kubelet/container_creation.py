"""What happens before a container's first run: its image is pulled, and what its environment needs is looked up."""

from collections.abc import Iterator
from typing import Any

from bot.playground.kubelet import texts
from bot.playground.kubelet.behaviour import Pull
from bot.playground.kubelet.container_timeline import FIRST_BACK_OFF, LONGEST_BACK_OFF, SYNC, Step, Teller


def pull(teller: Teller) -> Iterator[Step]:
    """Tell how the image comes to the node; if it cannot, that is told for ever."""
    image, always = teller.spec["image"], teller.spec.get("imagePullPolicy") == "Always"
    pull = teller.behaviour.pull
    if pull is not Pull.OK:
        yield from _pull_for_ever(teller, texts.pull_error(image, pull))
    elif teller.world.present(image) and not always:
        yield teller.step(0.0, teller.event("Pulled", texts.already_present(image)))
    else:
        yield teller.step(0.0, teller.event("Pulling", f'Pulling image "{image}"'))
        yield teller.step(0.15, teller.event("Pulled", texts.pulled(image)), pulled=image)


def _pull_for_ever(teller: Teller, cause: str) -> Iterator[Step]:
    """Try, back off, try again; each sync writes into the status what the sync before it found."""
    image = teller.spec["image"]
    failed = {"reason": "ErrImagePull", "message": cause}
    waiting = {
        "reason": "ImagePullBackOff",
        "message": f'Back-off pulling image "{image}": ErrImagePull: {cause}',
    }
    found: dict[str, str] | None = None
    delay, due, wait = FIRST_BACK_OFF, 0.0, 0.0
    while True:
        before, written = found, teller.state.state
        if found is not None:
            teller.state.state = {"waiting": found}
        changed = before is not None and teller.state.state != written
        if teller.elapsed + wait >= due:
            yield teller.step(wait, teller.event("Pulling", f'Pulling image "{image}"'), changed=changed)
            yield teller.step(
                0.06,
                teller.warning("Failed", f'Failed to pull image "{image}": {cause}'),
                teller.warning("Failed", "Error: ErrImagePull"),
            )
            found, due = failed, teller.elapsed + delay
            delay = min(delay * 2, LONGEST_BACK_OFF)
            wait = 0.35 if before is None else SYNC
        else:
            yield teller.step(
                wait,
                teller.event("BackOff", f'Back-off pulling image "{image}"'),
                teller.warning("Failed", "Error: ImagePullBackOff"),
                changed=changed,
            )
            found, wait = waiting, SYNC


def configure(teller: Teller) -> Iterator[Step]:
    """Tell how the container waits for a Secret or ConfigMap that is missing, until it is there."""
    missing = _missing(teller)
    if missing is None:
        return
    yield teller.step(0.01, teller.warning("Failed", f"Error: {missing}"))
    wait = 0.8
    while missing is not None:
        teller.state.state = {"waiting": {"reason": "CreateContainerConfigError", "message": missing}}
        yield teller.step(wait, changed=True)
        yield teller.step(0.04, teller.event("Pulled", texts.already_present(teller.spec["image"])))
        missing = _missing(teller)
        if missing is not None:
            yield teller.step(0.01, teller.warning("Failed", f"Error: {missing}"))
            wait = SYNC


def _missing(teller: Teller) -> str | None:
    for kind, key, ref in _references(teller.spec):
        if not ref.get("optional") and not teller.world.exists(kind, ref["name"]):
            return f'{key} "{ref["name"]}" not found'
    return None


def _references(spec: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what a container needs from its namespace before it can be made: kind, word and reference."""
    kinds = (("secretRef", "Secret", "secret"), ("configMapRef", "ConfigMap", "configmap"))
    for source in spec.get("envFrom") or []:
        for key, kind, word in kinds:
            if key in source:
                yield kind, word, source[key]
    keys = (("secretKeyRef", "Secret", "secret"), ("configMapKeyRef", "ConfigMap", "configmap"))
    for variable in spec.get("env") or []:
        for key, kind, word in keys:
            if key in (variable.get("valueFrom") or {}):
                yield kind, word, variable["valueFrom"][key]
