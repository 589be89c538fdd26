"""What people see of what runs: no value of a variable, and a sentence for whatever is not there."""

import pytest

from core.errors import Conflict, Forbidden, NotFound, Rejected, Unavailable, Unreachable
from core.policy.authorization import parse_policy
from core.records.bundle import Bundle, Ref
from core.records.environment import MASK
from core.records.process import ProcessStatus
from core.records.process_log import LogRequest
from core.records.route_state import RouteState
from tests.bot.api.asking import policy_of
from tests.core.world import ALICE, World, by, manifest
from tests.fakes import broken

TWO = manifest() + "  worker: {image: registry.example/worker@sha256:" + "0" * 64 + ", scale: 3}\n"


def away(_request: str) -> None:
    raise Unreachable("the API server does not answer")


async def test_processes_are_those_of_the_app_or_of_one_service(w: World):
    release = await w.good(text=TWO)
    everything = await w.processes.processes(by(ALICE), "myapp", None)
    assert [p.id for p in everything] == ["web-1", "web-2", "worker-1", "worker-2", "worker-3"]
    assert {(p.release, p.status) for p in everything} == {(release, ProcessStatus.RUNNING)}
    assert [p.id for p in await w.processes.processes(by(ALICE), "myapp", "web")] == ["web-1", "web-2"]


async def test_a_value_in_a_command_is_masked(w: World):
    await w.build(text=manifest())
    made = await w.registrar.set_environment(by(ALICE), "myapp", [("TOKEN", "correct-horse")])
    await w.promote(made.release.id)
    w.cluster.command = "bin/web --token correct-horse"
    (one, _) = await w.processes.processes(by(ALICE), "myapp", None)
    assert one.command == f"bin/web --token {MASK}"


async def test_what_carries_a_release_that_nobody_made_is_listed_too(w: World):
    await w.good()
    for ref in list(w.cluster.live):
        w.cluster.live[ref] = "RNOBODYMADE"
    assert {p.release for p in await w.processes.processes(by(ALICE), "myapp", None)} == {"RNOBODYMADE"}


async def test_an_unknown_service_is_named_with_the_one_that_was_meant(w: World):
    await w.good(text=TWO)
    with pytest.raises(NotFound, match="^no such service: wrb$") as refused:
        await w.processes.processes(by(ALICE), "myapp", "wrb")
    assert refused.value.hint == "did you mean web? myapp has web, worker"
    with pytest.raises(NotFound) as refused:
        await w.processes.processes(by(ALICE), "myapp", "database")
    assert refused.value.hint == "myapp has web, worker"


async def test_before_the_first_release_there_is_nothing_and_no_service(w: World):
    assert list(await w.processes.processes(by(ALICE), "myapp", None)) == []
    assert list(await w.processes.services(by(ALICE), "myapp")) == []
    with pytest.raises(NotFound, match="^no such service: web$"):
        await w.processes.services(by(ALICE), "myapp", "web")
    with pytest.raises(NotFound) as refused:
        await w.processes.processes(by(ALICE), "myapp", "web")
    assert refused.value.hint == "myapp has no service yet: promote a release first"


async def test_services_are_those_of_the_active_release_with_what_runs_of_them(w: World):
    await w.good(text=TWO)
    await w.build(text=manifest(count=9))
    seen = await w.processes.services(by(ALICE), "myapp")
    assert [(s.service.name, s.desired, s.running) for s in seen] == [("web", 2, 2), ("worker", 3, 3)]


async def test_a_service_has_the_names_by_which_it_is_reached_and_without_them_it_is_listed_all_the_same(
    w: World, monkeypatch: pytest.MonkeyPatch
):
    await w.good(text=TWO)
    w.cluster.routes = (
        RouteState(ref=Ref("Ingress", "web"), addresses=("web.myapp.example.com", "www.example.com")),
    )
    web, worker = await w.processes.services(by(ALICE), "myapp")
    assert (web.domain, worker.domain) == ("web.myapp.example.com www.example.com", "")

    async def refuse(_app: str, _bundle: Bundle) -> tuple[RouteState, ...]:
        raise Unreachable("no answer")

    monkeypatch.setattr(w.cluster, "read_routes", refuse)
    assert [s.domain for s in await w.processes.services(by(ALICE), "myapp")] == ["", ""]


async def test_one_service_may_be_asked_for(w: World):
    await w.good(text=TWO)
    assert [s.service.name for s in await w.processes.services(by(ALICE), "myapp", "web")] == ["web"]
    with pytest.raises(NotFound, match="^no such service: wbe$"):
        await w.processes.services(by(ALICE), "myapp", "wbe")


async def test_a_service_whose_workload_somebody_has_deleted_is_told_as_such(w: World):
    await w.good()
    for ref in [ref for ref in w.cluster.live if ref.kind == "Deployment"]:
        del w.cluster.live[ref]
    (web,) = await w.processes.services(by(ALICE), "myapp")
    assert (web.desired, web.running) == (None, 0)


@pytest.mark.parametrize("asked", ["processes", "services"])
async def test_a_cluster_that_is_away_is_no_empty_list(w: World, asked: str):
    await w.good()

    async def ask() -> None:
        if asked == "processes":
            await w.processes.processes(by(ALICE), "myapp", None)
        else:
            await w.processes.services(by(ALICE), "myapp")

    w.cluster.refuse = away
    with pytest.raises(
        Unavailable, match="^the cluster cannot be asked now: the API server does not answer$"
    ):
        await ask()

    def refuse(_request: str) -> None:
        raise Rejected("the bot may not list pods in namespace convox-myapp")

    w.cluster.refuse = refuse
    with pytest.raises(Conflict, match="^the cluster does not tell: the bot may not list pods"):
        await ask()


async def test_logs_need_a_right_of_their_own_and_hold_no_value(w: World):
    await w.build()
    made = await w.registrar.set_environment(by(ALICE), "myapp", [("TOKEN", "correct-horse")])
    promotion = await w.promote(made.release.id)
    w.cluster.log = "using token correct-horse"
    w.policy = parse_policy(policy_of("view", who="U01ALICE"))
    with pytest.raises(Forbidden, match="^you may not read the logs of myapp"):
        await w.processes.logs(by(ALICE), "myapp", LogRequest())
    w.policy = parse_policy(policy_of("logs", who="U01ALICE"))
    seen = await w.processes.logs(by(ALICE), "myapp", LogRequest(lines=1))
    assert [line.text for line in seen.log.lines] == [f"using token {MASK}"]
    assert seen.card is not None
    assert seen.card.subject == promotion.id


async def test_what_the_failed_pods_wrote_is_shown_when_they_are_gone(w: World):
    await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    promotion = await w.promote(bad)
    stored = await w.processes.failure_logs(by(ALICE), "myapp", promotion.id)
    assert stored.text == "last log lines of web-2:\n  KeyError: 'DATABASE_URL'"
    good = (await w.store.read.promotions("myapp", 2))[1]
    assert await w.processes.failure_logs(by(ALICE), "myapp", good.id) is None
    await w.registrar.create_app(by(ALICE), "other")
    with pytest.raises(NotFound, match=f"^no such promotion: {promotion.id}$"):
        await w.processes.failure_logs(by(ALICE), "other", promotion.id)
    w.policy = parse_policy(policy_of("view", who="U01ALICE"))
    with pytest.raises(Forbidden, match="^you may not read the logs of myapp"):
        await w.processes.failure_logs(by(ALICE), "myapp", promotion.id)


async def test_logs_of_an_app_that_never_ran_are_none(w: World):
    seen = await w.processes.logs(by(ALICE), "myapp", LogRequest())
    assert (seen.log.lines, seen.card) == ((), None)


async def test_logs_of_an_unknown_service_are_refused_with_the_one_that_was_meant(w: World):
    await w.good(text=TWO)
    with pytest.raises(NotFound, match="^no such service: wbe$") as refused:
        await w.processes.logs(by(ALICE), "myapp", LogRequest(service="wbe"))
    assert refused.value.hint == "did you mean web? myapp has web, worker"


async def test_logs_that_cannot_be_read_are_said_to_be_so(w: World):
    await w.good()

    def refuse(request: str) -> None:
        if request == "logs":
            raise Rejected("the bot may not get pods/log in namespace convox-myapp")

    w.cluster.refuse = refuse
    with pytest.raises(Conflict, match="^the cluster does not tell: the bot may not get pods/log"):
        await w.processes.logs(by(ALICE), "myapp", LogRequest(service="web"))


PARTS = (
    TWO
    + """\
timers:
  nightly: {schedule: "0 3 * * *", command: "bin/report --key ${KEY}", service: worker}
resources:
  database: {type: redis}
  cache: {type: redis}
"""
)


async def test_timers_are_those_of_the_release_with_what_they_do_and_no_value(w: World):
    await w.build(text=PARTS)
    made = await w.registrar.set_environment(by(ALICE), "myapp", [("KEY", "correct-horse")])
    (before,) = await w.processes.timers(by(ALICE), "myapp")
    assert (before.timer.name, before.timer.service, before.status) == ("nightly", "worker", None)
    await w.promote(made.release.id)
    (nightly,) = await w.processes.timers(by(ALICE), "myapp")
    assert nightly.status is not None
    assert nightly.command == f"bin/report --key {MASK}"


async def test_resources_are_external_where_the_environment_says_where_they_are(w: World):
    await w.build(text=PARTS)
    seen = await w.processes.resources(by(ALICE), "myapp")
    assert [(each.name, each.type, each.status) for each in seen] == [
        ("cache", "redis", "pending"),
        ("database", "redis", "pending"),
    ]
    made = await w.registrar.set_environment(
        by(ALICE), "myapp", [("KEY", "x"), ("CACHE_URL", "redis://elsewhere")]
    )
    await w.promote(made.release.id)
    seen = await w.processes.resources(by(ALICE), "myapp")
    assert [(each.name, each.status) for each in seen] == [("cache", "external"), ("database", "running")]
    assert {p.service for p in await w.processes.processes(by(ALICE), "myapp", None)} == {"web", "worker"}
    with pytest.raises(NotFound, match="^no such service: resource-database$"):
        await w.processes.processes(by(ALICE), "myapp", "resource-database")


async def test_an_app_without_a_build_has_neither_timers_nor_resources(w: World):
    await w.registrar.set_environment(by(ALICE), "myapp", [("A", "1")])
    assert list(await w.processes.timers(by(ALICE), "myapp")) == []
    assert list(await w.processes.resources(by(ALICE), "myapp")) == []
