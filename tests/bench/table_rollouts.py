"""How long a promote takes beside `kubectl apply && kubectl rollout status`, in the same run on the same control plane."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.bench.acks import Acks
from tests.bench.arena import POLICY
from tests.bench.bots import RunningBot
from tests.bench.fleet import Fleet, MemberApp
from tests.bench.kube import RACK, Kubectl, RealArena, by_hand, real_arena
from tests.bench.machine import second_hand
from tests.bench.tables import Goal, Table, shown

NAME = "rollouts"
COLUMNS = ["pods", "kubectl complete", "bot: complete", "bot ÷ kubectl", "bot: `OK`", "`OK` after complete"]


@dataclass(slots=True)
class RolloutRow:
    """Seconds of each repetition."""

    pods: int
    kubectl: list[float] = field(default_factory=list)
    complete: list[float] = field(default_factory=list)
    ok: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return median(self.complete) / median(self.kubectl)

    @property
    def cells(self) -> list[str]:
        times = [median(each) for each in (self.kubectl, self.complete, self.ok)]
        kubectl, complete, ok = (shown(each, "s") for each in times)
        after = median(o - c for o, c in zip(self.ok, self.complete, strict=True))
        return [str(self.pods), kubectl, complete, shown(self.ratio, "×"), ok, shown(after, "s")]


async def measure(
    *, counts: Sequence[int] = (1, 3, 10, 20), times: int = 3, policy: str = POLICY, within: float = 300.0
) -> Table:
    """Roll out by turns, the bot and a person with kubectl, the same Deployment with so many pods."""
    rows = []
    async with real_arena(policy=policy) as stage:
        fleet = Fleet(stage.arena, len(counts))
        for app in fleet.apps:
            await stage.plane.create_app(RACK, app.name)
        async with stage.arena.bot() as bot:
            await fleet.create(bot)
            for app, pods in zip(fleet.apps, counts, strict=True):
                rows.append(await _row(stage, bot, fleet, app, RolloutRow(pods), times, within))
    return Table(
        name=NAME,
        title="A promote beside kubectl",
        columns=COLUMNS,
        rows=[row.cells for row in rows],
        goals=[
            Goal(
                what="complete ÷ kubectl, every row",
                found=max(row.ratio for row in rows),
                limit=1.0,
                unit="×",
                how="≤",
            )
        ],
        notes=(
            f"Medians of {times} rollouts each, by turns. A real control plane with simulated nodes; both roll out the very same "
            "Deployment with another image. For kubectl: from the start of `kubectl apply` to the end of `kubectl rollout status`. For the "
            "bot: from the command in Slack, with the card, the dry run and everything that is asked before the first write. Complete is "
            "judged as kubectl judges it. `OK` comes after the settle window, in which kubectl does not look any more. Controllers count "
            "`minReadySeconds` in whole seconds of the clock, so both begin at the same parts of a second."
        ),
    )


async def _row(
    stage: RealArena,
    bot: RunningBot,
    fleet: Fleet,
    app: MemberApp,
    row: RolloutRow,
    times: int,
    within: float,
) -> RolloutRow:
    async def promote(tag: str, *, at: float = 0.0) -> tuple[float, float]:
        """Return the seconds until complete and until `OK`."""
        releases = await fleet.builds(bot, [app], pods=row.pods, tag=tag)
        await second_hand(at)
        seen = asyncio.create_task(stage.completed(app.name, releases[app.name]))
        # At first there is no Deployment to look at.
        if tag == "v0":
            seen.cancel()
        ok = await fleet.promote(bot, [app], releases, Acks(), within=within)
        (told,) = fleet.told([app])
        assert told.text.startswith("OK"), told.text
        return (0.0 if tag == "v0" else await seen), ok

    await promote("v0")
    document = by_hand(await stage.deployment(f"{RACK}-{app.name}"))
    person = Kubectl(stage.plane, f"by-hand-{app.name}", document)
    await person.prepare()
    for number in range(1, times + 1):
        complete, ok = await promote(f"v{number}", at=number / times)
        row.complete.append(complete)
        row.ok.append(ok)
        await second_hand(number / times)
        row.kubectl.append(await person.rolled_out(f"registry.example/web:v{number}"))
    return row
