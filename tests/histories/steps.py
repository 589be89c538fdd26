"""What may happen in a history: people, CI, deaths, and trouble; each step is a value whose text makes it again."""

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from bot.playground.slack.people import people

ALICE, BOB, CAROL, GUEST = (person.id for person in people()[:4])


@dataclass(frozen=True)
class Build:
    """CI registers a build whose pods behave like that."""

    behaves: str


@dataclass(frozen=True)
class Type:
    """Somebody types a command; `{0}` is the newest release, `{1}` the one before, `{p}` the newest promotion."""

    user: str
    words: str


@dataclass(frozen=True)
class Click:
    """Somebody presses a button of the newest card but so many; a slow one arrives after the next step."""

    user: str
    button: str
    card: int = 0
    slow: bool = False


@dataclass(frozen=True)
class Again:
    """Slack delivers once more what it delivered so many deliveries ago."""

    ago: int


@dataclass(frozen=True)
class Wait:
    """Nobody does anything for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Die:
    """The process dies at the failpoint after so many; at once for 0. It is started again."""

    after: int


@dataclass(frozen=True)
class Restart:
    """The process is stopped as SIGTERM does, and started again."""


@dataclass(frozen=True)
class Trouble:
    """The cluster is `away`, `blind` or `refuses` for so many seconds."""

    what: str
    seconds: float


@dataclass(frozen=True)
class Lost:
    """The next call of a method is lost on its way to Slack, or its answer is."""

    method: str
    done: bool


@dataclass(frozen=True)
class SlackAway:
    """Slack hangs up on everybody for so many seconds."""

    seconds: float


Step = Build | Type | Click | Again | Wait | Die | Restart | Trouble | Lost | SlackAway


@dataclass(frozen=True)
class History:
    """What happens to one app whose promotions need so many approvals; `luck` decides what runs before what.

    Attributes:
        countdown: how long a failed rollout waits before it goes back.
    """

    approvals: int
    luck: int
    steps: tuple[Step, ...]
    countdown: str = "0s"

    def script(self) -> str:
        """Return the test that makes this very history again."""
        lines = "\n".join(f"            {step!r}," for step in self.steps)
        return (
            "def test_a_history_that_went_wrong():\n"
            f"    history = History(\n        approvals={self.approvals},\n        luck={self.luck},\n"
            f"        steps=(\n{lines}\n        ),\n        countdown={self.countdown!r},\n    )\n    assert played(history) == []\n"
        )


WORDS = (
    "releases promote {0}", "releases promote {0}", "releases promote {0}", "releases promote", "releases promote {1}",
    "releases promote {0} --force", "releases promote {1} --force", 'releases promote {0} --anyway "because"',
    "releases rollback {1}", "releases rollback {2}", "apps cancel", "cancel {p}", "approve {p}", "decline {p} no",
    "env set COLOUR=blue --promote", "env set COLOUR=red", "releases promote {0} --queue", "releases promote {1} --queue",
    "releases promote {0} at 2026-01-01T12:10Z", "stop {p}", "snooze {p}",
)  # fmt: skip
METHODS = ("chat.postMessage", "chat.update", "conversations.replies", "conversations.history", "users.info")
SECONDS = (0.0, 0.3, 1.0, 2.0, 4.0, 8.0, 15.0, 25.0, 60.0, 200.0, 1900.0)
_users = st.sampled_from((ALICE, BOB, ALICE, BOB, CAROL, GUEST))
_approving = st.sampled_from((CAROL, BOB, CAROL, BOB, ALICE, GUEST))
_kinds: dict[str, SearchStrategy[Step]] = {
    "type": st.builds(Type, _users, st.sampled_from(WORDS)),
    "approve": st.builds(Click, _approving, st.just("approve"), st.sampled_from((0, 0, 0, 1)), st.booleans()),
    "press": st.builds(
        Click,
        _users,
        st.sampled_from(("decline", "cancel", "stop", "snooze", "roll_back_now")),
        st.sampled_from((0, 0, 1, 2)),
        st.booleans(),
    ),
    "build": st.builds(Build, st.sampled_from(("good", "good", "missing", "late", "never"))),
    "wait": st.builds(Wait, st.sampled_from(SECONDS)),
    "die": st.builds(Die, st.integers(0, 12)),
    "again": st.builds(Again, st.integers(0, 3)),
    "lost": st.builds(Lost, st.sampled_from(METHODS), st.booleans()),
    "trouble": st.builds(
        Trouble, st.sampled_from(("away", "blind", "refuses")), st.sampled_from((2.0, 20.0, 90.0))
    ),
    "slack": st.builds(SlackAway, st.sampled_from((3.0, 30.0, 90.0))),
    "restart": st.just(Restart()),
}
# How often each kind happens, of all.
OFTEN = {
    "type": 6, "approve": 5, "press": 2, "build": 3, "wait": 7, "die": 3, "again": 2, "lost": 2, "trouble": 2, "slack": 1,
    "restart": 1,
}  # fmt: skip
_steps = st.sampled_from([kind for kind, times in OFTEN.items() for _ in range(times)]).flatmap(
    _kinds.__getitem__
)
LONGEST = 24
histories = st.builds(
    History,
    st.sampled_from((0, 0, 1, 2)),
    st.integers(0, 2**16),
    # Every length is as likely as another: lists of any length are mostly short ones.
    st.integers(1, LONGEST)
    .flatmap(lambda length: st.lists(_steps, min_size=length, max_size=length))
    .map(lambda steps: (Build("good"), Type(ALICE, "releases promote {0}"), *steps)),
    st.sampled_from(("0s", "0s", "30s")),
)
