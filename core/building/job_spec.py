"""What the cluster is told to build, read anew whenever a build goes on: nothing secret is stored a second time."""

import asyncio

from core.build_run import BuildRun
from core.lifecycle.build_source import source_token, wanted_images
from core.lifecycle.holds import fork_point
from core.ports.builds import BuildJobSpec, GitClone
from core.ports.store import StoreReader
from core.records.environment import Environment
from core.records.git_address import host_of_git


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
        git=await _clone(read, run),
    )


async def _clone(read: StoreReader, run: BuildRun) -> GitClone | None:
    asked = run.request
    if not asked.git_url:
        return None
    host = host_of_git(asked.git_url)
    accounts = {each.host: each for each in await read.git_accounts(run.app)}
    return GitClone(
        url=asked.git_url,
        ref=asked.git_ref,
        commit=asked.git_sha,
        manifest_path=asked.manifest_path,
        account=accounts.get(host),
    )
