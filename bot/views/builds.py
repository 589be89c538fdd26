"""Builds as Convox lists and shows them."""

from collections.abc import Sequence
from datetime import datetime

from bot.views.tables import Table, facts, passage, table
from bot.views.times import elapsed, humanise, stamp
from core.build_run import BuildRun
from core.records.build import Build, BuildEntry, BuildStatus, is_pinned
from core.records.git_account import GitAccount
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
        essential=("ID", "RELEASE", "DESCRIPTION"),
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


def build_run_info(run: BuildRun, now: datetime) -> Sentence:
    """Return the facts of a build that has made no release, and why, or what it waits for."""
    started = run.started_at or run.created_at
    shown = facts(
        [
            ("Id", run.id),
            ("Status", run.status),
            ("Release", run.release),
            ("Description", passage(run.request.message or run.request.description)),
            *([("Commit", run.request.git_sha)] if run.request.git_sha else []),
            ("Started", humanise(started, now)),
            ("Elapsed", elapsed(started, run.ended_at)),
        ]
    )
    if run.waits:
        return Sentence.of(shown, f"\n\nwaiting: {run.waits}")
    return Sentence.of(shown, f"\n\n{run.status}: ", run.reason) if run.reason else Sentence.of(shown)


def nothing_built(run: BuildRun) -> str:
    """Say why there is no line of a log."""
    return "it waits for its turn" if run.status is BuildStatus.CREATED else "nothing is written yet, or was"


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


def account_list(logins: Sequence[RegistryAccount | GitAccount], now: datetime) -> Table:
    """Return the table of `registries`, and of `git`."""
    rows = [(each.host, each.user, humanise(each.created_at, now)) for each in logins]
    return table(("SERVER", "USERNAME", "ADDED"), rows)
