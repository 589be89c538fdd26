"""What the cluster is told to build, read anew whenever a build goes on: nothing secret is stored a second time.

Its variables are those of the release that it has begun with, whatever was set since: its pod may have them already. Logins
are those of now, since what was removed is not to be used any more; the pod does without.
"""

import asyncio

from core.build_run import BuildRun
from core.lifecycle.build_source import source_token, wanted_images
from core.lifecycle.holds import fork_point
from core.ports.builds import BuildJobSpec, GitClone
from core.ports.store import StoreReader
from core.records.environment import Environment
from core.records.git_address import host_of_git


async def job_spec(read: StoreReader, run: BuildRun) -> BuildJobSpec:
    """Return what a Job is to build.

    Raises:
        UserError: nothing can be built of it.
    """
    environment = await build_environment(read, run)
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


async def build_environment(read: StoreReader, run: BuildRun) -> Environment:
    """Return the variables that a build is built with: of one that has not begun, those of the release that would be forked now."""
    base = run.base
    if base is None:
        fork, _ = await fork_point(read, run.app)
        base = fork.id if fork else ""
    return (await read.release(run.app, base)).environment if base else Environment()


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
