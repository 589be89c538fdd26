"""What doctor prints: a line for each check, and under what is wrong the command that mends it."""

import logging
from collections.abc import Sequence

from bot.admin.doctor.check import HealthCheck

log = logging.getLogger(__name__)


def text(checks: Sequence[HealthCheck]) -> str:
    """Return the checks for people, what is wrong marked by a word."""
    return "\n".join([*(line for check in checks for line in _lines(check)), "", summary(checks)])


def _lines(check: HealthCheck) -> list[str]:
    if check.ok:
        return [f"ok     {check.name}" + (f" ({check.note})" if check.note else "")]
    return [f"wrong  {check.name}: {check.problem}", f"       → {check.remedy}"]


def summary(checks: Sequence[HealthCheck]) -> str:
    """Return how many are well, in a sentence."""
    wrong = [check.name for check in checks if not check.ok]
    about = ", ".join(dict.fromkeys(wrong))
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
