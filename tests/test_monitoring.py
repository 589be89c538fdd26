"""The dashboard and the alert rules: they ask for what the bot exposes, Prometheus takes them, and the alerts sound when they should."""

import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client.parser import text_string_to_metric_families

from bot.api.metrics import exposition
from tests.bot.api.metric_facts import metric_facts
from tests.tools.grafana import PanelQuery, panel_query
from tests.tools.programs import needed

FOLDER = Path(__file__).parents[1] / "deploy/monitoring"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
RULES = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
ASKED = [target["expr"] for panel in PANELS for target in panel["targets"]] + [rule["expr"] for rule in RULES]
# Prometheus' own, of whatever it scrapes.
OF_TARGETS = {"job", "instance"}
SEVERITIES = {"critical", "warning", "info"}


def exposed() -> dict[str, dict[str, set[str]]]:
    """Return sample → label → the values that it has."""
    found: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families(exposition(metric_facts())[0].decode()):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    return found


EXPOSED = exposed()


def test_what_the_page_calls_worth_an_alarm_has_one():
    page = (FOLDER.parents[1] / "docs/operations.md").read_text()
    worth = page.partition("Worth an alarm: ")[2].partition("[Rules and a dashboard]")[0]
    names = set(re.findall(r"convox_\w+", worth))
    assert len(names) > 4
    asked = set(re.findall(r"convox_\w+", " ".join(rule["expr"] for rule in RULES)))
    assert names <= asked | {name.removesuffix("_bucket") for name in asked}


@pytest.mark.parametrize("expression", ASKED)
def test_an_expression_asks_for_what_the_bot_exposes(expression: str):
    names = set(re.findall(r"convox_\w+", expression))
    assert names
    assert names <= EXPOSED.keys()
    labels = {label for name in names for label in EXPOSED[name]} | OF_TARGETS
    kept = {
        label.strip() for group in re.findall(r"\bby \((.*?)\)", expression) for label in group.split(",")
    }
    assert kept <= labels
    for name, label, values in re.findall(r'(convox_\w+)\{(\w+)=~?"(.*?)"\}', expression):
        assert set(values.split("|")) <= EXPOSED[name][label]
    # An empty value asks for what has the label at all.
    unnamed = re.findall(r'(convox_\w+)\{(\w+)!=""\}', expression)
    assert all(label in EXPOSED[name] for name, label in unnamed)
    named = re.findall(r'convox_\w+\{\w+=~?"[^"]*"\}', expression)
    assert expression.count("{") == len(named) + len(unnamed)


def test_every_metric_is_on_the_dashboard():
    shown = " ".join(target["expr"] for panel in PANELS for target in panel["targets"])
    # Of a histogram one asks for the buckets.
    families = {name for name in EXPOSED if not name.endswith(("_count", "_sum", "_created"))}
    assert {name for name in families if name not in shown} == set()


def test_every_panel_says_what_it_shows_and_lies_on_no_other():
    assert [panel["id"] for panel in PANELS] == list(range(1, len(PANELS) + 1))
    for panel in PANELS:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["datasource"]["uid"] == "${datasource}"
    places = [panel["gridPos"] for panel in PANELS]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in itertools.combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


def test_what_grew_in_a_step_is_asked_in_steps_that_hold_several_scrapes():
    # The chart's: every 30 s. In a step of one scrape there is nothing to take a difference of.
    values = yaml.safe_load((FOLDER.parent / "chart/values.yaml").read_text())
    scrape = float(values["monitoring"]["serviceMonitor"]["interval"].removesuffix("s"))
    for panel in PANELS:
        for target in panel["targets"]:
            if "$__interval" in target["expr"]:
                assert panel_query(panel, target, seconds=300, scrape=scrape).step >= 4 * scrape, panel[
                    "title"
                ]


def test_grafana_fills_in_what_it_knows_and_nothing_else():
    def asked(expression: str, **more: str) -> PanelQuery:
        return panel_query({}, {"expr": expression} | more, seconds=3600, scrape=15)

    assert asked("x[$__rate_interval]").expression == "x[60000ms]"
    assert asked("x[${__range}]", interval=">1h") == PanelQuery(
        expression="x[3600000ms]", step=3600, instant=False
    )
    with pytest.raises(ValueError, match="knows no"):
        asked("x[$__rage]")
    with pytest.raises(ValueError, match="no interval"):
        asked("x", interval="often")


def test_every_alert_says_what_happened_and_what_to_do():
    for rule in RULES:
        assert rule["labels"]["severity"] in SEVERITIES
        assert rule["annotations"].keys() == {"summary", "description"}


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_names_its_rack_and_what_is_typed_there(rule: dict[str, Any]):
    """Several racks in one workspace have a command each (docs/racks.md)."""
    summary, description = rule["annotations"]["summary"], rule["annotations"]["description"]
    assert "$labels.rack" in summary
    assert "/convox" not in summary + description
    assert ("$labels.command" in description) == ("command" in rule["expr"])
    assert "convox_bot_info" in rule["expr"]


def promtool(*words: str | Path) -> None:
    done = subprocess.run([needed("promtool"), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_rules_and_each_alert_sounds_when_it_should_and_not_on_a_good_day():
    promtool("check", "rules", FOLDER / "alerts.yaml")
    promtool("test", "rules", FOLDER / "alerts_test.yaml")
    tests = yaml.safe_load((FOLDER / "alerts_test.yaml").read_text())["tests"]
    tried = [each for test in tests for each in test["alert_rule_test"]]
    names = {rule["alert"] for rule in RULES}
    assert {each["alertname"] for each in tried if each.get("exp_alerts")} == names
    assert {each["alertname"] for each in tried if not each.get("exp_alerts")} == names


def test_prometheus_takes_every_expression_of_the_dashboard(tmp_path: Path):
    asked = [re.sub(r"\$__\w+", "5m", target["expr"]) for panel in PANELS for target in panel["targets"]]
    rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(asked)]
    file = tmp_path / "panels.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", file)


def lost(given: Any, kept: Any, where: str = "") -> Iterator[str]:
    """Name what is not in `kept`, or is another value there."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            yield from lost(value, kept.get(key), f"{where}/{key}")
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for number, (one, other) in enumerate(zip(given, kept, strict=True)):
            yield from lost(one, other, f"{where}/{number}")
    elif given != kept:
        yield where


def as_grafana_reads_it(dashboard: dict[str, Any]) -> dict[str, Any]:
    """Read it into the types that Grafana makes of its own schemas, and write it again: what these do not know is gone."""
    register_default_plugins()
    return json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard)))


def test_grafana_knows_every_key_of_the_dashboard():
    assert list(lost(DASHBOARD, as_grafana_reads_it(DASHBOARD))) == []
    typo = DASHBOARD | {"panels": [PANELS[0] | {"titel": "x"}, *PANELS[1:]]}
    assert list(lost(typo, as_grafana_reads_it(typo))) == ["/panels/0/titel"]


def test_a_table_names_its_columns_after_labels_that_the_bot_exposes():
    tables = [panel for panel in PANELS if panel["type"] == "table"]
    assert len(tables) == 2
    for panel in tables:
        labels = {
            label.strip()
            for target in panel["targets"]
            for group in re.findall(r"\bby \((.*?)\)", target["expr"])
            for label in group.split(",")
        }
        (organize,) = [each for each in panel["transformations"] if each["id"] == "organize"]
        columns = organize["options"]["renameByName"]
        assert {name for name in columns if not name.startswith("Value")} == labels
        assert organize["options"]["indexByName"].keys() == columns.keys()
        shown = set(columns.values())
        assert {each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]} <= shown
        assert panel["options"]["sortBy"][0]["displayName"] in shown
