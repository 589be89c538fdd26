"""What somebody should know of a release before it runs: of which keys of its manifest nothing comes on this rack."""

import asyncio

from core.errors import Invalid
from core.manifest.convox_yml import parse_manifest
from core.ports.cluster import Cluster
from core.records.build import Build
from core.records.environment import Environment

NO_VARIABLES = Environment()


async def notes_on(
    cluster: Cluster, build: Build | None, environment: Environment = NO_VARIABLES
) -> tuple[str, ...]:
    """Return the notes on a build with the variables of a release; none where its manifest cannot be read with them."""
    if build is None:
        return ()
    text = build.manifest

    def work() -> tuple[str, ...]:
        try:
            return cluster.notes(parse_manifest(text, environment, complete=False))
        except Invalid:
            return ()

    return await asyncio.to_thread(work)  # a large file takes long to read
