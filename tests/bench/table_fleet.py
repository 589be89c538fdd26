"""A hundred rollouts at once: what they cost, whether people are still answered, when the verdicts are heard."""

from collections.abc import Sequence
from statistics import median

from tests.bench.acks import Acks, somebody_else
from tests.bench.arena import POLICY, arena
from tests.bench.figures import difference, milliseconds, quantile
from tests.bench.fleet import Fleet, Told, calls_of
from tests.bench.loops import own_lag
from tests.bench.machine import memory
from tests.bench.tables import Goal, Table, shown

NAME = "fleet"
COLUMNS = [
    "rollouts × pods", "over after", "OK", "CPU of the bot", "most memory", "loop lag p50 / p99, ms",
    "ack p50 / p99 / max, ms", "verdict said after median / max", "posts, refused", "edits, refused", "Slack's own lag p99, ms",
]  # fmt: skip
# Pods of the simulated nodes: 110 each.
PODS_OF_A_NODE = 60
ACK_EVERY = 0.5


class FleetRow:
    """What was measured of so many rollouts at once."""

    def __init__(self, size: int, pods: int) -> None:
        self.size, self.pods = size, pods
        self.acks = Acks()
        self.took = self.cpu = self.memory = 0.0
        self.lag: dict[float, float] = {}
        self.slack_lag = 0.0
        self.told: list[Told] = []
        self.calls: dict[str, int] = {}

    @property
    def delays(self) -> list[float]:
        return [each.delay for each in self.told]

    @property
    def cells(self) -> list[str]:
        good = sum(each.text.startswith("OK") for each in self.told)
        count = self.calls.get
        return [
            f"{self.size} × {self.pods}",
            shown(self.took, "s"),
            f"{good} of {self.size}",
            shown(self.cpu, "s"),
            shown(self.memory, "MB"),
            " / ".join(milliseconds(quantile(self.lag, share)) for share in (0.5, 0.99)),
            self.acks.cell,
            " / ".join(shown(each, "s") for each in (median(self.delays), max(self.delays))),
            f"{count('chat.postMessage', 0)}, {count('chat.postMessage refused', 0)}",
            f"{count('chat.update', 0)}, {count('chat.update refused', 0)}",
            milliseconds(self.slack_lag),
        ]


async def measure(
    *,
    sizes: Sequence[int] = (1, 10, 100),
    pods: int = 10,
    policy: str = POLICY,
    within: float = 600.0,
) -> Table:
    """Roll out a second release of so many apps at once; each row has a bot that has just started.

    Args:
        sizes: how many apps are promoted at once, one row each.
        pods: of each app.
        policy: text of the policy file.
        within: seconds after which a row has failed.
    """
    largest = max(sizes)
    rows = []
    async with arena(policy=policy, nodes=2 + 2 * largest * pods // PODS_OF_A_NODE) as made:
        fleet = Fleet(made, largest)
        async with made.bot() as bot:
            await fleet.create(bot)
            first = await fleet.builds(bot, fleet.apps, pods=pods, tag="v0")
            await fleet.promote(bot, fleet.apps, first, Acks(), within=within)
        for number, size in enumerate(sizes, start=1):
            row, apps = FleetRow(size, pods), fleet.apps[:size]
            async with made.bot() as bot:
                releases = await fleet.builds(bot, apps, pods=pods, tag=f"v{number}")
                made.slack.calls.clear()
                cpu, lag = bot.cpu, await bot.lag()
                async with somebody_else(made.slack, row.acks, every=ACK_EVERY), own_lag() as own:
                    row.took = await fleet.promote(bot, apps, releases, row.acks, within=within)
                row.cpu, row.lag = bot.cpu - cpu, difference(await bot.lag(), lag)
                row.memory = memory(bot.process.pid, "VmHWM")
                row.calls = dict(calls_of(made))
                row.slack_lag, row.told = own.p99, fleet.told(apps)
            rows.append(row)
    return _table(rows)


def _table(rows: Sequence[FleetRow]) -> Table:
    biggest, alone = rows[-1], rows[0]
    return Table(
        name=NAME,
        title="Many rollouts at once",
        columns=COLUMNS,
        rows=[row.cells for row in rows],
        goals=_goals(rows, biggest, alone),
        notes=(
            "Apps whose second release replaces the first, all promoted in the same moment, each from a channel of its own, with "
            f"the policy's defaults. Meanwhile somebody else types `/convox help` elsewhere every {ACK_EVERY:g} s. The bot is one "
            "process, the simulated cluster another, the emulated Slack a third, which keeps Slack's limits. CPU is the bot's from "
            "the first command until Slack has been quiet for some seconds; those commands and their answers included; memory the most that was resident. A verdict is given "
            "when the database says so, and said when the thread shows it. Refused calls are those that Slack answered with 429."
        ),
    )


def _goals(rows: Sequence[FleetRow], biggest: FleetRow, alone: FleetRow) -> list[Goal]:
    name = f"{biggest.size} × {biggest.pods}"
    return [
        Goal(what="ack p99, every row", found=max(r.acks.p99 for r in rows), limit=0.150, unit="ms"),
        Goal(what="slowest ack, every row", found=max(r.acks.most for r in rows), limit=1.0, unit="ms"),
        Goal(what=f"CPU of the bot, {name}", found=biggest.cpu, limit=10.0, unit="s"),
        Goal(what=f"memory, {name}", found=biggest.memory, limit=200_000_000, unit="MB"),
        Goal(what=f"loop lag p99, {name}", found=quantile(biggest.lag, 0.99), limit=0.050, unit="ms"),
        Goal(what=f"last verdict said, {name}", found=max(biggest.delays), limit=25.0, unit="s", how="≤"),
        Goal(what="a verdict alone said", found=max(alone.delays), limit=2.0, unit="s", how="≤"),
        Goal(
            what="posts refused by Slack",
            found=float(sum(r.calls.get("chat.postMessage refused", 0) for r in rows)),
            limit=0,
            unit="",
            how="≤",
        ),
    ]
