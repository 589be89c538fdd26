"""Doctor against an emulated Slack, a simulated cluster, a real database and a registry; each thing is broken once."""

import re
import sqlite3
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.admin.doctor import examination
from bot.admin.doctor.examination import examine
from bot.admin.doctor.judgements.database import RESTORE
from bot.admin.doctor.looks import slack as slack_looks
from bot.admin.doctor.looks.database import look_at_database
from bot.admin.doctor.looks.slack import SlackAnswer, SlackLooks
from bot.admin.doctor.report import summary
from bot.clock import SystemClock
from bot.main import tell_health
from bot.oidc.discovery import issuer_readers
from bot.playground.cluster.simulated import SimulatedCluster
from bot.playground.slack.workspace import SlackWorkspace
from bot.settings import Settings, read_settings
from core.cluster.adapter import KubernetesCluster
from core.cluster.api.client import KubeClient
from core.cluster.api.credentials import from_document
from core.cluster.fencing import AppNamespace
from core.records.anchor import AuditHead
from core.records.app import App
from core.records.claim import Claim
from storage.audit import follow
from storage.keys import Keyring
from storage.store import open_store
from tests.bot.http.certificates import NOW, PrivateCa
from tests.bot.oidc.issuing import issuing, trusting
from tests.fakes import JumpingClock
from tests.storage.making import ALICE

POLICY = """\
roles:
  developer: [view, promote]
members:
  - who: [U01ALICE]
    roles: [developer]
"""


class Shifted(SystemClock):
    """This machine's clock, wrong by so much."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._shift = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._shift


@dataclass
class Ground:
    slack: SlackWorkspace
    cluster: SimulatedCluster
    environ: dict[str, str]
    registry: dict[str, int] = field(default_factory=lambda: {"status": 200})
    shift: float = 0.0

    async def look(self, **more: str):
        settings = read_settings(Settings, self.environ | more, None)
        checks = await examine(settings, Shifted(self.shift), kubeconfig=self.cluster.kubeconfig())
        return {check.name: check for check in checks}

    async def wrong(self, **more: str) -> dict[str, str]:
        found = await self.look(**more)
        return {name: check.problem for name, check in found.items() if not check.ok}


def source_of(ground):
    return from_document(ground.cluster.kubeconfig())


async def make_namespace(cluster, app):
    async with KubeClient(from_document(cluster.kubeconfig("admin")), clock=SystemClock()) as admin:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"convox-{app}"}}
        await admin.apply(AppNamespace("convox", app).itself, body, manager="kubectl", force=True)


@asynccontextmanager
async def registry_of(answer):
    async def v2(_request: web.Request) -> web.Response:
        headers = {"WWW-Authenticate": 'Basic realm="r"'} if answer["status"] == 401 else {}
        return web.Response(status=answer["status"], headers=headers)

    app = web.Application()
    app.router.add_get("/v2/", v2)
    async with TestServer(app) as server:
        yield f"127.0.0.1:{server.port}"


@pytest.fixture
async def ground(tmp_path):
    (tmp_path / "policy.yml").write_text(POLICY)
    slack = SlackWorkspace(SystemClock())
    await slack.start()
    key, path = Keyring.generate(), tmp_path / "convox.db"
    async with open_store(path, Keyring([key]), SystemClock()) as store, store.transaction() as tx:
        channel = slack.channel("deploys").id
        await tx.add_app(App(name="myapp", created_at=tx.now, created_by=ALICE, channel=channel))
        await tx.audit(ALICE, "app.create", "myapp", {})
    try:
        async with SimulatedCluster(SystemClock()) as cluster:
            await make_namespace(cluster, "myapp")
            answer = {"status": 200}
            async with registry_of(answer) as host:
                environ = {
                    "SLACK_BOT_TOKEN": slack.credentials.bot_token,
                    "SLACK_APP_TOKEN": slack.credentials.app_token,
                    "SLACK_API_URL": slack.api_url,
                    "CONVOX_KEYS": key,
                    "CONVOX_DATABASE": str(path),
                    "CONVOX_POLICY": str(tmp_path / "policy.yml"),
                    "CONVOX_REGISTRY": f"{host}/apps",
                    "CONVOX_BUILD_ADDRESS": "http://bot:3001",
                }
                yield Ground(slack, cluster, environ, answer)
    finally:
        await slack.stop()


async def test_where_nothing_is_wrong_every_check_is_ok_and_an_operator_reads_so(ground):
    found = await ground.look()

    assert {name for name, check in found.items() if not check.ok} == set()
    assert found.keys() == {
        *("database", "audit", "keys", "disk", "policy", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"),
        *("clock against Slack", "scopes", "channel of myapp", "cluster", "clock against the API server"),
        *("rights in convox-myapp", "rights in convox-builds", "router", "registry", "events for others"),
        *("anchor in convox-myapp", "audit against the cluster"),
    }
    assert summary(list(found.values())) == "all 19 checks are ok"


async def claim_of_another(ground, installation, token):
    """Let another bot, or this one since its backup, have promoted; return its client's adapter."""
    async with KubeClient(source_of(ground), clock=SystemClock()) as client:
        cluster = KubernetesCluster(client, rack="convox", clock=SystemClock())
        app = App(name="myapp", created_at=SystemClock().now(), created_by=ALICE)
        claim = Claim(installation=installation, token=token, promotion="PELSEWHERE0")
        await cluster.claim_anchor(app, claim)
        await cluster.keep_audit_head(app, claim, AuditHead(rows=900, hash="d" * 64))


async def test_an_anchor_that_refuses_and_an_audit_that_was_cut_back(ground):
    path = Path(ground.environ["CONVOX_DATABASE"])
    ours = (await look_at_database(path, [ground.environ["CONVOX_KEYS"]], whole=False)).installation
    await claim_of_another(ground, ours, 7)
    found = await ground.look()
    assert "newer number (7)" in found["anchor in convox-myapp"].problem
    assert found["anchor in convox-myapp"].remedy == "convox-bot adopt myapp"
    audit = found["audit against the cluster"]
    assert "when a promotion of myapp ended last it had 900 rows" in audit.problem
    assert audit.remedy.startswith("if a backup was restored: `convox-bot adopt myapp`")


async def test_a_namespace_of_another_installation(ground):
    await claim_of_another(ground, "f" * 32, 1)
    looked = await ground.look()
    assert looked["anchor in convox-myapp"].remedy == f"convox-bot adopt myapp --from {'f' * 32}"
    assert looked["audit against the cluster"].ok, "what its anchor remembers is another audit"


async def test_a_scope_that_is_missing(ground):
    context = ground.slack._context
    context.credentials = replace(context.credentials, scopes=context.credentials.scopes - {"users:read"})
    assert await ground.wrong() == {"scopes": "SLACK_BOT_TOKEN lacks users:read"}


async def test_tokens_that_slack_does_not_know(ground):
    found = await ground.wrong(SLACK_BOT_TOKEN="xoxb-wrong", SLACK_APP_TOKEN="xapp-wrong")
    assert found == {
        "SLACK_BOT_TOKEN": "Slack says invalid_auth",
        "SLACK_APP_TOKEN": "Slack says invalid_auth",
    }


async def test_a_slack_that_does_not_answer(ground):
    found = await ground.wrong(SLACK_API_URL="http://127.0.0.1:9/")
    assert found == {"SLACK_BOT_TOKEN": "Slack does not answer: ClientConnectorError"}
    await ground.slack.go_down("error")
    assert await ground.wrong() == {"SLACK_BOT_TOKEN": "Slack does not answer: HTTP 503"}


async def test_a_slack_that_hangs_is_left_after_a_time(ground, monkeypatch):
    monkeypatch.setattr(slack_looks, "SLACK_SECONDS", 0.05)
    ground.slack.fail_next("auth.test", "hang")
    assert await ground.wrong() == {"SLACK_BOT_TOKEN": "Slack does not answer within 0.05 s"}


async def test_a_slack_that_says_not_now_is_no_reason_for_another_token(ground):
    ground.slack.fail_next("apps.connections.open", 429, retry_after=30)
    looked = (await ground.look())["SLACK_APP_TOKEN"]
    assert looked.ok
    assert "look again in a minute" in looked.note
    ground.slack.fail_next("apps.connections.open", "missing_scope")
    assert "without connections:write" in (await ground.wrong())["SLACK_APP_TOKEN"]


async def test_something_else_that_answers_for_slack(ground):
    async with registry_of({"status": 200}) as host:
        found = await ground.wrong(SLACK_API_URL=f"http://{host}/")
    assert found["SLACK_BOT_TOKEN"].startswith("Slack does not answer: JSONDecodeError")

    async def hello(_request: web.Request) -> web.Response:
        return web.json_response(["hello"])

    app = web.Application()
    app.router.add_post("/auth.test", hello)
    async with TestServer(app) as server:
        found = await ground.wrong(SLACK_API_URL=f"http://127.0.0.1:{server.port}/")
    assert found == {"SLACK_BOT_TOKEN": "Slack does not answer: something else does"}


async def test_a_channel_that_the_bot_is_not_in(ground):
    ground.slack.remove("deploys", "convox")
    wrong = (await ground.look())["channel of myapp"]
    assert "the bot is not in" in wrong.problem
    assert "`/invite @convox`" in wrong.remedy
    ground.slack.invite("deploys", "convox")
    assert await ground.wrong() == {}


async def test_a_channel_that_was_archived_and_what_mends_it(ground):
    ground.slack.archive("deploys", "alice")
    assert "or it was archived" in (await ground.wrong())["channel of myapp"], "Slack has put the bot out"
    # Where it is left in, the channel can be read and takes nothing.
    ground.slack.invite("deploys", "convox")
    wrong = (await ground.look())["channel of myapp"]
    assert "is archived, so nothing can be posted there" in wrong.problem
    assert wrong.remedy.endswith("or unarchive it, then there: `/invite @convox`")
    ground.slack.unarchive("deploys", "alice")
    ground.slack.invite("deploys", "convox")
    assert await ground.wrong() == {}


async def test_clocks_that_differ(ground):
    ground.shift = 600.0
    found = await ground.wrong()
    assert found.keys() == {"clock against Slack", "clock against the API server"}
    assert all(re.search(r"(599|60[012]) s ahead of", problem) for problem in found.values()), found


async def test_a_right_that_is_missing_and_a_namespace_that_is(ground):
    ground.cluster.access.deny = lambda verb, resource, _namespace: (verb, resource) == ("get", "pods/log")
    looked = (await ground.look())["rights in convox-myapp"]
    assert looked.remedy == "kubectl apply -f deploy/rbac.yaml", "the role is bound, and lacks something"
    assert await ground.wrong() == {
        "rights in convox-myapp": "the bot may not get pods/log",
        "rights in convox-builds": "the bot may not get pods/log, so nothing is built",
    }
    ground.cluster.access.deny = None
    ground.environ["CONVOX_RACK"] = "prod"
    assert (await ground.wrong())["rights in prod-myapp"] == "there is no namespace prod-myapp"


async def test_a_cluster_that_does_not_answer(ground):
    ground.cluster.freeze_server()
    await ground.cluster.stop()
    assert "(get /version)" in (await ground.wrong())["cluster"]


async def test_a_router_that_is_not_there(ground):
    found = await ground.wrong(CONVOX_ROUTER="ingress:nginx", CONVOX_DOMAIN="apps.example.com")
    assert found == {"router": "the cluster has no IngressClass nginx, so nothing is reached from outside"}


@pytest.mark.parametrize(("status", "says"), [(401, "asks for a login"), (500, "answers HTTP 500")])
async def test_a_registry_that_refuses(ground, status, says):
    ground.registry["status"] = status
    found = await ground.wrong()
    assert list(found) == ["registry"]
    assert says in found["registry"]


async def test_a_registry_that_is_dead_and_one_that_takes_the_login_of_nobody(ground):
    assert "does not answer" in (await ground.wrong(CONVOX_REGISTRY="127.0.0.1:9/apps"))["registry"]
    ground.registry["status"] = 401
    account = {"CONVOX_REGISTRY_USER": "bot", "CONVOX_REGISTRY_PASSWORD": "secret"}
    said = (await ground.wrong(**account))["registry"]
    assert "does not take the login of bot" in said
    assert "secret" not in said


async def test_a_policy_that_is_bad_or_gone(ground, tmp_path):
    (tmp_path / "policy.yml").write_text("nonsense: 1\n")
    assert list(await ground.wrong()) == ["policy"]
    (tmp_path / "policy.yml").unlink()
    looked = (await ground.look())["policy"]
    assert looked.problem.endswith("policy.yml cannot be read: No such file or directory")
    assert "set CONVOX_POLICY to where it is" in looked.remedy
    (tmp_path / "policy.yml").write_bytes(b"\xff")
    assert "cannot be read: 'utf-8'" in (await ground.wrong())["policy"]


@asynccontextmanager
async def many_channels(clock, apps):
    """Give what looks at the channels of so many apps, the apps with their channels, and the workspace."""
    slack = SlackWorkspace(clock)
    await slack.start()
    try:
        environ = {
            "SLACK_BOT_TOKEN": slack.credentials.bot_token,
            "SLACK_APP_TOKEN": slack.credentials.app_token,
            "SLACK_API_URL": slack.api_url,
            "CONVOX_KEYS": Keyring.generate(),
            "CONVOX_OPEN": "1",
        }
        settings = read_settings(Settings, environ, None)
        linked = {f"app{number}": slack.channel("deploys").id for number in range(apps)}
        async with aiohttp.ClientSession() as session:
            yield SlackLooks(settings, session, clock), linked, slack
    finally:
        await slack.stop()


WHO = SlackAnswer(said={"user": "convox"})


async def test_channels_of_many_apps_are_all_asked_at_the_pace_that_slack_allows():
    clock = JumpingClock()
    async with many_channels(clock, 120) as (looks, linked, _):
        found = await looks.each_channel(linked, WHO)
        assert [each.name for each in found if each.problem or each.note] == []
        assert clock.monotonic() == 110 * 1.5
        # Whoever asked much just before has it wait, and it says nothing of that either.
        again = await looks.each_channel(linked, WHO)
        assert [each.name for each in again if each.problem or each.note] == []


async def test_in_a_hurry_as_many_are_asked_as_slack_lets_one_and_the_others_are_named():
    clock = JumpingClock()
    async with many_channels(clock, 120) as (looks, linked, _):
        found = await looks.some_channels(linked, WHO)
        assert [each.name for each in found if each.problem] == []
        assert len(found) == 41
        assert found[-1].note.startswith("those of app40, app41, app42, app43, app44 and 75 more were not")
        assert clock.monotonic() == 0, "it waits for nothing"


async def test_channels_that_hang_are_left_after_a_time_and_named(monkeypatch):
    monkeypatch.setattr(slack_looks, "CHANNEL_SECONDS", 0.1)
    async with many_channels(JumpingClock(), 3) as (looks, linked, slack):
        slack.fail_next("conversations.history", "hang", times=3)
        found = await looks.some_channels(linked, WHO)
    assert [each.problem for each in found] == [
        "no answer within 0.1 s, so nothing is known of channel of app0, channel of app1, channel of app2"
    ]


OIDC = """\
oidc:
  - {{name: web, issuer: {url}, audience: "https://bot.example.com", subject: "repo:acme/web:**"}}
  - {{name: gone, issuer: "https://127.0.0.1:1", audience: "https://bot.example.com", subject: "repo:acme/web:ref:refs/heads/main"}}
"""


async def test_jobs_of_ci_whose_issuer_is_away_or_that_may_nothing_and_rules_that_are_wide(
    ground, tmp_path, monkeypatch
):
    monkeypatch.setattr(examination, "issuer_readers", partial(issuer_readers, tls=trusting()))
    async with issuing() as issuer:
        rules = POLICY.replace("[U01ALICE]", '[U01ALICE, "oidc:web"]') + OIDC.format(url=issuer.url)
        (tmp_path / "policy.yml").write_text(rules)
        found = await ground.look()
    assert found["oidc:web"].ok
    assert found["oidc:web"].note.startswith("`repo:acme/web:**` takes jobs of more than one branch")
    assert found["oidc:gone"].problem.startswith("its jobs are let in and may nothing")
    assert found[f"issuer {issuer.url.removeprefix('https://')}"].ok
    assert found["issuer 127.0.0.1:1"].problem.startswith("https://127.0.0.1:1 does not answer")


async def test_pushes_that_no_webhook_tells_of_and_a_rule_of_no_app(ground, tmp_path):
    rules = "builds: [{repository: github.com/acme/shop, branch: main, app: ghost}]\n"
    (tmp_path / "policy.yml").write_text(POLICY + rules)
    assert "no webhook is taken" in (await ground.wrong())["builds by push"]
    found = await ground.wrong(CONVOX_GITLAB_WEBHOOK_SECRETS="a long secret of GitLab")
    assert found == {"builds by push": "builds: of the policy names what is no app: ghost"}


async def test_keys_that_do_not_fit_and_one_that_may_not_go_yet(ground):
    new = Keyring.generate()
    found = await ground.wrong(CONVOX_KEYS=new)
    assert "CONVOX_KEYS lacks a key that this database was written with" in found["keys"]
    kept = (await ground.look(CONVOX_KEYS=f"{new},{ground.environ['CONVOX_KEYS']}"))["keys"]
    assert kept.ok
    assert "until `convox-bot rekey` has run" in kept.note
    assert "is not a key" in (await ground.wrong(CONVOX_KEYS="no"))["keys"]


async def test_a_disk_that_is_full(ground, monkeypatch):
    monkeypatch.setattr("bot.admin.doctor.looks.files.free_fraction", lambda _path: 0.04)
    assert "4% of the disk" in (await ground.wrong())["disk"]


async def test_a_database_that_is_damaged_or_not_there_yet(ground, tmp_path):
    path = tmp_path / "convox.db"
    for companion in tmp_path.glob("convox.db-*"):
        companion.unlink()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * 4096 + content[8192:])
    said = (await ground.wrong())["database"]
    assert "damaged" in said
    assert "\n" not in said
    path.write_bytes(b"\0" * len(content))
    assert "its file is no SQLite database" in (await ground.wrong())["database"]
    path.write_bytes(b"")
    lost = (await ground.look())["database"]
    assert "is empty, but it held the records of installation" in lost.problem
    assert lost.remedy == RESTORE, "a start refuses, so it is not ok"
    path.unlink()
    assert "is empty, but it held" in (await ground.wrong())["database"]
    path.with_name("convox.db.lock").unlink()
    found = await ground.look()
    assert found["database"].ok
    assert "`serve` makes it" in found["database"].note
    found = await ground.wrong(CONVOX_DATABASE=str(tmp_path / "none" / "convox.db"))
    assert "there is no folder" in found["database"]


async def test_a_database_that_lacks_a_table_or_is_a_folder_is_said_and_nothing_breaks(ground, tmp_path):
    with sqlite3.connect(tmp_path / "convox.db") as connection:
        connection.execute("ALTER TABLE retention_marks RENAME TO gone")
    connection.close()
    looked = (await ground.look())["database"]
    assert looked.problem.endswith("cannot be read: OperationalError: no such table: retention_marks")
    assert RESTORE in looked.remedy
    assert "cannot be used" in (await ground.wrong(CONVOX_DATABASE=str(tmp_path)))["database"]


async def test_a_start_does_not_follow_the_whole_audit(ground, monkeypatch):
    path, keys = Path(ground.environ["CONVOX_DATABASE"]), [ground.environ["CONVOX_KEYS"]]
    followed = []

    async def following(session):
        followed.append(session)
        return await follow(session)

    monkeypatch.setattr("bot.admin.doctor.looks.database.follow", following)
    assert (await look_at_database(path, keys, whole=False)).error == ""
    assert followed == []
    assert (await look_at_database(path, keys, whole=True)).chain.rows > 0
    assert len(followed) == 1


async def test_an_audit_that_was_changed(ground, tmp_path):
    with sqlite3.connect(tmp_path / "convox.db") as connection:
        connection.execute("DROP TRIGGER audit_is_final")
        connection.execute("UPDATE audit SET subject = 'x'")
    connection.close()
    assert await ground.wrong() == {"audit": "row 1 was changed, or one before it is missing"}


async def test_a_start_says_it_in_the_log_and_takes_no_call_that_it_needs_itself(ground, caplog, monkeypatch):
    monkeypatch.setattr("bot.admin.cluster_source.from_environment", lambda _: source_of(ground))
    settings = read_settings(Settings, ground.environ | {"SLACK_BOT_TOKEN": "xoxb-wrong"}, None)
    with caplog.at_level("INFO"):
        await tell_health(settings, SystemClock())
    assert "doctor: SLACK_BOT_TOKEN: Slack says invalid_auth → copy the token anew" in caplog.text
    assert "found something: SLACK_BOT_TOKEN" in caplog.text
    assert "apps.connections.open" not in {call.method for call in ground.slack._context.calls}


async def test_a_certificate_of_the_ports_is_looked_at_where_there_is_one(ground, tmp_path):
    files = PrivateCa(tmp_path).pair(ends=NOW + timedelta(days=900))
    https = {"CONVOX_TLS_CERT": str(files.certificate), "CONVOX_BUILD_ADDRESS": "https://bot:3001"}
    assert "certificate" in await ground.look(CONVOX_TLS_KEY=str(files.key), **https)
    wrong = await ground.wrong(CONVOX_TLS_KEY=str(files.certificate), **https)
    assert wrong == {"certificate": f"{files.certificate} holds no private key in PEM"}
