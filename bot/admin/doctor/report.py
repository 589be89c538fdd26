"""What doctor prints: a line for each check, and under what is wrong the command that mends it."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.admin.doctor.check import HealthCheck, named

log = logging.getLogger(__name__)


# Kubernetes' own name of the file that tells a pod where it is.
NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def text(checks: Sequence[HealthCheck], pod: str = "") -> str:
    """Return the checks for people, what is wrong marked by a word.

    Args:
        checks: what was found.
        pod: the namespace of the pod in which doctor runs, "" elsewhere.
    """
    lines = [*(line for check in checks for line in _lines(check)), "", summary(checks)]
    if pod and any("convox-bot" in check.remedy for check in checks):
        lines.append(
            f"`convox-bot …` is typed as `kubectl exec -it -n {pod} deployment/convox-bot -- convox-bot …`, since this is its pod"
        )
    return "\n".join(lines)


def pod_namespace(environ: Mapping[str, str], file: Path = NAMESPACE_FILE) -> str:
    """Return the namespace of the pod that this runs in, "" where it runs in none."""
    if "KUBERNETES_SERVICE_HOST" not in environ:
        return ""
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _lines(check: HealthCheck) -> list[str]:
    if check.ok:
        return [f"ok     {check.name}" + (f" ({check.note})" if check.note else "")]
    return [f"wrong  {check.name}: {check.problem}", f"       → {check.remedy}"]


def summary(checks: Sequence[HealthCheck]) -> str:
    """Return how many are well, in a sentence."""
    wrong = [check.name for check in checks if not check.ok]
    about = named(list(dict.fromkeys(wrong)))
    if not wrong:
        return f"all {len(checks)} checks are ok"
    return f"{len(wrong)} of {len(checks)} checks found something: {about}"


def documents(checks: Sequence[HealthCheck]) -> list[dict[str, object]]:
    """Return the checks for programs."""
    return [
        {"check": each.name, "ok": each.ok, "problem": each.problem, "remedy": each.remedy, "note": each.note}
        for each in checks
    ]


def tell_log(checks: Sequence[HealthCheck]) -> None:
    """Say it at a start: one line where all is well, else one for each thing and how it is mended."""
    for check in checks:
        if not check.ok:
            log.warning("doctor: %s: %s → %s", check.name, check.problem, check.remedy)
    log.info("doctor: %s", summary(checks))
