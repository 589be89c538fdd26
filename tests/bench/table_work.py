"""What one rollout asks of the database and of Slack: both are shared by all rollouts, so this is what does not scale."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.acks import Acks
from tests.bench.arena import POLICY, arena
from tests.bench.fleet import Fleet, calls_of
from tests.bench.tables import Goal, Table, shown

NAME = "work"
COLUMNS = [
    "what",
    "write transactions",
    "statements that read",
    "that write",
    "posts",
    "edits",
    "other calls",
]
WRITING = ("INSERT", "UPDATE", "DELETE", "WRITE")
# BEGIN … COMMIT, and a change outside of both.
TRANSACTIONS = ("COMMIT", "WRITE")
TRANSACTIONS_GOAL = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One row: so many promotions at once of images with this tag, and how each must end."""

    what: str
    size: int
    tag: str
    ending: str


TRIALS = (
    Trial(what="a good release", size=1, tag="v1", ending="OK"),
    Trial(what="ten of them at once, each", size=10, tag="v2", ending="OK"),
    Trial(
        what="an image that does not exist, rolled back", size=1, tag="notfound", ending="ERROR: rolled back"
    ),
)


class Trace:
    """What a traced bot has written down since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = 0

    def news(self) -> Counter[str]:
        """Return verb → statements since the last call."""
        verbs = self._path.read_text().split()
        fresh, self._seen = verbs[self._seen :], len(verbs)
        return Counter(fresh)


async def measure(
    *, trials: Sequence[Trial] = TRIALS, pods: int = 10, policy: str = POLICY, within: float = 300.0
) -> Table:
    """Count what each trial asks, from the command to the last word in Slack."""
    rows, transactions = [], []
    size = max(trial.size for trial in trials)
    async with arena(policy=policy, nodes=2 + size * pods // 30) as made:
        fleet = Fleet(made, size)
        trace = Trace(made.folder / "trace")
        async with made.bot(trace=made.folder / "trace") as bot:
            await fleet.create(bot)
            first = await fleet.builds(bot, fleet.apps, pods=pods, tag="v0")
            await fleet.promote(bot, fleet.apps, first, Acks(), within=within)
            for trial in trials:
                apps = fleet.apps[: trial.size]
                releases = await fleet.builds(bot, apps, pods=pods, tag=trial.tag)
                trace.news()
                made.slack.calls.clear()
                await fleet.promote(bot, apps, releases, Acks(), within=within)
                endings = [told.text for told in fleet.told(apps)]
                assert all(text.startswith(trial.ending) for text in endings), endings
                statements, calls = trace.news(), calls_of(made)
                rows.append(_cells(trial, statements, calls))
                transactions.append(sum(statements[verb] for verb in TRANSACTIONS) / trial.size)
    return Table(
        name=NAME,
        title="What a rollout asks of SQLite and Slack",
        columns=COLUMNS,
        rows=rows,
        goals=[
            Goal(
                what=f"write transactions of a good rollout of {pods} pods, alone or among ten",
                found=max(
                    each for each, trial in zip(transactions, trials, strict=True) if trial.ending == "OK"
                ),
                limit=TRANSACTIONS_GOAL,
                unit="",
                how="≤",
            )
        ],
        notes=(
            f"A second release of {pods} pods takes the place of the first. Everything is counted from the command until Slack has "
            "been quiet for some seconds: the inbox, the request, the rollout, the card, the thread. SQLite itself tells the statements; "
            "a change outside of BEGIN … COMMIT counts as a transaction. Numbers are those of one promotion."
        ),
    )


def _cells(trial: Trial, statements: Counter[str], calls: Counter[str]) -> list[str]:
    posts, edits = calls["chat.postMessage"], calls["chat.update"]
    others = sum(n for name, n in calls.items() if not name.endswith("refused")) - posts - edits
    numbers = [
        sum(statements[verb] for verb in TRANSACTIONS),
        statements["SELECT"] + statements["WITH"],
        sum(statements[verb] for verb in WRITING),
        posts,
        edits,
        others,
    ]
    return [trial.what, *(shown(number / trial.size, "") for number in numbers)]
