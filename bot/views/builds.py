"""Builds as Convox lists and shows them."""

from collections.abc import Sequence
from datetime import datetime

from bot.views.tables import Table, facts, passage, table
from bot.views.times import elapsed, humanise, stamp
from core.records.build import Build, BuildEntry, is_pinned
from core.records.registry_account import RegistryAccount
from core.sentence import Sentence


def build_list(builds: Sequence[BuildEntry], now: datetime) -> Table:
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


def build_info(build: Build, now: datetime) -> str:
    """Return the facts of `builds info`."""
    return facts(
        [
            ("Id", build.id),
            ("Status", build.status),
            ("Release", build.release),
            ("Description", passage(build.text)),
            *([("Commit", build.git_sha)] if build.git_sha else []),
            *([("Repository", build.repository)] if build.repository else []),
            ("Started", humanise(build.started_at, now)),
            ("Elapsed", elapsed(build.started_at, build.ended_at)),
        ]
    )


def build_logs(build: Build) -> Sentence:
    """Return what is known of a build: it was made elsewhere, and its log is there."""
    images = [
        f"{service}: {image}{'' if is_pinned(image) else ' (not pinned)'}"
        for service, image in build.images.items()
    ]
    commit = [f"commit {build.git_sha}"] if build.git_sha else []
    made = Sentence.of(
        f"{stamp(build.started_at)} registered by ", build.created_by, "; its own log is where it was built"
    )
    return Sentence.join("\n", [made, *commit, *images])


def registry_list(logins: Sequence[RegistryAccount], now: datetime) -> Table:
    """Return the table of `registries`."""
    rows = [(each.host, each.user, humanise(each.created_at, now)) for each in logins]
    return table(("SERVER", "USERNAME", "ADDED"), rows)
