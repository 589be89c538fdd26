"""A clock is believed that somebody else confirms and nobody contradicts."""

from datetime import timedelta

import pytest

from bot.believed import confirmed_by
from core.errors import Unreachable
from tests.fakes import START, JumpingClock


def tells(seconds):
    async def time():
        if seconds is None:
            raise Unreachable("no route to host")
        return None if seconds == "nothing" else START + timedelta(seconds=seconds)

    return time


@pytest.mark.parametrize(
    ("cluster", "slack", "believed", "said"),
    [
        (0, 0, True, ""),
        (599, None, True, ""),
        ("nothing", -600, True, ""),
        (601, 0, False, "this machine is 601 s behind the API server"),
        # As on a machine that runs the API server as well.
        (0, -31536000, False, "this machine is 31536000 s ahead of Slack"),
        (None, "nothing", False, "until the API server or Slack says what time it is"),
    ],
)
async def test_one_confirms_and_nobody_contradicts(cluster, slack, believed, said, caplog):
    caplog.set_level("INFO")
    confirmed = confirmed_by(JumpingClock(), {"the API server": tells(cluster), "Slack": tells(slack)})
    assert await confirmed() is believed
    assert said in caplog.text
    assert ("nothing is deleted for its age" in caplog.text) is not believed
