"""Builds as Convox lists and shows them."""

from collections.abc import Sequence
from datetime import datetime

from bot.views.tables import facts, table
from bot.views.times import elapsed, humanise
from core.records.build import BuildEntry


def build_list(builds: Sequence[BuildEntry], now: datetime) -> str:
    """Return the table of `builds`."""
    return table(
        ("ID", "STATUS", "RELEASE", "STARTED", "ELAPSED", "DESCRIPTION"),
        [
            (
                build.id,
                build.status,
                build.release,
                humanise(build.started_at, now),
                elapsed(build.started_at, build.ended_at),
                build.description,
            )
            for build in builds
        ],
    )


def build_info(build: BuildEntry, now: datetime) -> str:
    """Return the facts of `builds info`."""
    return facts(
        [
            ("Id", build.id),
            ("Status", build.status),
            ("Release", build.release),
            ("Description", build.description),
            ("Started", humanise(build.started_at, now)),
            ("Elapsed", elapsed(build.started_at, build.ended_at)),
        ]
    )
