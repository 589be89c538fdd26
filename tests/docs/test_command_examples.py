"""The answers in docs/commands.md are what the views say, so that nobody learns a shape that does not exist."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.admin.check import check_manifest
from bot.cli.client import is_verdict
from bot.cli.main import main
from bot.views import confirmations
from bot.views.apps import app_info, app_list
from bot.views.builds import build_info, build_list
from bot.views.env import env_list
from bot.views.help import help_text
from bot.views.process_log import log_text
from bot.views.processes import process_list, resource_list, service_list, timer_list
from bot.views.releases import checked_release, release_info, release_list, release_manifest
from core.manifest.service import Port, Service
from core.manifest.timers import Timer
from core.promotion import Phase, Promotion
from core.records.app import App
from core.records.app_parts import TimerStatus
from core.records.build import Build
from core.records.environment import Environment
from core.records.process import Process, ProcessStatus
from core.records.process_log import ProcessLine
from core.records.release import Release
from core.usecases.process_viewer import ResourceState, ServiceProcesses, TimerState
from core.usecases.scaler import ScaleResult
from core.usecases.viewer import CheckedRelease
from tests.bot.api.asking import BUILD
from tests.bot.api.serving import serving
from tests.core.world import ALICE, until
from tests.docs.pages import blocks, page, section

TEXT = page("commands.md")
NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
MADE = NOW - timedelta(minutes=12)
ENV = Environment((("LOG_LEVEL", "debug"), ("DATABASE_URL", "postgres://db")))
WORDS = "build 0123456789 Mend the cart"
SERVICES = "services:\n  web:\n    build: .\n    port: 3000\n"
R = Release(
    id="RABCDEFGHIJ", app="myapp", sequence=1, build="BABCDEFGHIJ", environment=ENV, description=WORDS,
    created_at=MADE, created_by=ALICE,
)  # fmt: skip
LATER = replace(
    R, id="RKLMNOPQRST", sequence=2, description="env change:LOG_LEVEL", created_at=NOW - timedelta(minutes=1)
)
B = Build(
    id="BABCDEFGHIJ", app="myapp", manifest=SERVICES, description=WORDS, release=R.id, started_at=MADE,
    ended_at=MADE, created_by=ALICE, git_sha="0123456789abcdef0123456789abcdef01234567",
    repository="https://github.com/shop/web",
)  # fmt: skip
APP = App(name="myapp", created_at=MADE, created_by=ALICE, active_release=R.id)
P = Promotion(
    id="PABCDEFGHIJ", app="myapp", release=R.id, phase=Phase.PENDING, requested_by=ALICE, requested_at=NOW
)

RUNNING = [
    ServiceProcesses(service=Service(name="web", port=Port(3000)), desired=2, running=2),
    ServiceProcesses(service=Service(name="worker"), desired=1, running=1),
]
PROCESSES = [
    Process(
        id=name, service=service, status=ProcessStatus.RUNNING, release=R.id, started_at=MADE, command=command
    )
    for name, service, command in (
        ("web-6487cd5b65-6gxmp", "web", ""), ("worker-7785746ddc-ff8vx", "worker", "bin/worker"),
    )
]  # fmt: skip

NIGHTLY = TimerState(
    timer=Timer(name="nightly", service="worker", schedule="0 3 * * *"), command="bin/report --all",
    status=TimerStatus(last_at=MADE),
)  # fmt: skip
LOG = [
    ProcessLine(
        at=NOW - timedelta(seconds=seconds), service="web", process="web-6487cd5b65-6gxmp",
        text="connection refused: 10.0.0.7:5432",
    )
    for seconds in (29, 24)
]  # fmt: skip

ANSWERS = {
    "releases promote": confirmations.promoting(R.id),
    "releases rollback": confirmations.rolling_back(R.id, "RUVWXYZABCD"),
    "approve": confirmations.approving(P, 0),
    "decline": confirmations.declining(P),
    "stop": confirmations.stopping(P),
    "snooze": confirmations.snoozing(P, 1800),
    "cancel": confirmations.cancelling("myapp"),
    "apps cancel": confirmations.cancelling("myapp"),
    "releases": release_list([LATER, R], R.id, NOW),
    "releases info": release_info(replace(R, environment=ENV.masked())),
    "releases manifest": release_manifest(B),
    "check": checked_release(
        CheckedRelease(release=R.id, objects=check_manifest(B.manifest, dict(ENV.pairs)).objects, notes=())
    ),
    "builds": build_list([B], NOW),
    "builds info": build_info(B, NOW),
    "builds cancel": confirmations.cancelling_build(B.id),
    "builds import-image": confirmations.building(B.id, R.id),
    "services": service_list(RUNNING),
    "ps": process_list(PROCESSES, NOW),
    "scale": confirmations.scaling(ScaleResult(service="worker", before=1, count=3)),
    "restart": confirmations.restarting(replace(P, restarts=("web",))),
    "timers": timer_list([NIGHTLY], NOW),
    "resources": resource_list(
        [
            ResourceState(name="cache", type="redis", status="external"),
            ResourceState(name="database", type="postgres", status="running"),
        ]
    ),
    "logs": log_text(LOG),
    "env": env_list(ENV.masked()),
    "env get": ENV.get("LOG_LEVEL"),
    "env set": confirmations.setting(["LOG_LEVEL", "GREETING"], LATER.id),
    "env unset": confirmations.unsetting(["GREETING"], LATER.id),
    "apps": app_list([APP], {}),
    "apps create": confirmations.creating("myapp"),
    "apps info": app_info(APP, None),
    "link": confirmations.linking("myapp"),
    "unlink": confirmations.unlinking("myapp"),
    "help": help_text("env set", None).text,
}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_answer_on_the_page_is_the_one_that_is_given(name):
    _, answer = blocks(section(TEXT, name))

    assert answer == ANSWERS[name]


def test_the_other_answer_to_an_approval_is_the_one_on_the_page():
    assert "`1 more approval is needed`" in section(TEXT, "approve")
    assert "1 more approval is needed" in confirmations.approving(P, 1)


def test_the_terminal_of_the_page_has_the_shape_that_is_printed():
    first, *lines, last = blocks(section(TEXT, "From a terminal"))[0].splitlines()[1:]

    assert first == confirmations.promoting(R.id)
    assert is_verdict(last)
    assert not any(map(is_verdict, lines))
    assert all(line.split(" ")[1].startswith("system/k8s/") for line in lines)


async def test_the_api_takes_and_gives_what_the_page_says(tmp_path):
    chapter = section(TEXT, "Over HTTP")
    async with serving(tmp_path) as api:
        listed = await api.command("releases -a myapp")
        built = await api.post("/apps/myapp/builds", json={**BUILD, "description": "x", "git-sha": "abc"})
        asked = await api.command("releases promote -a myapp")
        refused = await api.command("releases -a nope")

        assert set(await listed.json()) == {"text", "promotion"}
        assert "Promotion-Phase" not in listed.headers
        assert (built.status, set(await built.json())) == (201, {"id", "release", "notes"})
        promotion = (await asked.json())["promotion"]
        assert asked.headers["Promotion-Phase"] in set(Phase)
        assert (refused.status, set(await refused.json())) == (404, {"error"})
        await until(api.world, promotion, Phase.RUNNING)
        assert (await api.lines(promotion))[-1] == "OK"

    for word in (
        "`Promotion-Phase`",
        "`POST /commands`",
        "`GET /promotions/{id}/lines`",
        "`POST /apps/{app}/builds`",
    ):
        assert word in chapter
    assert json.loads('{"text": "releases -a myapp"}')["text"] in chapter


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["do"], 2),
        (["do", "releases"], 1),
        (["build"], 2),
        (["build", "-a", "x"], 1),
        (["keygen"], 0),
        (["fly"], 2),
    ],
)
def test_statuses_are_those_of_the_page(words, status, monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("RACK_URL", raising=False)
    monkeypatch.chdir(tmp_path)

    try:
        found: Any = main(words)
    except SystemExit as ended:
        found = ended.code

    assert found == status
