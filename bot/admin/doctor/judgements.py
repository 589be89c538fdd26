"""What each look means: a pure function of what was seen, so that every sentence can be tested without what it is about."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.admin.audit import AppAuditHead, agreed, head_sentence
from bot.http.certificate import CertificateRecord
from bot.prefixes import typed
from core.cluster.inspection import AccessRight
from core.policy.oidc_rules import KeySource
from core.ports.retention import DatabasePages
from core.records.app import DEFAULT_RACK, adopt_command, namespace_command

# What manifest.yml asks for; a test compares.
SCOPES = frozenset(
    {
        *("app_mentions:read", "channels:history", "chat:write", "commands"),
        *("files:write", "groups:history", "usergroups:read", "users:read"),
    }
)
# Slack refuses what it signed five minutes ago, and Kubernetes' tokens are young: half a minute is far from both.
MOST_SKEW_SECONDS = 30.0
# Under it nothing new starts (engine rule 16); under twice that somebody should know.
LEAST_FREE, LITTLE_FREE = 0.10, 0.20
MOST_NAMED = 5
MEGABYTE = 1e6
# cert-manager renews when a third of the time is left, 30 of 90 days; who does it by hand needs some.
FEW_DAYS = 14
# How a probe begins to say that nobody answered.
SILENCE = "does not answer"
READ_AGAIN = "kill -HUP the bot, in a cluster apply it (docs/operations.md, `A change of settings`)"
REINSTALL = "paste manifest.yml at api.slack.com/apps → App Manifest, then Install App → Reinstall, and set SLACK_BOT_TOKEN anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """One thing that the bot needs.

    Attributes:
        name: what was looked at.
        problem: what is wrong with it, "" where nothing is.
        remedy: the command that mends it, or what a person has to do.
        note: what is worth knowing though nothing is wrong, such as that nobody could look.
    """

    name: str
    problem: str = ""
    remedy: str = ""
    note: str = ""

    @property
    def ok(self) -> bool:
        return not self.problem


def judge_scopes(granted: Collection[str]) -> HealthCheck:
    """Judge what the bot token may do in Slack."""
    missing = sorted(SCOPES - set(granted))
    problem = f"SLACK_BOT_TOKEN lacks {', '.join(missing)}" if missing else ""
    return HealthCheck(name="scopes", problem=problem, remedy=REINSTALL if missing else "")


def judge_slack(name: str, error: str) -> HealthCheck:
    """Judge whether Slack takes a token.

    Args:
        name: of the setting.
        error: Slack's word, or why it does not answer; "" where it does.
    """
    if not error:
        return HealthCheck(name=name)
    if error.startswith(SILENCE):
        remedy = "let this machine reach slack.com over HTTPS; SLACK_API_URL is for tests"
        return HealthCheck(name=name, problem=f"Slack {error}", remedy=remedy)
    where = {"SLACK_BOT_TOKEN": "Install App", "SLACK_APP_TOKEN": "Basic Information → App-Level Tokens"}
    return HealthCheck(
        name=name,
        problem=f"Slack says {error}",
        remedy=f"copy the token anew from api.slack.com/apps → {where[name]}, set {name}, and start again",
    )


def judge_channel(app: str, channel: str, error: str) -> HealthCheck:
    """Judge whether the bot is in the channel that an app is linked to.

    Args:
        app: its name.
        channel: its id.
        error: Slack's word to reading it, "" where it can be read.
    """
    name = f"channel of {app}"
    if not error:
        return HealthCheck(name=name)
    if error in {"not_in_channel", "channel_not_found"}:
        return HealthCheck(
            name=name,
            problem=f"the bot is not in {channel}, or there is no such channel",
            remedy=f"in that channel: /invite @convox; or link another: {typed(f'link {app}', 'slack')}",
        )
    if error == "is_archived":
        return HealthCheck(
            name=name,
            problem=f"{channel} is archived",
            remedy=f"in another channel: {typed(f'link {app}', 'slack')}",
        )
    if error == "ratelimited" or error.startswith(SILENCE):
        return HealthCheck(name=name, note="Slack did not say: look again in a minute")
    return HealthCheck(name=name, problem=f"{channel} cannot be read: Slack says {error}", remedy=REINSTALL)


def judge_rights(rack: str, app: str, missing: Sequence[AccessRight], exists: bool | None) -> HealthCheck:
    """Judge what the bot may do in the namespace of an app, which may not be there; None is that nobody may know."""
    name, remedy = f"rights in {rack}-{app}", namespace_command(rack, app)
    if exists is False:
        return HealthCheck(name=name, problem=f"there is no namespace {rack}-{app}", remedy=remedy)
    return (
        HealthCheck(name=name, problem=f"the bot may not {_named(missing)}", remedy=remedy)
        if missing
        else HealthCheck(name=name)
    )


def judge_build_rights(namespace: str, missing: Sequence[AccessRight]) -> HealthCheck:
    """Judge what the bot may do in the namespace of builds."""
    name = f"rights in {namespace}"
    if not missing:
        return HealthCheck(name=name)
    # The file is of a rack of the usual name.
    usual = f"{DEFAULT_RACK}-builds"
    other = f", once each namespace {usual} in it is {namespace}" if namespace != usual else ""
    return HealthCheck(
        name=name,
        problem=f"the bot may not {_named(missing)}, so nothing is built",
        remedy="kubectl apply -f deploy/builds.yaml" + other,
    )


def _named(missing: Sequence[AccessRight]) -> str:
    named = ", ".join(map(str, missing[:MOST_NAMED]))
    more = len(missing) - MOST_NAMED
    return f"{named} and {more} more" if more > 0 else named


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
        remedy="on this machine, in a cluster on the node: timedatectl set-ntp true",
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
        remedy=f"make room: du -xh --max-depth=1 {path}; or enlarge the volume",
    )


def judge_router(setting: str, parts: Mapping[str, bool | None]) -> HealthCheck:
    """Judge whether there is what the settings name as the router."""
    lacking = [name for name, there in parts.items() if there is False]
    unknown = [name for name, there in parts.items() if there is None]
    if lacking:
        return HealthCheck(
            name="router",
            problem=f"the cluster has no {' and no '.join(lacking)}, so nothing is reached from outside",
            remedy=f"install it, or name another one: CONVOX_ROUTER is {setting} (kubectl get ingressclass,gateway,clusterissuer -A)",
        )
    note = f"the bot may not look at {', '.join(unknown)}: kubectl get it yourself" if unknown else ""
    return HealthCheck(
        name="router", note=note or ("" if parts else "none: nobody outside reaches a service by a name")
    )


def judge_cluster(error: str) -> HealthCheck:
    """Judge whether the API server answers."""
    if not error:
        return HealthCheck(name="cluster")
    return HealthCheck(
        name="cluster",
        problem=error,
        remedy="kubectl --kubeconfig=$KUBECONFIG get --raw /version from this machine; is KUBECONFIG right? "
        "In a pod: deploy/network-policy.yaml has to name the API server's port",
    )


def judge_registry(registry: str, error: str) -> HealthCheck:
    """Judge whether the registry that builds are pushed to answers and takes the login."""
    if not registry:
        return HealthCheck(name="registry", note="CONVOX_REGISTRY is not set: images are built elsewhere")
    if not error:
        return HealthCheck(name="registry")
    login = "login" in error or "let" in error
    remedy = (
        "set CONVOX_REGISTRY_USER and CONVOX_REGISTRY_PASSWORD to what `docker login` takes there"
        if login
        else f"curl -v https://{registry.partition('/')[0]}/v2/ from this machine; is CONVOX_REGISTRY right?"
    )
    return HealthCheck(name="registry", problem=error, remedy=remedy)


def judge_policy(path: str, problems: Sequence[str], *, open_to_all: bool) -> HealthCheck:
    """Judge the policy file; "" is none."""
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return HealthCheck(
            name="policy",
            problem=f"{problems[0]}{more}",
            remedy=f"convox-bot check --policy {path}; mend it, then: {READ_AGAIN}",
        )
    note = "CONVOX_OPEN=1: every full member of the workspace and every token may do everything"
    return HealthCheck(name="policy", note=note if open_to_all else "")


def judge_pushes(built: Collection[str], apps: Collection[str] | None, *, signed: bool) -> HealthCheck:
    """Judge whether pushes are built as the policy says.

    Args:
        built: the apps that its rules name.
        apps: those that there are, None where nobody knows.
        signed: whether a secret of webhooks is set.
    """
    if not signed:
        return HealthCheck(
            name="builds by push",
            problem="the policy has pushes built, and no webhook is taken, since no secret of one is set",
            remedy="set CONVOX_GITHUB_WEBHOOK_SECRETS or CONVOX_GITLAB_WEBHOOK_SECRETS (docs/builds.md)",
        )
    missing = sorted(set(built) - set(apps)) if apps is not None else []
    if missing:
        return HealthCheck(
            name="builds by push",
            problem=f"builds: of the policy names what is no app: {', '.join(missing[:MOST_NAMED])}",
            remedy=f"{typed(f'apps create {missing[0]}', 'slack')}; or mend the rule, then: {READ_AGAIN}",
        )
    return HealthCheck(name="builds by push")


def judge_job_rule(name: str, width: str, *, given: bool) -> HealthCheck:
    """Judge a rule of tokens of CI.

    Args:
        name: of the rule.
        width: what it takes that somebody may not have meant, or "".
        given: whether its jobs may do anything.
    """
    if not given:
        return HealthCheck(
            name=f"oidc:{name}",
            problem="its jobs are let in and may nothing: no member of the policy is called so",
            remedy=f'add "oidc:{name}" to who: of a member in the policy file, then: {READ_AGAIN}',
        )
    return HealthCheck(name=f"oidc:{name}", note=width)


def judge_issuer(issuer: str, source: KeySource, error: str, keys: int) -> HealthCheck:
    """Judge whether an issuer of tokens of CI says its keys, and how many that can be used; `source`: who was asked for them."""
    name = f"issuer {issuer.removeprefix('https://')}"
    if not error and keys:
        return HealthCheck(name=name)
    remedies: Mapping[KeySource, str] = {
        "issuer": f"curl -v {issuer.rstrip('/')}/.well-known/openid-configuration from this machine; a private CA is trusted by SSL_CERT_FILE;"
        " of the bot's own cluster, keys: cluster in the rule",
        "cluster": "kubectl get --raw /.well-known/openid-configuration says as which issuer this cluster signs; the bot may ask it by the"
        " ClusterRole system:service-account-issuer-discovery, which every ServiceAccount has unless somebody took it away",
    }
    return HealthCheck(
        name=name,
        problem=error or "it names no key that can be used, so no token of its jobs is taken",
        remedy=remedies[source],
    )


def size_note(pages: DatabasePages, aged: int) -> str:
    """Return how large a database is, what of it holds nothing, and how many rows were deleted for their age."""
    size, spare = pages.count * pages.size / MEGABYTE, pages.free * pages.size / MEGABYTE
    stays = "" if pages.shrinks else ", which it cannot give back before a start with room to write it anew"
    return f"{size:,.1f} MB, {spare:,.1f} MB of it spare{stays}; {aged:,} rows have aged"


def judge_database(error: str, size: str = "") -> HealthCheck:
    """Judge whether the database can be opened and is whole; the sentence of an error says what to do."""
    if not error:
        return HealthCheck(name="database", note=size)
    return HealthCheck(
        name="database", problem=error, remedy="docs/operations.md, `Degraded` and `After a restore`"
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


def judge_keys(error: str, old: Sequence[str]) -> HealthCheck:
    """Judge whether the keys open what the database holds.

    Args:
        error: what is wrong, "" where nothing is.
        old: fingerprints of the keys that still open something and are not the newest.
    """
    if error:
        return HealthCheck(
            name="keys",
            problem=error,
            remedy="set CONVOX_KEYS to newest,…,oldest with every key that was used",
        )
    note = f"{', '.join(old)} must stay behind the newest until `convox-bot rekey` has run" if old else ""
    return HealthCheck(name="keys", note=note)


def judge_anchor(app: str, namespace: str, refused: str, owner: str) -> HealthCheck:
    """Judge whether the next promotion of an app may write.

    Args:
        app: its name.
        namespace: where it would.
        refused: why the anchor there would refuse it, "" where it would not.
        owner: the foreign installation that the namespace belongs to, "" where none.
    """
    name = f"anchor in {namespace}"
    return (
        HealthCheck(name=name, problem=refused, remedy=adopt_command(app, owner))
        if refused
        else HealthCheck(name=name)
    )


def judge_heads(heads: Sequence[AppAuditHead], unknown: Sequence[AppAuditHead]) -> HealthCheck:
    """Judge whether the audit is the one that the cluster remembers.

    Args:
        heads: what the anchors of the apps say.
        unknown: those of them that the database's audit never had.
    """
    name = "audit against the cluster"
    if not unknown:
        return HealthCheck(name=name, note=agreed(heads))
    return HealthCheck(
        name=name,
        problem="; ".join(map(head_sentence, unknown[:MOST_NAMED])),
        remedy="convox-bot audit verify --cluster, there and on a backup: who has written to the file?",
    )


def judge_receivers(failing: Sequence[tuple[str, str, str]]) -> HealthCheck:
    """Judge whether those who are told of events take them: whom not, since when (in UTC), and what they said last."""
    if not failing:
        return HealthCheck(name="events for others")
    who, since, answer = failing[0]
    more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
    return HealthCheck(
        name="events for others",
        problem=f"{who} has taken none since {since.replace('T', ' ')} UTC: {answer}{more}",
        remedy="convox-bot webhooks list; then webhooks test, or webhooks remove (docs/webhooks.md)",
    )


def judge_audit(rows: int, broken: int | None) -> HealthCheck:
    """Judge whether the chain of the audit is whole."""
    if broken is None:
        return HealthCheck(name="audit", note=f"{rows:,} rows")
    return HealthCheck(
        name="audit",
        problem=f"row {broken} was changed, or one before it is missing",
        remedy="convox-bot audit verify, there and on a backup: who has written to the file?",
    )
