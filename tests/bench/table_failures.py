"""How long an image that does not exist is out: until somebody says so, and until what ran before runs again."""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from tests.bench.acks import Acks
from tests.bench.arena import POLICY, Arena
from tests.bench.fleet import Fleet
from tests.bench.kube import RACK, Kubectl, by_hand, real_arena
from tests.bench.tables import Table, shown

NAME = "failures"
COLUMNS = ["who", "verdict after", "rolled back after"]
TITLE = "An image that does not exist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Seconds from the command to the verdict and to the end of the way back."""

    verdict: float
    back: float


async def measure(
    *, pods: int = 10, patience: int = 60, policy: str = POLICY, within: float = 300.0
) -> Table:
    """Roll out an image that does not exist, with the bot and with kubectl.

    Args:
        pods: of the Deployment.
        patience: seconds after which the person with kubectl has seen enough.
        policy: text of the policy file.
        within: seconds after which the bot has failed the bench.
    """
    async with real_arena(policy=policy) as stage:
        fleet = Fleet(stage.arena, 1)
        (app,) = fleet.apps
        await stage.plane.create_app(RACK, app.name)
        async with stage.arena.bot() as bot:
            await fleet.create(bot)
            good = await fleet.builds(bot, [app], pods=pods, tag="v0")
            await fleet.promote(bot, [app], good, Acks(), within=within)
            bad = await fleet.builds(bot, [app], pods=pods, tag="notfound")
            began = time.time()
            await fleet.promote(bot, [app], bad, Acks(), within=within)
            (told,) = fleet.told([app])
            assert told.text.startswith("ERROR: rolled back"), told.text
        failed = _failed(stage.arena, began)
        document = by_hand(await stage.deployment(f"{RACK}-{app.name}"))
        person = Kubectl(stage.plane, "by-hand", document)
        await person.prepare()
        await person.apply("registry.example/web:notfound")
        assert await person.status(patience), "kubectl took an image that does not exist for a good one"
        undone = await person.undone()
    limit = document["spec"].get("progressDeadlineSeconds", 600)
    return Table(
        name=NAME,
        title=TITLE,
        columns=COLUMNS,
        rows=[
            ["convox-bot", shown(failed.verdict, "s"), shown(failed.back, "s")],
            [
                "kubectl",
                f"none after {patience} s",
                f"{shown(undone, 's')} after somebody types `kubectl rollout undo`",
            ],
        ],
        notes=(
            f"{pods} pods on a real control plane with simulated nodes. The bot: from the command in Slack to its verdict, and to the end "
            "of the rollback, which it has verified then. `kubectl rollout status` says nothing before the Deployment's "
            f"progressDeadlineSeconds, {limit} here, and undoes nothing by itself; the last figure is `kubectl rollout undo` with its "
            "`kubectl rollout status`."
        ),
    )


def _failed(arena: Arena, began: float) -> Failed:
    """Read from the database when the way back began and when it had ended."""
    query = "SELECT stage_at, settled_at FROM promotions ORDER BY number DESC LIMIT 1"
    with closing(sqlite3.connect(f"file:{arena.database}?mode=ro", uri=True)) as connection:
        stage_at, settled_at = connection.execute(query).fetchone()
    verdict, back = (datetime.fromisoformat(at).timestamp() - began for at in (stage_at, settled_at))
    return Failed(verdict=verdict, back=back)
