"""What each look means, in the sentence that a person reads, with what mends it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from bot.admin.audit import AppAuditHead
from bot.admin.doctor import bounded
from bot.admin.doctor.check import HealthCheck
from bot.admin.doctor.judgements import cluster, database, machine, policy, slack
from bot.admin.doctor.judgements.database import EventReceiver
from bot.admin.doctor.report import documents, pod_namespace, summary, text
from bot.http.certificate import CertificateRecord
from core.cluster.inspection import AccessRight, rights_of_an_app, rights_of_builds, router_paths
from core.errors import Unavailable
from core.ports.retention import DatabasePages
from core.records.anchor import AuditHead
from core.records.router import NO_ROUTER, Router
from storage.errors import InvalidKey, KeyMismatch
from tests.docs.pages import ROOT

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)
PATCH = AccessRight("patch", "apps", "deployments")
HEAD = AppAuditHead(app="myapp", head=AuditHead(rows=9, hash="e" * 64))


def held(days: int) -> CertificateRecord:
    return CertificateRecord(
        names=["bot.example"], begins=NOW - timedelta(days=90), ends=NOW + timedelta(days=days)
    )


API = "https://slack.com/api/"
PASTE = slack.reinstall_sentence("/convox", by_http=False)
WEBHOOK = EventReceiver("WABCDEFGHIJ", "hooks.example.com", "2026-01-01T10:00", "503")


def channel(error: str, last: str = "", bot: str = "convox") -> HealthCheck:
    return slack.judge_channel("myapp", "C1", error, last=last, bot=bot, reinstall=PASTE)


def rights(
    rack: str, missing: tuple[AccessRight, ...], exists: bool | None, *, some: bool, who: str = ""
) -> HealthCheck:
    return cluster.judge_rights(rack, "myapp", missing, exists, some=some, identity=who)


CASES = [
    (slack.judge_scopes(slack.SCOPES | {"more"}, PASTE), "", ""),
    (slack.judge_scopes(slack.SCOPES - {"chat:write"}, PASTE), "SLACK_BOT_TOKEN lacks chat:write", "Reinstall"),
    (slack.judge_scopes((), slack.reinstall_sentence("/ship", by_http=False)), "lacks", "`convox-bot slack-manifest --command /ship` prints at"),
    (slack.judge_scopes((), slack.reinstall_sentence("/ship", by_http=True)), "lacks", "`convox-bot slack-manifest --command /ship --address https://HOST` prints, HOST being"),
    (slack.judge_slack("SLACK_BOT_TOKEN", "", API), "", ""),
    (slack.judge_slack("SLACK_APP_TOKEN", "ratelimited", API), "", ""),
    (slack.judge_slack("SLACK_BOT_TOKEN", "internal_error", API), "Slack is in trouble: internal_error", "slack-status.com"),
    (slack.judge_slack("SLACK_BOT_TOKEN", "invalid_auth", API), "Slack says invalid_auth", "Install App, set SLACK_BOT_TOKEN to it, and start again"),
    (slack.judge_slack("SLACK_APP_TOKEN", "invalid_auth", API), "Slack says invalid_auth", "App-Level Tokens, set SLACK_APP_TOKEN to it"),
    (slack.judge_slack("SLACK_APP_TOKEN", "missing_scope", API), "without connections:write", "generate another one with the scope connections:write"),
    (slack.judge_slack("SLACK_APP_TOKEN", "does not answer: X", API), "Slack does not answer: X", "`curl -v https://slack.com/api/api.test`"),
    (channel(""), "", ""),
    (channel("", "bot_message"), "", ""),
    (channel("not_in_channel"), "the bot is not in C1", "/invite @convox"),
    (channel("not_in_channel", bot="ship"), "or it was archived", "unarchived if it was: `/invite @ship`"),
    (channel("channel_not_found"), "no such channel", "/convox link myapp"),
    (channel("is_archived"), "C1 is archived, so nothing can be posted there", "/convox link myapp"),
    (channel("", "channel_archive"), "C1 is archived, so nothing can be posted there", "or unarchive it, then there: `/invite @convox`"),
    (channel("", "group_archive"), "C1 is archived", "in another channel: `/convox link myapp`"),
    (channel("missing_scope"), "Slack says missing_scope", "Reinstall"),
    (channel("ratelimited"), "", ""),
    (channel("internal_error"), "", ""),
    (slack.judge_channels_left(["a"]), "", ""),
    (cluster.judge_anchor("myapp", "convox-myapp", "", ""), "", ""),
    (cluster.judge_anchor("myapp", "convox-myapp", "a newer number", ""), "a newer number", "adopt myapp"),
    (cluster.judge_anchor("myapp", "convox-myapp", "another", "ff"), "another", "adopt myapp --from ff"),
    (database.judge_heads((), ()), "", ""),
    (database.judge_heads((HEAD,), ()), "", ""),
    (database.judge_heads((HEAD,), (HEAD,)), "it had 9 rows", "if a backup was restored: `convox-bot adopt myapp`; if none was"),
    (rights("convox", (), True, some=True), "", ""),
    (rights("convox", (), None, some=True), "", ""),
    (rights("convox", (), False, some=True), "there is no namespace convox-myapp", "convox-bot app-manifest myapp | kubectl apply -f -"),
    (rights("prod", (PATCH,), True, some=False), "the bot may not patch deployments", "`CONVOX_RACK=prod convox-bot app-manifest myapp | kubectl apply -f -`; where that changes nothing: `kubectl apply -f deploy/rbac.yaml`"),
    (rights("convox", (PATCH,), True, some=True), "the bot may not patch deployments", "kubectl apply -f deploy/rbac.yaml"),
    (rights("convox", (PATCH,) * 7, None, some=False), "patch deployments and 2 more", "app-manifest myapp"),
    (rights("convox", (PATCH,), True, some=False, who=cluster.DEFAULT_IDENTITY), "may not", "`convox-bot app-manifest myapp | kubectl apply -f -`;"),
    (rights("convox", (PATCH,), True, some=False, who="system:serviceaccount:ops:robot"), "may not", "`convox-bot app-manifest myapp --service-account robot --bot-namespace ops | kubectl apply -f -`;"),
    (rights("convox", (PATCH,), True, some=False, who="bob@example.com"), "may not", "since the bot is bob@example.com to the cluster: `kubectl create rolebinding convox-bot-user -n convox-myapp --clusterrole=convox-bot-app --user=bob@example.com`"),
    (cluster.judge_build_rights("convox", "builds", ()), "", ""),
    (cluster.judge_build_rights("convox", "builds", (PATCH,)), "nothing is built", "kubectl apply -f deploy/builds.yaml"),
    (cluster.judge_build_rights("acme", "builds", (PATCH,)), "nothing is built", "s/namespace: convox-builds/namespace: acme-builds/' deploy/builds.yaml | kubectl apply -f -"),
    (machine.judge_clock("Slack", NOW, NOW + timedelta(seconds=29)), "", ""),
    (machine.judge_clock("Slack", NOW, NOW + timedelta(seconds=600)), "600 s ahead of Slack", "timedatectl"),
    (machine.judge_clock("Slack", NOW, NOW - timedelta(seconds=40)), "40 s behind Slack", "timedatectl"),
    (machine.judge_clock("Slack", None, NOW), "", ""),
    (machine.judge_certificate("/tls.crt", held(90), NOW), "", ""),
    (machine.judge_certificate("/tls.crt", held(13), NOW), "/tls.crt ends in 13 days", "put a new one"),
    (machine.judge_certificate("/tls.crt", held(-1), NOW), "it has ended at 2027-01-30 12:00 UTC", "put a new one"),
    (machine.judge_certificate("/tls.crt", "/tls.crt cannot be read: x", NOW), "/tls.crt cannot be read", "read within a minute"),
    (machine.judge_disk("/data", 0.2), "", ""),
    (machine.judge_disk("/data", 0.15), "15% of the disk of /data is free, which should be 20%; under 10% nothing", "`du -xahd 1 /data` names what lies there"),
    (machine.judge_disk("/data", 0.199), "19% of the disk", "--set persistence.size=10Gi"),
    (machine.judge_disk("/data", 0.05), "5% of the disk of /data is free, which should be 20%; nothing new starts", "can go"),
    (policy.judge_pushes({"shop"}, {"shop", "other"}, signed=True), "", ""),
    (policy.judge_pushes({"shop"}, None, signed=True), "", ""),
    (policy.judge_job_rule("web", "", given=True), "", ""),
    (policy.judge_job_rule("web", "", given=False), "its jobs are let in and may nothing", '"oidc:web" to who:'),
    (policy.judge_issuer("https://ci.example.com", "issuer", "", 2), "", ""),
    (policy.judge_issuer("https://ci.example.com/", "issuer", "", 0), "no key that can be used", "curl -v https://ci.example.com/.well"),
    (policy.judge_issuer("https://ci.example.com", "issuer", "it is away", 0), "it is away", "SSL_CERT_FILE"),
    (policy.judge_issuer("https://k.example.com", "cluster", "it signs as another", 0), "as another", "kubectl get --raw"),
    (policy.judge_pushes({"shop"}, {"shop"}, signed=False), "no webhook is taken", "CONVOX_GITHUB_WEBHOOK"),
    (policy.judge_pushes({"ghost"}, {"shop"}, signed=True), "no app: ghost", "/convox apps create ghost"),
    (cluster.judge_router("ingress:nginx", {"IngressClass nginx": True}), "", ""),
    (cluster.judge_router("ingress:nginx", {"IngressClass nginx": None}), "", ""),
    (cluster.judge_router("none", {}), "", ""),
    (
        cluster.judge_router("ingress:nginx", {"IngressClass nginx": False, "ClusterIssuer le": False}),
        "no IngressClass nginx and no ClusterIssuer le",
        "CONVOX_ROUTER is ingress:nginx, and `kubectl get ingressclass -A` and `kubectl get clusterissuer -A` lists",
    ),
    (machine.judge_registry("", ""), "", ""),
    (machine.judge_registry("r.host/apps", ""), "", ""),
    (machine.judge_registry("r.host/apps", "r.host does not answer (X)", "https://r.host/v2/"), "does not answer", "curl -v https://r.host/v2/"),
    (machine.judge_registry("r.host", "r.host asks for a login"), "asks for a login", "CONVOX_REGISTRY_PASSWORD to what `docker login r.host` takes"),
    (policy.judge_policy("p.yml", (), open_to_all=False), "", ""),
    (policy.judge_policy("", (), open_to_all=True), "", ""),
    (policy.judge_policy("p.yml", ("line 1: a", "line 2: b"), open_to_all=False), "line 1: a (and 1 more)", "check --policy p.yml"),
    (policy.judge_policy("p.yml", ("line 1: a",), open_to_all=False), "line 1: a", "pkill -HUP -fx"),
    (policy.judge_policy("p.yml", ("line 1: a",), open_to_all=False), "line 1: a", "in a cluster apply it"),
    (policy.judge_policy("p.yml", ("p.yml cannot be read",), open_to_all=False, readable=False), "cannot be read", "set CONVOX_POLICY to where it is"),
    (database.judge_database(""), "", ""),
    (database.judge_database("it is damaged"), "it is damaged", "put the last backup in its place (docs/operations.md#after-a-restore)"),
    (database.judge_database("its disk gives errors", cause=Unavailable("x")), "its disk gives errors", "see to its disk (docs/operations.md#degraded)"),
    *((database.judge_database("no", cause=error("no")), "no", said) for error, said in database.REMEDIES.items()),
    (database.judge_keys("", ()), "", ""),
    (database.judge_keys("", ("0a",)), "", ""),
    (database.judge_keys("CONVOX_KEYS lacks a key", (), KeyMismatch("x")), "CONVOX_KEYS lacks a key", "set CONVOX_KEYS to newest,…,oldest"),
    (database.judge_keys("key 1 is not a key", (), InvalidKey("x")), "is not a key", "what `convox-bot keygen` printed"),
    (database.judge_audit(3, None), "", ""),
    (database.judge_audit(3, 4), "row 4 was changed", "`CONVOX_DATABASE=FILE convox-bot audit verify` calls whole"),
    (database.judge_receivers("convox", ()), "", ""),
    (database.judge_receivers("convox", [WEBHOOK]), "hooks.example.com has taken none since 2026-01-01 10:00 UTC: 503", "`convox-bot webhooks test WABCDEFGHIJ`"),
    (database.judge_receivers("convox", [WEBHOOK, WEBHOOK]), "503 (and 1 more)", "`convox-bot webhooks remove WABCDEFGHIJ`"),
    (database.judge_receivers("prod", [EventReceiver("kubernetes", "kubernetes", "2026-01-01T10:00", "403")], "myapp"), "kubernetes has taken none", "`CONVOX_RACK=prod convox-bot app-manifest myapp | kubectl apply -f -`"),
    (database.judge_receivers("convox", [EventReceiver("github", "github", "2026-01-01T10:00", "403")]), "github has taken none", "`/convox git add github.com -a myapp`"),
    (cluster.judge_cluster(""), "", ""),
    (cluster.judge_cluster("no\n  answer"), "no answer", "kubectl --kubeconfig=$KUBECONFIG get --raw /version"),
    (bounded._late(["channel of a"], 30.0), "no answer within 30 s, so nothing is known of channel of a", "convox-bot doctor"),
    (bounded._late(list("abcdefg"), 30.0), "nothing is known of a, b, c, d, e and 2 more", "convox-bot doctor"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "problem", "remedy"), CASES)
def test_what_is_wrong_is_said_with_what_mends_it(check: HealthCheck, problem: str, remedy: str):
    assert check.ok == (problem == "")
    assert problem in check.problem
    assert remedy in check.remedy


def test_what_is_wrong_cannot_be_said_without_what_mends_it():
    for given in ({"problem": "it is away"}, {"remedy": "convox-bot doctor"}):
        with pytest.raises(ValueError, match="what is wrong is said with what mends it"):
            HealthCheck(name="cluster", **given)


def test_what_nobody_could_look_at_says_how_it_is_looked_at():
    assert slack.judge_slack("SLACK_APP_TOKEN", "ratelimited", API).note == slack.LATER
    left = slack.judge_channels_left(list("abcdefg")).note
    assert left.startswith("those of a, b, c, d, e and 2 more were not looked at")
    assert "`convox-bot doctor --all`" in left
    gateway = cluster.judge_router(
        "gateway:infra/front", {"Gateway infra/front": None, "ClusterIssuer le": None}
    )
    assert (
        "look yourself, `kubectl get gateway front -n infra` and `kubectl get clusterissuer le`"
        in gateway.note
    )


def test_how_large_a_database_is_is_said_with_what_of_it_is_spare():
    pages = DatabasePages(size=4096, count=500_000, free=1000, shrinks=True)
    assert database.judge_database("", database.size_note(pages, 12345)).note == (
        "2,048.0 MB, 4.1 MB of it spare; 12,345 rows have aged"
    )
    assert "spare, which it cannot give back before a start" in database.size_note(
        replace(pages, shrinks=False), 0
    )


def test_the_scopes_are_those_of_the_app_manifest():
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == slack.SCOPES


def granted(file: str, name: str) -> set[AccessRight]:
    documents = yaml.safe_load_all((ROOT / "deploy" / file).read_text(encoding="utf-8"))
    (role,) = [each for each in documents if each["metadata"]["name"] == name and "rules" in each]
    return {
        AccessRight(verb, group, resource)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_rights_that_are_asked_for_are_those_that_deploy_grants():
    routers = [Router(kind="ingress", name="nginx"), Router(kind="gateway", name="a", namespace="b")]
    asked = {right for router in routers for right in rights_of_an_app(router)}
    assert asked == granted("rbac.yaml", "convox-bot-app")
    without = {right.resource for right in rights_of_an_app(NO_ROUTER)}
    assert not without & {"ingresses", "httproutes"}
    assert set(rights_of_builds()) <= granted("builds.yaml", "convox-bot-builds")


def test_what_a_router_consists_of():
    gateway = Router(kind="gateway", name="front", namespace="infra", issuer="le")
    assert list(router_paths(gateway)) == ["Gateway infra/front", "ClusterIssuer le"]
    assert list(router_paths(Router(kind="ingress", name="nginx"))) == ["IngressClass nginx"]
    assert router_paths(NO_ROUTER) == {}


def test_each_check_is_a_line_and_what_mends_it_stands_below():
    checks = [
        HealthCheck(name="disk"),
        HealthCheck(name="audit", note="3 rows"),
        database.judge_database("it is gone"),
    ]

    assert text(checks).splitlines() == [
        "ok     disk",
        "ok     audit (3 rows)",
        "wrong  database: it is gone",
        f"       → {database.RESTORE}",
        "",
        "1 of 3 checks found something: database",
    ]
    assert summary(checks[:2]) == "all 2 checks are ok"
    many = [bounded._late([str(number)], 9) for number in range(7)]
    assert summary(many).endswith("found something: 0, 1, 2, 3, 4 and 2 more")
    assert documents(checks)[2]["remedy"] == database.RESTORE


def test_in_the_pod_it_says_how_its_commands_are_typed_from_outside(tmp_path: Path):
    wrong, well = [bounded._late(["cluster"], 9)], [HealthCheck(name="disk")]
    typed = "`kubectl exec -it -n convox-system deployment/convox-bot -- convox-bot …`"
    assert typed in text(wrong, "convox-system").splitlines()[-1]
    assert typed not in text(wrong) + text(well, "convox-system")
    file = tmp_path / "namespace"
    pod = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    assert pod_namespace(pod, file) == ""
    file.write_text("convox-system\n")
    assert (pod_namespace(pod, file), pod_namespace({}, file)) == ("convox-system", "")


def test_a_certificate_that_holds_says_for_whom_and_how_long():
    assert (
        machine.judge_certificate("/tls.crt", held(90), NOW).note
        == "it is for bot.example, and ends in 90 days"
    )
    nobody = CertificateRecord(names=[], begins=NOW, ends=NOW + timedelta(days=20))
    assert machine.judge_certificate("/tls.crt", nobody, NOW).note == "it is for no host, and ends in 20 days"
