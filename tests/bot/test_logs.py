"""The process's own log: what a task may not say stands in no line and no traceback of it."""

import asyncio
import json
import logging
import subprocess
import sys

from bot.logs import log_formatter
from core.log_context import log_about
from core.redaction import Redactor, keep_quiet

SECRET = "hunter2-hunter2"


def logged(error: Exception) -> str:
    record = logging.LogRecord(
        "convox", logging.ERROR, __file__, 1, "it said %s", (SECRET,), (type(error), error, None)
    )
    return log_formatter().format(record)


async def test_what_a_task_knows_stays_out_of_its_lines_and_tracebacks_and_of_those_of_its_children():
    async def rollout() -> list[str]:
        keep_quiet(Redactor([SECRET]))
        child = asyncio.create_task(asyncio.sleep(0, logged(ValueError(SECRET))))
        return [logged(ValueError(f"no {SECRET}")), await child]

    for text in await asyncio.create_task(rollout()):
        assert SECRET not in text
        assert "it said ****" in text
        assert "ValueError: " in text
    assert "it said hunter2" in logged(ValueError("x")), "nobody else knows it"


def test_the_process_writes_its_log_so():
    script = (
        "import logging; from bot.logs import log_to_stderr; from core.redaction import Redactor, keep_quiet;"
        f"log_to_stderr(logging.INFO); keep_quiet(Redactor(['{SECRET}']));"
        f"logging.getLogger('a').info('x %s', '{SECRET}')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.rstrip().endswith("INFO a: x ****")


async def test_as_json_a_line_tells_what_its_task_is_about_and_holds_no_secret():
    async def rollout() -> dict[str, str]:
        keep_quiet(Redactor([SECRET]))
        log_about(delivery="7")
        log_about(app="myapp", promotion="PABCDEFGHIJ", delivery="")
        error = ValueError(f"no {SECRET}")
        record = logging.LogRecord(
            "convox", logging.ERROR, __file__, 1, "it said %s\n", (SECRET,), (ValueError, error, None)
        )
        line = log_formatter("json").format(record)
        assert "\n" not in line
        return json.loads(line)

    told = await asyncio.create_task(rollout())
    assert SECRET not in str(told)
    assert told.pop("time").endswith("+00:00")
    assert told == {
        "level": "ERROR",
        "logger": "convox",
        "message": "it said ****\n",
        "app": "myapp",
        "promotion": "PABCDEFGHIJ",
        "exception": "ValueError: no ****",
    }
    plain = logging.LogRecord("convox", logging.INFO, __file__, 1, "x", (), None)
    assert json.loads(log_formatter("json").format(plain)).keys() == {"time", "level", "logger", "message"}
