"""What the machine of the tests says of its own terminal is nothing to them."""

import pytest

from tests.bot.cli.window import NOT_OURS


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in NOT_OURS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
