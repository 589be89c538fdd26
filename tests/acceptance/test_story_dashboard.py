"""An operator opens the dashboard: a real Prometheus has scraped a bot that promoted, went back and waits, and answers what each panel asks."""

import asyncio
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.promotion import Phase, Promotion
from tests.scenarios.arrangement import ALONE, APP, LOOPBACK
from tests.scenarios.conftest import Open
from tests.scenarios.harness import Stage
from tests.tools.grafana import panel_query, spoken
from tests.tools.programs import needed
from tests.tools.prometheus import SCRAPE_SECONDS, PrometheusServer, prometheus

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy/monitoring"
PANELS: list[dict[str, Any]] = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
# What the operator looks at: the last five minutes.
SECONDS = 300.0
PROMISED = re.compile(r"^promtool query instant http://prometheus:9090 (.+)$", re.MULTILINE)

Series = list[dict[str, Any]]


async def told(stage: Stage) -> Promotion:
    """Let a release go live, one go back and one wait for approval; return the one that failed."""
    stage.rule(deadline="100s", longest="300s")
    assert (await stage.promoted(await stage.build(manifest=ALONE, web="v1"))).phase is Phase.RUNNING
    failed = await stage.promoted(await stage.build(manifest=ALONE, web="v2-notfound"))
    assert failed.phase is Phase.REVERTED
    # What failed is mended by the next one that goes live. The numbers of an app are worked out at a start.
    assert (await stage.promoted(await stage.build(manifest=ALONE, web="v3"))).phase is Phase.RUNNING
    await stage.restart()
    stage.rule(approvals="{promote: {count: 1}}", unpinned="true")
    await stage.promote(await stage.build(manifest=ALONE, web="v4"))
    return failed


async def arrived(stage: Stage) -> None:
    """Let a push arrive that nobody has signed."""
    url = f"http://{LOOPBACK}:{stage.settings.api_port}/webhooks/github"
    async with aiohttp.ClientSession() as session, session.post(url, json={}) as answer:
        assert answer.status == 401


async def answer(server: PrometheusServer, panel: dict[str, Any], target: dict[str, Any]) -> Series:
    """Ask as Grafana asks, and hold what it would call each line of the answer."""
    question = panel_query(panel, target, seconds=SECONDS, scrape=SCRAPE_SECONDS)
    if question.instant:
        found = await server.query(question.expression)
    else:
        found = await server.query_range(question.expression, seconds=SECONDS, step=question.step)
    names = [spoken(target["legendFormat"], each["metric"]) for each in found]
    if panel["type"] != "table":
        assert len(set(names)) == len(names), (panel["title"], "lines of one name", names)
    return found


def failures(rows: Series) -> Iterator[dict[str, Any]]:
    """Read the table as its transformation names the columns."""
    (panel,) = [each for each in PANELS if each["title"] == "Which release failed, and why"]
    (organize,) = [each for each in panel["transformations"] if each["id"] == "organize"]
    columns = organize["options"]["renameByName"]
    for row in rows:
        yield {columns[name]: value for name, value in (row["metric"] | {"Value": row["value"][1]}).items()}


async def promtool(server: PrometheusServer, words: str) -> str:
    """Ask as the page says one asks without Grafana."""
    child = await asyncio.create_subprocess_exec(
        needed("promtool"),
        *("query", "instant", server.url, *shlex.split(words)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await child.communicate())[0].decode()
    assert child.returncode == 0, said
    return said


@pytest.mark.timeout(200)
async def test_every_panel_is_answered_and_says_which_release_failed_and_why(
    open_stage: Open, tmp_path: Path
):
    rules = [MONITORING / "alerts.yaml"]
    async with (
        open_stage(more={"CONVOX_GITHUB_WEBHOOK_SECRETS": "the secret of this test"}) as stage,
        prometheus(tmp_path / "prometheus", f"{LOOPBACK}:{stage.settings.api_port}", rules) as server,
    ):
        await stage.create_app()
        await server.seen("convox_bot_info")
        failed = await told(stage)
        await server.seen(
            "convox_promotions_awaiting_approval == 1 and on () convox_app_restore_time_seconds"
        )
        await arrived(stage)
        await server.seen('increase(convox_webhooks_total{outcome="unsigned"}[1m]) > 0')
        answers = {
            (panel["title"], each["refId"]): await answer(server, panel, each)
            for panel in PANELS
            for each in panel["targets"]
        }
        assert [key for key, found in answers.items() if not found] == []

        (row,) = failures(answers["Which release failed, and why", "A"])
        assert failed.settled_at is not None
        assert row == {
            "App": APP,
            "Release": failed.release,
            "Promotion": failed.id,
            "Ending": "Reverted",
            "Why": "image",
            "Ended": row["Ended"],
        }
        assert float(row["Ended"]) == pytest.approx(failed.settled_at.timestamp() * 1000, abs=1)
        (held,) = answers["Share that held", "A"]
        assert float(held["value"][1]) == pytest.approx(2 / 3)

        alert = await server.alert("ConvoxBotReleaseFailed")
        assert alert["annotations"]["summary"] == (
            f"{stage.cluster.rack}: {failed.release} of {APP} did not hold: Reverted (image)"
        )
        health = {(rule["health"], rule.get("lastError", "")) for rule in await server.rules()}
        assert health == {("ok", "")}

        asked = PROMISED.findall((ROOT / "docs/operations.md").read_text())
        assert len(asked) == 3
        which, why, waits = [await promtool(server, words) for words in asked]
        assert f'release="{failed.release}"' in which
        assert 'reason="image"' in why
        assert " => 1 @" in waits
