"""Whoever has a promotion's id finds in the log what was typed and clicked for it, and what became of it; of a request over HTTP by its id."""

import json
import logging

from bot.logs import log_formatter
from tests.scenarios.arrangement import BOB
from tests.scenarios.harness import Stage


class JsonLog(logging.Handler):
    """Keeps each line as it would stand on stderr."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(log_formatter("json"))
        self.lines: list[dict[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))


async def test_one_promotion_from_the_click_to_the_verdict(stage: Stage):
    kept, root = JsonLog(), logging.getLogger()
    level = root.level
    root.addHandler(kept)
    root.setLevel(logging.INFO)
    try:
        stage.rule(unpinned="true", approvals="{promote: {count: 1}}")
        promotion = await stage.promote(await stage.build(web="v1"))
        await stage.click(promotion, "approve", user=BOB)
        release = (await stage.ended(promotion)).release
        status, _ = await stage.do(f"releases promote {release} -a myapp")
        assert status == 200
        other = (await stage.newest()).id
    finally:
        root.removeHandler(kept)
        root.setLevel(level)

    told = [line for line in kept.lines if line.get("promotion") == promotion]
    asked, approved, driven, ended = told[:4]
    assert asked["message"] == f"{release} of myapp is asked for"
    assert approved["message"] == f"{release} of myapp is approved: Pending"
    assert asked["delivery"].isdecimal()
    assert int(approved["delivery"]) > int(asked["delivery"]), "of the click, not of the command"
    assert driven["message"] == f"driving {release} of myapp from Pending"
    assert ended["message"] == f"{release} of myapp has ended Running (verified)"
    assert {"delivery", "request"}.isdisjoint(driven.keys() | ended.keys())
    (by_http,) = [
        line
        for line in kept.lines
        if line.get("request") and line["logger"].startswith("core.usecases.promoter")
    ]
    assert by_http["promotion"] == other
