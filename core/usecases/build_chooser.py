"""What a build can be made of, for whoever is asked before there is one: images, or a repository that the cluster clones."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from core.actor import Caller
from core.errors import Conflict, NotFound
from core.lifecycle.access import Access
from core.ports.store import Store, StoreReader
from core.usecases.build_registrar import NewestBuild
from core.usecases.registrar import Registrar

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSource:
    """Of what an app was built last.

    Attributes:
        url: of its repository, "" where that is not known as an address.
        ref: its branch or tag, where the cluster has cloned it.
        cloned: the cluster has; else CI says that it built of it.
    """

    url: str = ""
    ref: str = ""
    cloned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildChoices:
    """What the next build of an app can be made of.

    Attributes:
        newest: whose manifest is registered again with other images; None where there is none to give.
        hosts: of git, where the app has a token.
        last: of what it was built last.
        why_not: why this rack clones and builds nothing, or "".
    """

    newest: NewestBuild | None
    hosts: tuple[str, ...] = ()
    last: BuildSource = BuildSource()
    why_not: str = ""


class BuildChooser:
    """Offers what can be built to whoever may build it; it changes nothing."""

    def __init__(
        self, store: Store, access: Access, registrar: Registrar, why_not: Callable[[], str]
    ) -> None:
        """Wire it; `why_not`: why this rack builds nothing, or ""."""
        self._store = store
        self._access = access
        self._registrar = registrar
        self._why_not = why_not

    async def choices(
        self, caller: Caller, app: str, *, to_promote: bool, images_alone: bool
    ) -> BuildChoices:
        """Return what there is to choose.

        Args:
            caller: who asks.
            app: whose build.
            to_promote: its release goes out next.
            images_alone: no repository is asked for.

        Raises:
            Forbidden: they may not build, or not promote.
            NotFound, Conflict: there is nothing to choose, since nothing was built yet, or no service is built.
        """
        why_not = self._why_not()
        if images_alone or why_not:
            there = await self._registrar.newest_build(caller, app, to_promote=to_promote)
            return BuildChoices(newest=there, why_not=why_not)
        actor = await self._access.require(caller.actor, "build", app)
        if to_promote:
            await self._access.require(actor, "promote", app)
        read = self._store.read
        await read.app(app)
        newest: NewestBuild | None = None
        try:
            newest = await self._registrar.newest_build(caller, app, to_promote=to_promote)
        except (NotFound, Conflict) as error:
            log.debug("%s has no images to give: %s", app, error)
        hosts = tuple(each.host for each in await read.git_accounts(app))
        return BuildChoices(newest=newest, hosts=hosts, last=await _last_source(read, app))


async def _last_source(read: StoreReader, app: str) -> BuildSource:
    entries = [*await read.builds(app, 1), *await read.build_entries(app, 1)]
    for entry in sorted(entries, key=lambda each: each.started_at, reverse=True):
        try:
            request = (await read.build_run(entry.id)).request
        except NotFound:
            request = None  # it was made elsewhere
        if request is not None and request.git_url:
            return BuildSource(url=request.git_url, ref=request.git_ref, cloned=True)
        if entry.repository.startswith("https://"):
            return BuildSource(url=entry.repository)
    return BuildSource()
