"""What somebody should know of a release before it runs: of which keys of its manifest nothing comes on this rack."""

import asyncio

from core.errors import Invalid
from core.manifest.convox_yml import parse_manifest
from core.ports.cluster import Cluster
from core.records.build import Build
from core.records.release import Release


async def notes_on(cluster: Cluster, release: Release, build: Build | None) -> tuple[str, ...]:
    """Return the notes on a release, read off the loop; none where its manifest cannot be read with its variables."""
    if build is None:
        return ()
    text = build.manifest

    def work() -> tuple[str, ...]:
        try:
            return cluster.notes(parse_manifest(text, release.environment, complete=False))
        except Invalid:
            return ()

    return await asyncio.to_thread(work)
