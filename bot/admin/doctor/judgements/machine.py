"""What this machine has to have: room, the time, a certificate, and a registry that it reaches."""

from datetime import datetime

from bot.admin.doctor.check import ANEW, HealthCheck
from bot.http.certificate import CertificateRecord

# Slack refuses what it signed five minutes ago, and Kubernetes' tokens are young: half a minute is far from both.
MOST_SKEW_SECONDS = 30.0
# Under it nothing new starts (engine rule 16); under twice that somebody should know.
LEAST_FREE, LITTLE_FREE = 0.10, 0.20
# cert-manager renews when a third of the time is left, 30 of 90 days; who does it by hand needs some.
FEW_DAYS = 14


def judge_clock(whose: str, theirs: datetime | None, ours: datetime) -> HealthCheck:
    """Judge whether two clocks agree.

    Args:
        whose: the other one's.
        theirs: its time, None where it does not say.
        ours: at the same moment.
    """
    name = f"clock against {whose}"
    if theirs is None:
        return HealthCheck(name=name, note=f"{whose} does not say what time it is")
    skew = (ours - theirs).total_seconds()
    if abs(skew) <= MOST_SKEW_SECONDS:
        return HealthCheck(name=name)
    return HealthCheck(
        name=name,
        problem=f"this machine is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} {whose}",
        remedy="on this machine, in a cluster on the node: `timedatectl set-ntp true`",
    )


def judge_disk(path: str, free: float) -> HealthCheck:
    """Judge how much of the database's disk is free, 0 to 1."""
    if free >= LITTLE_FREE:
        return HealthCheck(name="disk")
    effect = "nothing new starts" if free < LEAST_FREE else f"under {LEAST_FREE:.0%} nothing new starts"
    # Not rounded up: 19.6 % is less than the 20 % that are asked for.
    return HealthCheck(
        name="disk",
        problem=f"{int(free * 100)}% of the disk of {path} is free, which should be {LITTLE_FREE:.0%}; {effect}",
        remedy=f"`du -xahd 1 {path}` names what lies there: backups and copies convox.db.schema-N can go; or enlarge the volume: "
        "`helm upgrade convox-bot deploy/chart -n convox-system --reuse-values --set persistence.size=10Gi`",
    )


def judge_certificate(where: str, found: CertificateRecord | str, now: datetime) -> HealthCheck:
    """Judge the certificate of the ports.

    Args:
        where: its file.
        found: what it says of itself, or why it cannot be used.
        now: this machine's time.
    """
    renew = (
        f"put a new one and its key in their place ({where}, or the Secret that it is mounted from): it is read within a "
        "minute, without a restart"
    )
    problem = found if isinstance(found, str) else found.why_not(now)
    if problem or isinstance(found, str):
        return HealthCheck(name="certificate", problem=problem, remedy=renew)
    days = (found.ends - now).days
    if days < FEW_DAYS:
        return HealthCheck(name="certificate", problem=f"{where} ends in {days} days", remedy=renew)
    names = ", ".join(found.names) or "no host"
    return HealthCheck(name="certificate", note=f"it is for {names}, and ends in {days} days")


def judge_registry(registry: str, error: str, address: str = "") -> HealthCheck:
    """Judge whether the registry that builds are pushed to answers and takes the login.

    Args:
        registry: the setting, "" where it is not set.
        error: what is wrong, "" where nothing is.
        address: where its API is.
    """
    if not registry:
        return HealthCheck(name="registry", note="CONVOX_REGISTRY is not set: images are built elsewhere")
    if not error:
        return HealthCheck(name="registry")
    login = "login" in error or "let" in error
    host = registry.partition("/")[0]
    remedy = (
        f"set CONVOX_REGISTRY_USER and CONVOX_REGISTRY_PASSWORD to what `docker login {host}` takes, {ANEW}"
        if login
        else f"`curl -v {address}` from this machine has to answer 200 or 401; if it is another registry, set CONVOX_REGISTRY, {ANEW}"
    )
    return HealthCheck(name="registry", problem=error, remedy=remedy)
