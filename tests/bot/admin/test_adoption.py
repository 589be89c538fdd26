"""`convox-bot adopt` between a real database and a simulated cluster: what it says, asks, does, and leaves alone."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pydantic import SecretStr

from bot.admin import adoption
from bot.admin.adoption import AdoptionRequest, adopt, described
from bot.admin.audit import AppAuditHead, agreed, verify
from bot.admin.operation_result import OperationResult
from bot.admin.settings import AdoptionSettings
from bot.cli.main import main
from bot.clock import SystemClock
from bot.playground.cluster.simulated import SimulatedCluster
from core.cluster.adapter import KubernetesCluster
from core.cluster.adoption import NamespaceAdopter
from core.cluster.api.client import KubeClient
from core.cluster.api.credentials import from_document
from core.errors import Busy, Conflict, Invalid, NotFound, Rejected, Unavailable
from core.promotion import Phase
from core.records.anchor import ADOPTED, Anchor, AuditHead
from core.records.claim import Claim
from storage.keys import Keyring
from storage.store import SqliteStore, open_store
from tests.core.lifecycle.test_adoption import THEIRS, planned, runs, state
from tests.storage.making import ALICE, make_promotion, seed

CLOCK = SystemClock()


@dataclass
class Place:
    """A namespace and a database that do not fit, and the operator before them."""

    store: SqliteStore
    cluster: KubernetesCluster
    adopter: NamespaceAdopter
    settings: AdoptionSettings
    kubeconfig: dict[str, Any]
    agrees: bool = True

    def __post_init__(self) -> None:
        self.told: list[str] = []
        self.asked: list[str] = []

    async def adopt(self, **more: Any) -> str:
        def confirm(question: str) -> bool:
            self.asked.append(question)
            return self.agrees

        request = AdoptionRequest(**({"app": "myapp"} | more))
        done = await adopt(
            self.settings, CLOCK, request, confirm=confirm, tell=self.told.append, kubeconfig=self.kubeconfig
        )
        assert done.facts == {
            "app": request.app,
            "namespace": "convox-myapp",
            "adopted": done.text.startswith("Adopting"),
        }
        return done.text

    async def claimed(self, installation: str, token: int, promotion: str = "PELSEWHERE0") -> None:
        claim = Claim(installation=installation, token=token, promotion=promotion)
        await self.cluster.claim_anchor(await self.store.read.app("myapp"), claim)

    async def anchor(self) -> Anchor:
        found = await self.adopter.anchor("myapp")
        assert found is not None
        return found

    async def rows(self) -> list[str]:
        rows = await self.store._database.reader.execute_fetchall("SELECT action FROM audit")
        return [row[0] for row in rows]


@asynccontextmanager
async def placed(folder):
    key, path = Keyring.generate(), folder / "convox.db"
    async with open_store(path, Keyring([key]), CLOCK) as store, SimulatedCluster(CLOCK) as simulated:
        await seed(store)
        async with KubeClient(from_document(simulated.kubeconfig()), clock=CLOCK) as client:
            cluster = KubernetesCluster(client, rack="convox", clock=CLOCK)
            assert await cluster.create_namespace("myapp") is None
            settings = AdoptionSettings(convox_database=path, convox_keys=(SecretStr(key),))
            adopter = NamespaceAdopter(client, rack="convox")
            yield Place(store, cluster, adopter, settings, simulated.kubeconfig())


@pytest.fixture
async def place(tmp_path):
    async with placed(tmp_path) as made:
        yield made


async def test_a_restored_database_is_adopted_beside_a_running_bot_and_a_second_time_there_is_nothing_to_do(
    place,
):
    await place.claimed(await place.store.read.installation(), 7)
    before = await place.store.read.app("myapp")

    assert (await place.adopt()).startswith("Adopting myapp... OK\n")

    app = await place.store.read.app("myapp")
    assert (before.token, app.token) == (0, 8)
    found = await place.anchor()
    assert (found.token, found.promotion, found.head) == (8, ADOPTED, await place.store.read.audit_head())
    assert (await place.rows())[-1] == "app.adopt"
    (said,) = place.told
    assert "number 7, promotion PELSEWHERE0" in said
    assert "adopting sets the number to 8" in said
    assert place.asked == ["Adopt myapp? [y/N] "]

    place.told.clear()
    assert "There is nothing to adopt" in await place.adopt()
    assert place.told == []
    await place.cluster.check_anchor(app, Claim(installation=found.installation, token=9, promotion="PNEXT"))


async def test_nothing_happens_before_somebody_agrees(place):
    await place.claimed(await place.store.read.installation(), 7)
    place.agrees = False
    with pytest.raises(Invalid, match="nobody agreed"):
        await place.adopt()
    assert ((await place.anchor()).token, (await place.store.read.app("myapp")).token) == (7, 0)
    assert (await place.adopt(agreed=True)).startswith("Adopting myapp... OK")
    assert len(place.asked) == 1, "--yes asks nobody"


async def test_what_has_changed_while_the_operator_read_is_not_adopted(place):
    ours = await place.store.read.installation()
    await place.claimed(ours, 7)
    looked = place.adopter.look
    seen = []

    async def moving(self, *asked):
        found = await looked(*asked)
        seen.append(found)
        return found if len(seen) == 1 else replace(found, anchor=replace(found.anchor, token=9))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NamespaceAdopter, "look", moving)
        with pytest.raises(Conflict, match="has changed meanwhile, so nothing was adopted"):
            await place.adopt()
    assert (await place.store.read.app("myapp")).token == 0


async def test_another_installation_is_taken_from_by_name_once_it_is_quiet(place, monkeypatch):
    await place.claimed(THEIRS, 2)
    with pytest.raises(Conflict) as caught:
        await place.adopt()
    assert f"`convox-bot adopt myapp --from {THEIRS}`" in str(caught.value.hint)
    with pytest.raises(Conflict, match="still works"):
        await place.adopt(owner=THEIRS)
    monkeypatch.setattr("core.lifecycle.adoption.QUIET_SECONDS", 0.0)
    assert (await place.adopt(owner=THEIRS)).startswith("Adopting myapp... OK")
    assert f"and takes it from installation {THEIRS}" in place.told[-1]
    assert (await place.anchor()).installation == await place.store.read.installation()


async def test_where_the_cluster_tells_no_times_somebody_has_to_vouch_that_the_other_bot_is_stopped(
    place, monkeypatch
):
    await place.claimed(THEIRS, 2)
    monkeypatch.setattr("core.cluster.adoption.last_written", lambda _: None)
    with pytest.raises(Conflict, match="nobody can see whether the bot of installation"):
        await place.adopt(owner=THEIRS, agreed=True)
    assert ((await place.anchor()).installation, place.asked) == (THEIRS, [])
    assert (await place.adopt(owner=THEIRS, stopped=True)).startswith("Adopting myapp... OK")


async def test_nobody_adopts_what_is_rolling_out(place):
    await place.claimed(await place.store.read.installation(), 7)
    async with place.store.transaction() as tx:
        await tx.add_promotion(make_promotion("RAAAAAAAAAA", phase=Phase.UPDATING, token=1))
    with pytest.raises(Busy, match="app is currently updating"):
        await place.adopt()
    assert (await place.anchor()).token == 7


async def test_a_promotion_that_starts_in_the_last_moment_keeps_the_records_as_they_are(place, monkeypatch):
    """The anchor keeps it from writing; the next adoption finishes what this one began."""
    await place.claimed(await place.store.read.installation(), 7)
    real = NamespaceAdopter.adopt

    async def begun(self, *given):
        await real(self, *given)
        async with place.store.transaction() as tx:
            app = await tx.app("myapp")
            await tx.save_app(replace(app, token=app.token + 1))

    with monkeypatch.context() as patch:
        patch.setattr(NamespaceAdopter, "adopt", begun)
        with pytest.raises(Conflict, match="its anchor is adopted and its records are not"):
            await place.adopt()
    assert (await place.store.read.app("myapp")).token == 1
    assert (await place.adopt()).startswith("Adopting myapp... OK")
    assert "number 8, adopted, with nothing promoted since" in place.told[-1]
    assert (await place.store.read.app("myapp")).token == 9


async def test_an_audit_that_was_cut_back_is_adopted_with_what_the_cluster_remembered(place):
    ours = await place.store.read.installation()
    await place.claimed(ours, 1)
    app = await place.store.read.app("myapp")
    async with place.store.transaction() as tx:
        await tx.save_app(replace(app, token=1))
    claim = Claim(installation=ours, token=1, promotion="PELSEWHERE0")
    await place.adopter.keep_head(app, claim, AuditHead(rows=900, hash="d" * 64))
    assert (await place.adopt()).startswith("Adopting myapp... OK")
    assert "the audit had 900 rows" in place.told[0]
    assert (await place.anchor()).head == await place.store.read.audit_head()
    assert "There is nothing to adopt" in await place.adopt()


async def test_an_app_that_the_database_lost_is_made_first(place):
    with pytest.raises(NotFound) as caught:
        await place.adopt(app="lost")
    assert "`convox-bot do apps create lost` first" in str(caught.value.hint)


async def test_a_cluster_that_refuses_or_is_away_is_said(place, monkeypatch):
    async def refuses(*_):
        raise Rejected("the bot may not get namespaces")

    with monkeypatch.context() as patch:
        patch.setattr(NamespaceAdopter, "look", refuses)
        with pytest.raises(Conflict, match="may not get namespaces"):
            await place.adopt()
    place.kubeconfig["clusters"][0]["cluster"]["server"] = "http://127.0.0.1:1"
    with pytest.raises(Unavailable, match="the cluster does not answer"):
        await place.adopt()


def test_what_is_shown_tells_what_is_there_and_what_comes_of_it():
    found = planned(state(runs("R1"), anchor=None, quiet=None, refused="so"))
    said = described(found, "0f").splitlines()
    assert said[0] == "namespace convox-myapp belongs to nobody: it has no anchor"
    assert "it cannot be told when" in said[2]
    assert "what runs: Deployment/web R1" in said
    moved = planned(state(quiet=7200.0), replace(found.app, namespace_uid="gone"))
    said = described(moved, "0f").splitlines()
    assert "2 h ago" in said[2]
    assert "what runs: no release" in said
    assert "the namespace of before is forgotten" in said


@pytest.mark.parametrize(
    ("seconds", "words"), [(5.0, "5 s"), (60.0, "1 min"), (3600.0, "1 h"), (864000.0, "10 d")]
)
def test_how_long_ago_is_said_in_one_unit(seconds, words):
    assert adoption._span(seconds) == words


class Terminal:
    def __init__(self, line, *, tty=True):
        self._line, self._tty = line, tty

    def isatty(self):
        return self._tty

    def readline(self):
        return self._line


@pytest.mark.parametrize(
    ("stdin", "agreed"),
    [(Terminal("y\n"), True), (Terminal("Yes\n"), True), (Terminal("\n"), False), (Terminal("y\n", tty=False), False)],
)  # fmt: skip
def test_the_command_asks_on_a_terminal_and_nowhere_else(monkeypatch, tmp_path, capsys, stdin, agreed):
    asked: dict[str, Any] = {}

    async def adopted(settings, _clock, request, *, confirm, tell):
        asked.update(settings=settings, request=request)
        tell("what is there")
        return OperationResult(str(confirm("Adopt? ")))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONVOX_KEYS", Keyring.generate())
    monkeypatch.setenv("CONVOX_RACK", "staging")
    monkeypatch.setattr(adoption, "adopt", adopted)
    monkeypatch.setattr("sys.stdin", stdin)
    assert main(["adopt", "myapp", "--from", THEIRS, "--stopped"]) == 0
    assert asked["request"] == AdoptionRequest(app="myapp", owner=THEIRS, stopped=True)
    assert asked["settings"].convox_rack == "staging"
    out, err = capsys.readouterr()
    assert "Adopt?" not in out, "the answer is for whoever reads it, the question for the terminal"
    assert ("Adopt? " in err) is stdin.isatty()
    assert out.startswith("what is there\n")
    assert out.endswith(f"{agreed}\n")


async def test_without_a_database_nothing_is_made(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONVOX_KEYS", Keyring.generate())
    assert await asyncio.to_thread(main, ["adopt", "myapp", "--yes"]) == 2
    assert "there is no database" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


async def settle(place, rows=None):
    """Let a promotion of ours have ended: the cluster remembers the audit, as it is or longer."""
    claim = Claim(installation=await place.store.read.installation(), token=1, promotion="PAAAAAAAAAA")
    app = await place.store.read.app("myapp")
    async with place.store.transaction() as tx:
        await tx.audit(ALICE, "app.lock", "myapp", {})
    head = await place.store.read.audit_head()
    await place.cluster.claim_anchor(app, claim)
    await place.cluster.keep_audit_head(app, claim, head if rows is None else replace(head, rows=rows))


async def looked(place):
    found = await verify(place.settings.convox_database, place.settings, CLOCK, kubeconfig=place.kubeconfig)
    assert (found.facts["whole"], found.facts["compared"]) == (found.good, True)
    return found.text, found.good


async def test_an_audit_that_the_cluster_remembers_is_said_to_agree(place):
    said, whole = await looked(place)
    assert whole
    assert said.splitlines()[1].startswith("the cluster remembers nothing of it yet")
    await settle(place)
    said, whole = await looked(place)
    assert whole
    assert said.splitlines()[1] == "the cluster agrees: the anchor of myapp remembers it up to row 1"


async def test_an_audit_that_was_cut_back_or_rewritten_is_found_though_its_chain_is_whole(place):
    await settle(place, rows=2)
    said, whole = await looked(place)
    assert not whole
    first, second = said.splitlines()
    assert first.startswith("the audit is whole: 1 rows")
    assert second.startswith(
        "the audit was cut back or rewritten: when a promotion of myapp ended last it had 2 rows"
    )
    assert "`convox-bot adopt myapp`" in second

    connection = place.store._database._writer
    await connection.execute("DROP TRIGGER audit_is_kept")
    await connection.execute("DROP TRIGGER audit_is_final")
    await connection.execute("DELETE FROM audit")
    async with place.store.transaction() as tx:
        for _ in range(2):
            await tx.audit(ALICE, "app.unlock", "myapp", {})
    said, whole = await looked(place)
    assert not whole, "as long as before, whole in itself, and another one"


async def test_a_cluster_that_was_to_be_compared_with_and_is_away_fails(place):
    place.kubeconfig["clusters"][0]["cluster"]["server"] = "http://127.0.0.1:1"
    with pytest.raises(Unavailable, match="the anchors of the apps cannot be read"):
        await looked(place)


def test_what_several_apps_remember_is_said_in_one_sentence():
    heads = [AppAuditHead(app=name, head=AuditHead(rows=n, hash="x")) for name, n in (("a", 3), ("b", 1200))]
    assert agreed(heads) == "the cluster agrees: the anchor of 2 apps remembers it up to row 1,200"


def test_the_command_asks_the_cluster_only_where_it_is_told_to(monkeypatch, tmp_path, capsys):
    asked: list[Any] = []

    async def verified(_database, cluster, _clock):
        asked.append(cluster)
        return OperationResult("said")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONVOX_RACK", "staging")
    monkeypatch.setattr("bot.admin.audit.verify", verified)
    assert [main(["audit", "verify"]), main(["audit", "verify", "--cluster"])] == [0, 0]
    assert asked[0] is None
    assert asked[1].convox_rack == "staging"
    assert capsys.readouterr().out == "said\nsaid\n"


async def test_the_audit_of_another_installation_says_nothing_of_this_one(place):
    await place.claimed(THEIRS, 4)
    theirs = Claim(installation=THEIRS, token=4, promotion="PELSEWHERE0")
    await place.adopter.keep_head(
        await place.store.read.app("myapp"), theirs, AuditHead(rows=900, hash="d" * 64)
    )
    said, whole = await looked(place)
    assert whole
    assert "cut back or rewritten" not in said
    with pytest.raises(Conflict, match="belongs to another installation"):
        await place.adopt()
    assert "900 rows" not in place.told[0]
