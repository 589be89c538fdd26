"""The one row of a log that a card shows is the one that says why."""

import pytest

from bot.views.last_log import last_log_row
from core.records.line import Line
from tests.bot.views.samples import NOW


@pytest.mark.parametrize(
    ("rows", "telling"),
    [
        (
            [
                "starting",
                "Traceback (most recent call last):",
                '  File "/app/main.py", line 12',
                "KeyError: 'STRIPE_KEY'",
            ],
            "KeyError: 'STRIPE_KEY'",
        ),
        (
            [
                "Error: Cannot find module 'express'",
                "    at Module._load (node:internal/modules)",
                "Node.js v20.11.0",
            ],
            "Error: Cannot find module 'express'",
        ),
        (
            ["panic: runtime error: index out of range", "", "goroutine 1 [running]:", "exit status 2"],
            "panic: runtime error: index out of range",
        ),
        (
            [
                "java.lang.IllegalStateException: no database",
                "\tat com.acme.Main.main(Main.java:3)",
                "\t... 12 more",
            ],
            "java.lang.IllegalStateException: no database",
        ),
        (["listening on :3000", "bye", ""], "bye"),
        (["", "  "], ""),
        ([], ""),
    ],
)
def test_the_row_that_says_what_went_wrong_is_found(rows, telling):
    text = "\n".join(["last log lines of web-1:", *(f"  {row}" for row in rows)])

    assert last_log_row(Line(at=NOW, object="web-1", text=text, key="evidence:u", kind="evidence")) == telling
