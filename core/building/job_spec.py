"""What the cluster is told to build, read anew whenever a build goes on: nothing secret is stored a second time."""

import asyncio

from core.build_run import BuildRun
from core.lifecycle.build_source import source_token, wanted_images
from core.lifecycle.holds import fork_point
from core.ports.builds import BuildJobSpec
from core.ports.store import StoreReader
from core.records.environment import Environment


async def job_spec(read: StoreReader, run: BuildRun) -> BuildJobSpec:
    """Return what a Job is to build, with the variables of the release from which the new one will be forked.

    Raises:
        UserError: nothing can be built of it.
    """
    base, _ = await fork_point(read, run.app)
    environment = (await read.release(run.app, base.id)).environment if base else Environment()
    return BuildJobSpec(
        build=run.id,
        app=run.app,
        installation=await read.installation(),
        images=await asyncio.to_thread(wanted_images, run.request, environment),
        token=await source_token(read, run.id),
        no_cache=run.request.no_cache,
        secrets=dict(environment.pairs),
        logins=await read.registry_logins(run.app),
    )
