"""`convox-bot serve` with an appointed death: what runs in every process that the sweep starts."""

import asyncio
import logging
import os
import sqlite3
import sys
import traceback
from collections import Counter
from datetime import datetime
from pathlib import Path
from unittest import mock

from bot.clock import ScaledClock
from bot.logs import LOG_FORMAT
from bot.main import serve
from bot.settings import Settings, read_settings
from core import failpoints
from tests.crashes.orders import DIED_AS_TOLD, TERMINAL, Order


def live(order: Order) -> int:
    """Be a bot until SIGTERM, or until the death that is appointed; return the exit status."""
    _speak_into(order.log)
    os.environ.update(order.environ)
    failpoints.arm(Appointment(order).passes)
    clock = None
    if order.clock is not None:
        speed, start, began = order.clock
        clock = ScaledClock(speed, datetime.fromisoformat(start), began)
    try:
        # A picture takes two seconds of a processor, thousands of deaths have none to spare; what becomes of one in a crash
        # is tested in tests/bot/slack/test_pictures.py.
        with mock.patch("bot.main.drawer", return_value=None):
            asyncio.run(serve(read_settings(Settings, order.environ, dotenv=None), clock=clock))
    except BaseException:  # noqa: BLE001 - beyond this lies the code of the process that we were forked from
        traceback.print_exc()
        return 1
    finally:
        sys.stderr.flush()
    return 0


def _speak_into(log: Path) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, force=True)


class Appointment:
    """Writes down what is passed, and ends the process in the middle of everything where it is told to."""

    def __init__(self, order: Order) -> None:
        self._death = order.death
        self._database = order.environ["CONVOX_DATABASE"]
        self._trace = os.open(order.trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._passed: Counter[str] = Counter()

    def passes(self, name: str) -> None:
        os.write(self._trace, f"{name}\n".encode())
        death = self._death
        if death is None or death.point != name or not self._is(death.state):
            return
        self._passed[name] += 1
        if self._passed[name] == death.passage:
            os._exit(DIED_AS_TOLD)

    def _is(self, state: str) -> bool:
        """Look into the database, since a name alone does not tell which message or which stage is at hand."""
        if not state:
            return True
        sending = "SELECT 1 FROM outbox WHERE kind = 'terminal' AND state = 'sending'"
        statement = sending if state == TERMINAL else "SELECT 1 FROM promotions WHERE phase = ?"
        connection = sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)
        try:
            given = () if state == TERMINAL else (state,)
            return connection.execute(statement, given).fetchone() is not None
        finally:
            connection.close()
