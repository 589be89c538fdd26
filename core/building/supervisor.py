"""Who drives which build: one task an app, which takes its builds one after the other, and the work of a restart."""

import asyncio
import logging

from core.building.driver import PAUSE_SECONDS, BuildDriver, BuildPorts
from core.errors import Rejected, Unavailable, Unreachable
from core.log_context import log_about

log = logging.getLogger(__name__)

LONGEST_PAUSE = 60.0


class BuildSupervisor:
    """Owns the tasks that drive builds."""

    def __init__(self, ports: BuildPorts) -> None:
        self._ports = ports
        self._driver = BuildDriver(ports)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = False

    def look(self, app: str) -> None:
        """Do what is to be done of an app's builds: one was asked for, or one was cancelled."""
        self._driver.wake(app)
        if app not in self._tasks and not self._stopping:
            self._tasks[app] = asyncio.create_task(self._attend(app), name=f"builds of {app}")

    async def run(self) -> None:
        """Take up what an earlier life of this process has left; then return.

        It waits for no cluster: one that is away makes the bot degraded, never late (engine rule 37).
        """
        for app in sorted({run.app for run in await self._ports.store.read.open_builds()}):
            self.look(app)

    async def remove_orphans(self) -> None:
        """Remove Jobs of this installation whose build has ended or is not known: of a database that was restored, say."""
        if self._ports.cluster.why_not():
            return
        try:
            # The Jobs first: one that is made meanwhile has a build which was stored before it.
            left = set(await self._ports.cluster.left(await self._ports.store.read.installation()))
            for build in sorted(left - {run.id for run in await self._ports.store.read.open_builds()}):
                log.info("removing the Job of %s, which nobody waits for", build)
                await self._ports.cluster.remove(build)
        except (Rejected, Unreachable) as error:
            log.warning("Jobs that nobody waits for could not be removed; trying again: %s", error)

    async def stop(self) -> None:
        """Let go of every build where it is; the next start resumes it."""
        self._stopping = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def idle(self) -> None:
        """Wait until nothing is driven any more."""
        while tasks := list(self._tasks.values()):
            await asyncio.gather(*tasks)

    async def _attend(self, app: str) -> None:
        try:
            pause = PAUSE_SECONDS
            while not self._stopping:
                try:
                    run = await self._driver.next(app)
                    if run is None:
                        if self._driver.anything_new(app):
                            continue
                        return
                    log_about(app=app, build=run.id, delivery="")
                    await self._driver.advance(run)
                except (Rejected, Unreachable, Unavailable) as error:
                    log.warning("the builds of %s stand still: %s; they go on in %g s", app, error, pause)
                except Exception:
                    log.exception(
                        "the builds of %s met an error nobody foresaw; they go on in %g s", app, pause
                    )
                else:
                    pause = PAUSE_SECONDS
                    continue
                await self._ports.clock.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            # At once, so that whoever looks from now on begins anew.
            del self._tasks[app]
