"""What each look means, in the sentence that a person reads, with what mends it."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from bot.admin.audit import AppAuditHead
from bot.admin.doctor import judgements as judge
from bot.admin.doctor.judgements import HealthCheck
from bot.admin.doctor.report import documents, summary, text
from bot.command.parser import parse
from bot.http.certificate import CertificateRecord
from core.cluster.inspection import AccessRight, rights_of_an_app, rights_of_builds, router_paths
from core.ports.retention import DatabasePages
from core.records.anchor import AuditHead
from core.records.router import NO_ROUTER, Router
from tests.docs.pages import ROOT

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)
PATCH = AccessRight("patch", "apps", "deployments")
HEAD = AppAuditHead(app="myapp", head=AuditHead(rows=9, hash="e" * 64))


def held(days: int) -> CertificateRecord:
    return CertificateRecord(
        names=["bot.example"], begins=NOW - timedelta(days=90), ends=NOW + timedelta(days=days)
    )


CASES = [
    (judge.judge_scopes(judge.SCOPES | {"more"}), "", ""),
    (judge.judge_scopes(judge.SCOPES - {"chat:write"}), "SLACK_BOT_TOKEN lacks chat:write", "Reinstall"),
    (judge.judge_slack("SLACK_BOT_TOKEN", ""), "", ""),
    (judge.judge_slack("SLACK_BOT_TOKEN", "invalid_auth"), "Slack says invalid_auth", "Install App"),
    (judge.judge_slack("SLACK_APP_TOKEN", "invalid_auth"), "Slack says invalid_auth", "App-Level Tokens"),
    (judge.judge_slack("SLACK_APP_TOKEN", "does not answer: X"), "Slack does not answer: X", "reach slack.com"),
    (judge.judge_channel("myapp", "C1", ""), "", ""),
    (judge.judge_channel("myapp", "C1", "not_in_channel"), "the bot is not in C1", "/invite @convox"),
    (judge.judge_channel("myapp", "C1", "channel_not_found"), "no such channel", "/convox link myapp"),
    (judge.judge_channel("myapp", "C1", "is_archived"), "C1 is archived", "/convox link myapp"),
    (judge.judge_channel("myapp", "C1", "missing_scope"), "Slack says missing_scope", "Reinstall"),
    (judge.judge_channel("myapp", "C1", "ratelimited"), "", ""),
    (judge.judge_anchor("myapp", "convox-myapp", "", ""), "", ""),
    (judge.judge_anchor("myapp", "convox-myapp", "a newer number", ""), "a newer number", "adopt myapp"),
    (judge.judge_anchor("myapp", "convox-myapp", "another", "ff"), "another", "adopt myapp --from ff"),
    (judge.judge_heads((), ()), "", ""),
    (judge.judge_heads((HEAD,), ()), "", ""),
    (judge.judge_heads((HEAD,), (HEAD,)), "it had 9 rows", "convox-bot audit verify --cluster"),
    (judge.judge_rights("convox", "myapp", (), True), "", ""),
    (judge.judge_rights("convox", "myapp", (), None), "", ""),
    (
        judge.judge_rights("convox", "myapp", (), False),
        "there is no namespace convox-myapp",
        "convox-bot app-manifest myapp | kubectl apply -f -",
    ),
    (
        judge.judge_rights("prod", "myapp", (PATCH,), True),
        "the bot may not patch deployments",
        "CONVOX_RACK=prod convox-bot app-manifest myapp | kubectl apply -f -",
    ),
    (
        judge.judge_rights("convox", "myapp", (PATCH,) * 7, None),
        "patch deployments and 2 more",
        "app-manifest myapp",
    ),
    (judge.judge_build_rights("convox-builds", ()), "", ""),
    (judge.judge_build_rights("convox-builds", (PATCH,)), "nothing is built", "deploy/builds.yaml"),
    (judge.judge_build_rights("acme-builds", (PATCH,)), "nothing is built", "each namespace convox-builds in it is acme-builds"),
    (judge.judge_clock("Slack", NOW, NOW + timedelta(seconds=29)), "", ""),
    (judge.judge_clock("Slack", NOW, NOW + timedelta(seconds=600)), "600 s ahead of Slack", "timedatectl"),
    (judge.judge_clock("Slack", NOW, NOW - timedelta(seconds=40)), "40 s behind Slack", "timedatectl"),
    (judge.judge_clock("Slack", None, NOW), "", ""),
    (judge.judge_certificate("/tls.crt", held(90), NOW), "", ""),
    (judge.judge_certificate("/tls.crt", held(13), NOW), "/tls.crt ends in 13 days", "put a new one"),
    (judge.judge_certificate("/tls.crt", held(-1), NOW), "it has ended at 2027-01-30 12:00 UTC", "put a new one"),
    (judge.judge_certificate("/tls.crt", "/tls.crt cannot be read: x", NOW), "/tls.crt cannot be read", "read within a minute"),
    (judge.judge_disk("/data", 0.2), "", ""),
    (judge.judge_disk("/data", 0.15), "15% of the disk of /data is free, which should be 20%; under 10% nothing", "make room"),
    (judge.judge_disk("/data", 0.199), "19% of the disk", "make room"),
    (judge.judge_disk("/data", 0.05), "5% of the disk of /data is free, which should be 20%; nothing new starts", "make room"),
    (judge.judge_pushes({"shop"}, {"shop", "other"}, signed=True), "", ""),
    (judge.judge_pushes({"shop"}, None, signed=True), "", ""),
    (judge.judge_job_rule("web", "", given=True), "", ""),
    (judge.judge_job_rule("web", "", given=False), "its jobs are let in and may nothing", '"oidc:web" to who:'),
    (judge.judge_issuer("https://ci.example.com", "issuer", "", 2), "", ""),
    (judge.judge_issuer("https://ci.example.com/", "issuer", "", 0), "no key that can be used", "curl -v https://ci.example.com/.well"),
    (judge.judge_issuer("https://ci.example.com", "issuer", "it is away", 0), "it is away", "SSL_CERT_FILE"),
    (judge.judge_issuer("https://k.example.com", "cluster", "it signs as another", 0), "as another", "kubectl get --raw"),
    (judge.judge_pushes({"shop"}, {"shop"}, signed=False), "no webhook is taken", "CONVOX_GITHUB_WEBHOOK"),
    (judge.judge_pushes({"ghost"}, {"shop"}, signed=True), "no app: ghost", "/convox apps create ghost"),
    (judge.judge_router("ingress:nginx", {"IngressClass nginx": True}), "", ""),
    (judge.judge_router("ingress:nginx", {"IngressClass nginx": None}), "", ""),
    (judge.judge_router("none", {}), "", ""),
    (
        judge.judge_router("ingress:nginx", {"IngressClass nginx": False, "ClusterIssuer le": False}),
        "no IngressClass nginx and no ClusterIssuer le",
        "CONVOX_ROUTER is ingress:nginx",
    ),
    (judge.judge_registry("", ""), "", ""),
    (judge.judge_registry("r.host/apps", ""), "", ""),
    (judge.judge_registry("r.host/apps", "r.host does not answer (X)"), "does not answer", "curl -v https://r.host/v2/"),
    (judge.judge_registry("r.host", "r.host asks for a login"), "asks for a login", "CONVOX_REGISTRY_USER"),
    (judge.judge_policy("p.yml", (), open_to_all=False), "", ""),
    (judge.judge_policy("", (), open_to_all=True), "", ""),
    (judge.judge_policy("p.yml", ("line 1: a", "line 2: b"), open_to_all=False), "line 1: a (and 1 more)", "check --policy p.yml"),
    (judge.judge_policy("p.yml", ("line 1: a",), open_to_all=False), "line 1: a", "kill -HUP"),
    (judge.judge_policy("p.yml", ("line 1: a",), open_to_all=False), "line 1: a", "in a cluster apply it"),
    (judge.judge_database(""), "", ""),
    (judge.judge_database("its file is damaged"), "its file is damaged", "docs/operations.md"),
    (judge.judge_keys("", ()), "", ""),
    (judge.judge_keys("", ("0a",)), "", ""),
    (judge.judge_keys("CONVOX_KEYS lacks a key", ()), "CONVOX_KEYS lacks a key", "set CONVOX_KEYS"),
    (judge.judge_audit(3, None), "", ""),
    (judge.judge_audit(3, 4), "row 4 was changed", "convox-bot audit verify"),
    (judge.judge_receivers(()), "", ""),
    (judge.judge_receivers([("hooks.example.com", "2026-01-01T10:00", "503")]), "hooks.example.com has taken none since 2026-01-01 10:00 UTC: 503", "convox-bot webhooks list"),
    (judge.judge_receivers([("a", "2026-01-01T10:00", "503"), ("b", "2026-01-01T10:00", "1")]), "503 (and 1 more)", "webhooks remove"),
    (judge.judge_cluster(""), "", ""),
    (judge.judge_cluster("no answer"), "no answer", "kubectl"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "problem", "remedy"), CASES)
def test_what_is_wrong_is_said_with_what_mends_it(check: HealthCheck, problem: str, remedy: str):
    assert check.ok == (problem == "")
    assert problem in check.problem
    assert remedy in check.remedy
    assert bool(check.remedy) == (not check.ok), "nothing to mend where nothing is wrong"


def test_how_large_a_database_is_is_said_with_what_of_it_is_spare():
    pages = DatabasePages(size=4096, count=500_000, free=1000, shrinks=True)
    assert judge.judge_database("", judge.size_note(pages, 12345)).note == (
        "2,048.0 MB, 4.1 MB of it spare; 12,345 rows have aged"
    )
    assert "spare, which it cannot give back before a start" in judge.size_note(
        replace(pages, shrinks=False), 0
    )


def test_what_mends_it_in_slack_can_be_typed():
    typed = [each for check, *_ in CASES for each in re.findall(r"/convox ([^;]+)", check.remedy)]
    assert len(typed) > 2
    for words in typed:
        parse(words)


def test_the_scopes_are_those_of_the_app_manifest():
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == judge.SCOPES


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
        judge.judge_database("it is gone"),
    ]

    assert text(checks).splitlines() == [
        "ok     disk",
        "ok     audit (3 rows)",
        "wrong  database: it is gone",
        "       → docs/operations.md, `Degraded` and `After a restore`",
        "",
        "1 of 3 checks found something: database",
    ]
    assert summary(checks[:2]) == "all 2 checks are ok"
    assert documents(checks)[2]["remedy"] == "docs/operations.md, `Degraded` and `After a restore`"


def test_a_certificate_that_holds_says_for_whom_and_how_long():
    assert (
        judge.judge_certificate("/tls.crt", held(90), NOW).note
        == "it is for bot.example, and ends in 90 days"
    )
    nobody = CertificateRecord(names=[], begins=NOW, ends=NOW + timedelta(days=20))
    assert judge.judge_certificate("/tls.crt", nobody, NOW).note == "it is for no host, and ends in 20 days"
