"""The build that somebody names, and whether they may do what they name it for."""

from core.actor import Actor, Caller
from core.build_run import BuildRun
from core.errors import Conflict, NotFound
from core.lifecycle.access import Access
from core.policy.authorization import Verb
from core.ports.store import Store


async def seen_build(
    store: Store, access: Access, caller: Caller, build_id: str, verb: Verb
) -> tuple[Actor, BuildRun]:
    """Return who may do that, and the build; raise NotFound where there is none."""
    run = await store.read.build_run(build_id)
    return await access.require(caller.actor, verb, run.app), run


async def named_build(
    store: Store, access: Access, caller: Caller, build_id: str, app: str | None, *, made_elsewhere: str
) -> tuple[Actor, BuildRun]:
    """Return who may build it, and the build that they name.

    Args:
        store: where it is.
        access: who may.
        caller: who asks.
        build_id: which.
        app: whose it is said to be, if that is said.
        made_elsewhere: what follows for one that the cluster has not made.

    Raises:
        NotFound: there is none, or none of that app.
        Conflict: it was made elsewhere.
    """
    if app is None:
        return await seen_build(store, access, caller, build_id, "build")
    actor = await access.require(caller.actor, "build", app)
    await store.read.app(app)
    try:
        run = await store.read.build_run(build_id)
    except NotFound:
        await store.read.build(app, build_id)
        raise Conflict(f"build {build_id} was made elsewhere, {made_elsewhere}") from None
    if run.app != app:
        raise NotFound(f"no such build: {build_id}")
    return actor, run
