"""Looking at what lies on this machine: the folder of the database, the policy, the certificate."""

from bot.admin.check import check_policy
from bot.admin.doctor.check import HealthCheck
from bot.admin.doctor.judgements import database as judge
from bot.admin.doctor.judgements.machine import judge_certificate, judge_disk
from bot.admin.doctor.judgements.policy import judge_policy, judge_pushes
from bot.admin.doctor.looks.database import DatabaseLook
from bot.http.certificate import CertificateError, CertificateFiles, CertificateRecord, read_certificate
from bot.settings import Settings
from core.clock import Clock
from core.errors import Invalid
from core.policy.authorization import Policy, parse_policy
from storage.filesystem import free_fraction


def database_checks(settings: Settings, look: DatabaseLook, *, starting: bool) -> list[HealthCheck]:
    """Judge the database, its keys and its disk; a start does not follow the whole audit."""
    path = settings.convox_database
    folder = path.resolve().parent
    if not folder.is_dir():
        remedy = f"mkdir -p {folder}"
        problem = f"there is no folder {folder} for CONVOX_DATABASE; in a pod, is the volume mounted there?"
        return [HealthCheck(name="database", problem=problem, remedy=remedy)]
    whole = judge.judge_database(look.error, look.size, look.cause)
    if look.missing:
        whole = HealthCheck(name="database", note=f"there is no {path} yet: `serve` makes it")
    app = next(iter(look.apps), "")
    return [
        whole,
        *([] if starting else [judge.judge_audit(look.chain.rows, look.chain.broken)]),
        judge.judge_keys(look.key_error, look.old_keys, look.key_cause),
        judge.judge_receivers(settings.convox_rack, look.receivers, app),
        judge_disk(str(folder), free_fraction(folder)),
    ]


def policy_check(settings: Settings) -> list[HealthCheck]:
    """Look at the policy file."""
    path = settings.convox_policy
    problems: tuple[str, ...] = ()
    readable = True
    if path is not None:
        try:
            problems = check_policy(path.read_text(encoding="utf-8")).problems
        except OSError as error:
            problems, readable = (f"{path} cannot be read: {error.strerror}",), False
        except UnicodeDecodeError as error:
            problems, readable = (f"{path} cannot be read: {error}",), False
    return [judge_policy(str(path or ""), problems, open_to_all=settings.convox_open, readable=readable)]


def read_policy(settings: Settings) -> Policy:
    """Return the policy of the file, an empty one where it cannot be read: that is told of as such."""
    try:
        text = settings.convox_policy.read_text(encoding="utf-8") if settings.convox_policy else ""
        return parse_policy(text, open_to_all=settings.convox_open)
    except (OSError, UnicodeDecodeError, Invalid):
        return Policy()


def push_checks(settings: Settings, database: DatabaseLook) -> list[HealthCheck]:
    """Look at the rules of pushes, where there are any."""
    rules = read_policy(settings).builds
    if not rules:
        return []
    known = None if database.missing or database.error else database.apps
    signed = settings.convox_github_webhook_secrets or settings.convox_gitlab_webhook_secrets
    return [judge_pushes({rule.app for rule in rules}, known, signed=bool(signed))]


def certificate_check(settings: Settings, clock: Clock) -> list[HealthCheck]:
    """Look at the certificate of the ports, where there is one."""
    certificate, key = settings.convox_tls_cert, settings.convox_tls_key
    if certificate is None or key is None:
        return []
    try:
        found: CertificateRecord | str = read_certificate(CertificateFiles(certificate=certificate, key=key))
    except CertificateError as error:
        found = str(error)
    return [judge_certificate(str(certificate), found, clock.now())]
