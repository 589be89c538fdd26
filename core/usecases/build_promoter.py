"""What becomes of the release of a build that was to be promoted: asked for once, or said why not.

That it is to be asked for is written in the transaction in which the build completes, and taken back in the one that writes its promotion. So a
process that dies in between neither forgets nor repeats it.
"""

import logging

from core.actor import Caller
from core.build_run import BuildRun
from core.errors import Forbidden, Unavailable, UserError
from core.lifecycle.access import Access
from core.ports.announcer import Announcer
from core.ports.store import Store, StoreReader
from core.records.push import PROMOTE_AFTER, PromoteAfter
from core.sentence import CommandLine, Sentence
from core.usecases.asking import PromotionRequest
from core.usecases.promoter import Promoter

log = logging.getLogger(__name__)


class BuildPromoter:
    """Asks for the releases of builds, in the name of whoever asked for the build and with no more rights than they have by now."""

    def __init__(self, store: Store, access: Access, promoter: Promoter, announcer: Announcer) -> None:
        self._store = store
        self._access = access
        self._promoter = promoter
        self._announcer = announcer

    async def promote_due(self) -> None:
        """Ask for each release that is due; one that makes trouble keeps no other.

        Raises:
            Unavailable: nothing can be started or written now; it is asked for later.
        """
        for run in await self._store.read.promotion_jobs():
            try:
                await self._promote(run)
            except Unavailable:
                raise
            except UserError as error:
                await self._give_up(run, error)
            except Exception:
                log.exception(
                    "the release %s of build %s could not be asked for; trying again", run.release, run.id
                )

    async def _promote(self, run: BuildRun) -> None:
        principal = await self._access.principal(run.created_by)
        if principal.unchecked:
            log.warning("the release of build %s waits: %s", run.id, principal.unchecked)
            return
        actor = run.created_by
        if actor.kind == "token" and await self._store.read.token_revoked_since(actor.id, run.created_at):
            raise Forbidden("that token was revoked while it was built")
        wanted = self._wanted(run)
        if wanted == "never":
            raise Forbidden("the policy does not have what is pushed there promoted any more")
        request = PromotionRequest(
            app=run.app, release=run.release, queue=True, approval=wanted == "ask", build=run.id
        )
        # Where the app has no channel it is told where its build was.
        caller = Caller(actor=run.created_by, source="http", channel=await _channel(self._store.read, run))
        result = await self._promoter.request(caller, request)
        log.info(
            "promotion %s was asked for: release %s of build %s", result.promotion.id, run.release, run.id
        )
        self._announcer.wake()

    def _wanted(self, run: BuildRun) -> PromoteAfter:
        """Return what was to be done, or the less of it that the policy still says of such a push."""
        asked, actor = run.request.promote_after, run.created_by
        if actor.kind != "webhook":
            return asked
        rules = self._access.policy.build_rules(actor.id, run.request.pushed_to)
        now: PromoteAfter = next((rule.promote for rule in rules if rule.app == run.app), "never")
        return min(asked, now, key=PROMOTE_AFTER.index)

    async def _give_up(self, run: BuildRun, refusal: UserError) -> None:
        """Leave the release to people, and tell them why."""
        log.warning("the release %s of build %s is not promoted: %s", run.release, run.id, refusal)
        async with self._store.transaction() as tx:
            if not await tx.finish_promotion_job(run.id):
                return
            await tx.audit(run.created_by, "build.unpromoted", run.id, {"app": run.app, "why": str(refusal)})
            app = await tx.any_app(run.app)
            linked = app.channel or self._access.policy.rules(run.app).channel
            if channel := linked or await _channel(tx, run):
                await tx.add_notice(channel, _refused(run, refusal))
        self._announcer.wake()


async def _channel(read: StoreReader, run: BuildRun) -> str | None:
    """Return where the card of a build is, None where it has none."""
    card = await read.card(run.id)
    return card.channel if card else None


def _refused(run: BuildRun, refusal: UserError) -> Sentence:
    return Sentence.of(
        f"Release {run.release} of build {run.id} is made, and was not promoted as ",
        run.created_by,
        " was to have it: ",
        refusal.sentence,
        ". To promote it: ",
        CommandLine(f"releases promote {run.release} -a {run.app}"),
    )
