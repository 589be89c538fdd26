"""Whatever a cluster says is redacted before it is stored: causes, refusals, waiting, lines, evidence (rule 17)."""

import pytest

from core.errors import Rejected, Unreachable
from core.lifecycle.passwords import password_of
from core.promotion import Phase
from core.records.observation import Diagnosis, DiagnosisKind
from tests.core.world import ALICE, World, by, manifest, until
from tests.fakes import broken, progressing

OLD, NEW = "old-hunter2-secret", "new-hunter2-secret"


async def told(w, promotion_id: str) -> str:
    promotion = await w.store.read.promotion(promotion_id)
    status = await w.store.read.release_status(promotion.release)
    return "\n".join(
        [str(each) for each in (promotion.cause, promotion.reason, promotion.progress.waiting, status.held)]
        + await w.lines(promotion_id)
    )


async def with_secrets(w) -> str:
    """Return a release with a new value, beside an active one with the old."""
    await w.build()
    old = await w.registrar.set_environment(by(ALICE), "myapp", [("DATABASE_URL", OLD)])
    await w.promote(old.release.id)
    new = await w.registrar.set_environment(by(ALICE), "myapp", [("DATABASE_URL", NEW)])
    return new.release.id


def refusing(w, beginning: str, error: Exception, *, times: int = 1_000_000) -> None:
    left = [times]

    def refuse(request: str) -> None:
        if request.startswith(beginning) and left[0] > 0:
            left[0] -= 1
            raise error

    w.cluster.refuse = refuse


@pytest.mark.parametrize("where", ["look", "preflight", "apply Deployment", "check anchor"])
@pytest.mark.parametrize("kind", [Rejected, Unreachable])
async def test_what_the_cluster_answers(w: World, where: str, kind: type[Exception]):
    release = await with_secrets(w)
    refusing(w, where, kind(f"webhook says: {OLD} and {NEW} are bad"))
    asked = await w.ask(release)
    await w.end(asked.promotion.id)
    said = await told(w, asked.promotion.id)
    assert "webhook says: **** and **** are bad" in said
    assert "hunter2" not in said


async def test_what_is_waited_for_while_the_cluster_is_away(w: World):
    release = await with_secrets(w)
    refusing(w, "preflight", Unreachable(f"proxy says {NEW}"), times=3)
    asked = await w.ask(release)
    seen = set()
    while not (p := await w.store.read.promotion(asked.promotion.id)).settled:
        seen.add(p.progress.waiting)
        await w.clock.sleep(0)
    assert "the cluster does not answer: proxy says ****" in seen
    assert not [text for text in seen if "hunter2" in text]


async def test_troubles_logs_and_the_hold(w: World):
    release = await with_secrets(w)
    diagnosis = Diagnosis(
        kind=DiagnosisKind.CONFIG,
        sentence=f"web cannot be started: exec {NEW}",
        pod="web-2",
        pod_uid="web-2",
        container="main",
        permanent=True,
        everywhere=True,
    )
    w.cluster.behaves[release] = lambda _: broken(diagnosis=diagnosis)
    w.cluster.log = f"cannot connect to {NEW}\n" + "x" * 490 + NEW
    ended = await w.promote(release)
    assert ended.phase is Phase.REVERTED
    said = await told(w, ended.id)
    assert "hunter2" not in said
    assert "new-hun" not in said
    assert "web cannot be started: exec ****" in said
    assert "cannot connect to ****" in said


async def test_pods_of_a_stopped_rollout_speak_too(w: World):
    release = await with_secrets(w)
    w.cluster.behaves[release] = lambda _: progressing()
    first = await w.ask(release)
    await until(w, first.promotion.id, Phase.UPDATING)
    clean = await w.registrar.unset_environment(by(ALICE), "myapp", ["DATABASE_URL"])
    w.cluster.behaves[clean.release.id] = lambda _: broken()
    w.cluster.log = f"a pod of before says {NEW}"
    second = await w.ask(clean.release.id, force=True)
    await w.end(second.promotion.id)
    said = await told(w, second.promotion.id)
    assert "a pod of before says ****" in said


async def test_a_log_that_is_refused(w: World, monkeypatch: pytest.MonkeyPatch):
    release = await with_secrets(w)
    w.cluster.behaves[release] = lambda _: broken()

    async def refused(*_: object) -> str:
        raise Rejected(f"webhook says: {NEW}")

    monkeypatch.setattr(w.cluster, "evidence", refused)
    ended = await w.promote(release)
    said = await told(w, ended.id)
    assert "(no log: webhook says: ****)" in said
    assert "hunter2" not in said


async def test_what_keeps_an_old_object_from_being_pruned(w: World, caplog: pytest.LogCaptureFixture):
    release = await with_secrets(w)
    await w.promote(release)
    smaller = (await w.build(text=manifest(digit="1").replace("  web:", "  api:"))).release
    refusing(w, "remove", Rejected(f"webhook says: {NEW} stays"), times=1)
    ended = await w.promote(smaller.id)
    clearing = (await w.store.read.promotion(ended.id)).progress.clearing
    assert "webhook says: **** stays" in clearing
    assert "hunter2" not in caplog.text


async def test_a_password_that_was_generated_is_in_nothing_that_a_cluster_says(w: World):
    text = "resources:\n  database: {type: postgres}\nservices:\n  web: {build: ., resources: [database]}\n"
    first = await w.build(text=text, web="registry.example/web:1")
    password = await password_of(w.store.read, "myapp", "database")
    assert len(password) == 32
    assert password != await password_of(w.store.read, "myapp", "store")
    refusing(w, "preflight", Rejected(f"cannot log in as app:{password}@resource-database"))
    asked = await w.ask(first.release.id)
    await w.end(asked.promotion.id)
    assert "app:****@resource-database" in await told(w, asked.promotion.id)
