"""Calling a freeze, and ending it: nothing new is promoted meanwhile, and the channels of the apps are told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from core.actor import Caller
from core.errors import Conflict, Invalid
from core.lifecycle.access import Access
from core.lifecycle.due import zone_of
from core.lifecycle.freezing import FrozenApp, frozen, frozen_by
from core.lifecycle.startable import check_startable
from core.policy.calendar import ZonedTime
from core.ports.announcer import Announcer
from core.ports.store import Store, Transaction
from core.records.freeze import EVERY_APP, MAX_REASON_CHARS, Freeze
from core.sentence import CommandLine, Sentence


class Freezer:
    """Freezes that people call: the right first, then one transaction with its audit row and its notices."""

    def __init__(
        self, store: Store, access: Access, announcer: Announcer, *, why_not_startable: Callable[[], str]
    ) -> None:
        """Take the records, who may do what, who is woken to tell, and a function that says why nothing may be written now, or ""."""
        self._store = store
        self._access = access
        self._announcer = announcer
        self._why_not_startable = why_not_startable

    async def freeze(
        self,
        caller: Caller,
        app: str,
        *,
        reason: str,
        until: ZonedTime | None,
        begins: ZonedTime | None = None,
    ) -> FrozenApp:
        """Freeze an app, or all (`*`), in place of the freeze that it has; times without a zone are in that of who asks.

        Args:
            caller: who asks.
            app: whose name, or `*`; that needs the right for all apps.
            reason: what whoever is refused is told.
            until: when it ends by itself; None where somebody has to end it.
            begins: when it begins; None is now.

        Raises:
            Invalid: there is no reason, or a time is over.
            Conflict: it would begin later, and end the freeze that is on now by taking its place.
            NotFound: there is no such app.
        """
        principal = await self._access.require_principal(caller.actor, "freeze", app)
        actor, theirs = principal.actor, zone_of(principal.zone).key
        check_startable(self._why_not_startable)
        until = until.said_in(theirs) if until else None
        begins = begins.said_in(theirs) if begins else None
        reason = " ".join(reason.split())
        if not reason or len(reason) > MAX_REASON_CHARS:
            raise Invalid(f"a freeze has a reason of at most {MAX_REASON_CHARS} characters", hint=EXAMPLE)
        async with self._store.transaction(delivery=caller.delivery) as tx:
            channels = await self._channels(tx, app)
            begin = _next(begins, tx.now)
            end = _next(until, begin or tx.now)
            if begin is not None:
                await self._check_free(tx, app)
            freeze = Freeze(
                app=app,
                reason=reason,
                by=actor,
                since=begin or tx.now,
                until=end,
                to_tell=begin is not None,
            )
            await tx.save_freeze(freeze)
            zone = next((each.zone for each in (until, begins) if each), theirs)
            made = replace(frozen_by(freeze, app), begins=begin, zone=zone)
            for channel in channels:
                await tx.add_notice(channel, made.sentence)
            detail = {"reason": reason, "from": str(freeze.since), "until": str(end) if end else None}
            await tx.audit(actor, "freeze.set", app, detail)
        self._announcer.wake()
        return made

    async def tell_begun(self, now: datetime) -> None:
        """Tell the channels of a freeze that was called for later when it has begun; each once, over a restart too."""
        if not any(each.to_tell and each.since <= now for each in await self._store.read.freezes()):
            return
        async with self._store.transaction() as tx:
            for freeze in [each for each in await tx.freezes() if each.to_tell and each.since <= now]:
                await tx.save_freeze(replace(freeze, to_tell=False))
                if freeze.over(now):
                    continue
                for channel in await self._channels(tx, freeze.app):
                    await tx.add_notice(channel, frozen_by(freeze, freeze.app).sentence)
        self._announcer.wake()

    async def zone(self, caller: Caller, app: str) -> str:
        """Return the time zone of somebody who would freeze an app, by its IANA name.

        Raises:
            Forbidden: they may not.
        """
        return zone_of((await self._access.require_principal(caller.actor, "freeze", app)).zone).key

    async def unfreeze(self, caller: Caller, app: str) -> FrozenApp | None:
        """End the freeze of an app, or that of all (`*`); return what freezes it all the same, None where nothing does.

        Raises:
            Conflict: nobody has called one; the sentence says what else freezes it.
        """
        actor = await self._access.require(caller.actor, "freeze", app)
        async with self._store.transaction(delivery=caller.delivery) as tx:
            channels = await self._channels(tx, app)
            before = [each for each in await tx.freezes() if each.app == app and not each.over(tx.now)]
            removed = await tx.remove_freeze(app)
            left = frozen(self._access.policy, await tx.freezes(), app, tx.now)
            if not (removed and before):
                raise Conflict(left.sentence if left else f"{_named(app)} is not frozen", hint=_else(left))
            for channel in channels:
                await tx.add_notice(
                    channel, Sentence.of(f"{_named(app)} is no longer frozen: ended by ", actor)
                )
            await tx.audit(actor, "freeze.end", app, {})
        self._announcer.wake()
        return left

    async def _check_free(self, tx: Transaction, app: str) -> None:
        """Refuse a freeze that begins later while one is on that it would replace."""
        now = [each for each in await tx.freezes() if each.app == app and each.holds(app, tx.now)]
        if now:
            raise Conflict(
                Sentence.of(f"{_named(app)} is frozen now by ", now[0].by),
                hint=Sentence.of("end that first: ", CommandLine(f"unfreeze {app}")),
            )

    async def _channels(self, tx: Transaction, app: str) -> list[str]:
        """Return the channels that are told; NotFound where there is no such app."""
        apps = await tx.apps() if app == EVERY_APP else [await tx.app(app)]
        return [each.channel for each in apps if each.channel]


EXAMPLE = Sentence.of('as in: freeze myapp until Mon 08:00 Europe/Berlin "the launch"')


def _next(said: ZonedTime | None, now: datetime) -> datetime | None:
    """Return when a time comes next; Invalid where it does not any more."""
    at = said.after(now) if said else None
    if said and at is None:
        raise Invalid(f"{said} is over", hint=EXAMPLE)
    return at


def _named(app: str) -> str:
    return "every app" if app == EVERY_APP else app


def _else(left: FrozenApp | None) -> str:
    """Say how the freeze that is left is ended, if it can be."""
    if left is None:
        return ""
    if left.by is None:
        return "that window stands in the policy file"
    return "`unfreeze *` ends it" if left.everywhere else ""
