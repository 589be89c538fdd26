"""An event as others read it: CloudEvents 1.0, structured, so that the signature covers what it says of itself as well.

What a receiver reads is what the records say when it is told; only of a promotion that has ended is told how it stands.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson

from core.errors import NotFound
from core.lifecycle.outcome import ending
from core.lifecycle.outgoing import ENDED
from core.lifecycle.redacting import redactor_of_releases
from core.ports.store import StoreReader
from core.promotion import Promotion
from core.records.build import BuildEntry
from core.records.outgoing_event import EVERY_APP, OutgoingEvent
from core.records.release import ReleaseEntry
from core.redaction import Redactor

MEDIA = "application/cloudevents+json; charset=utf-8"
SPEC = "1.0"
# Ours, as the specification wants it: a name that nobody else gives.
TYPE_PREFIX = "convox-bot."
MOST_TEXT = 2000  # characters of one text: an ending quotes what a cluster says
_STATUS = {"build.create": "complete", "build.fail": "failed", "build.cancel": "cancelled"}

Link = Callable[[str, str], str]


class CloudEventRenderer:
    """Records → CloudEvents.

    Args:
        read: the records.
        rack: whose events these are.
        installation: of the database, which makes the source of each event unique.
        link: the address of a message of Slack, by its channel and its ts.
    """

    def __init__(self, read: StoreReader, *, rack: str, link: Link) -> None:
        self._read = read
        self._rack = rack
        self._link = link

    async def body(self, event: OutgoingEvent) -> bytes:
        """Return an event as it is sent: the same bytes for the same records."""
        document = {
            "specversion": SPEC,
            "id": event.key,
            "source": f"urn:convox-bot:{await self._read.installation()}",
            "type": TYPE_PREFIX + event.type,
            "subject": event.subject,
            "time": event.at.isoformat(),
            "datacontenttype": "application/json",
            "data": await self._data(event),
        }
        return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)

    async def _data(self, event: OutgoingEvent) -> dict[str, Any]:
        data: dict[str, Any] = {"rack": self._rack, "app": event.app, "actor": event.actor.plain}
        match event.type.partition(".")[0]:
            case "freeze":
                redact = await self._redactor(event.app)
                for key in ("reason", "from", "until"):
                    if event.detail.get(key):
                        data[key] = _text(str(event.detail[key]), redact)
            case "promotion":
                data |= await self._of_promotion(event)
            case "release":
                data |= await self._of_release(event, str(event.detail.get("release") or event.subject))
            case _:
                data |= await self._of_build(event)
        return data

    async def _redactor(self, app: str, *releases: str | None) -> Redactor:
        """Return what knows the values of what is told of, and of what runs."""
        if app == EVERY_APP:
            return Redactor(())
        active = (await self._read.any_app(app)).active_release
        return await redactor_of_releases(self._read, app, [each for each in (*releases, active) if each])

    async def _of_promotion(self, event: OutgoingEvent) -> dict[str, Any]:
        promotion = await self._read.promotion(event.subject)
        redact = await self._redactor(promotion.app, promotion.release, promotion.back_to)
        told: dict[str, Any] = {
            "id": promotion.id,
            "kind": promotion.kind,
            "release": promotion.release,
            "requestedBy": promotion.requested_by.plain,
        }
        if card := await self._read.card(promotion.id):
            told["url"] = self._link(card.channel, card.ts) if card.ts else ""
        if event.type == ENDED:
            told |= _ended(promotion, redact)
        if event.type == "promotion.declined":
            told["reason"] = _text(str(promotion.reason), redact)
        return {"promotion": told, **await self._of_release(event, promotion.release)}

    async def _of_release(self, event: OutgoingEvent, release_id: str) -> dict[str, Any]:
        release = await self._read.release_entry(event.app, release_id)
        redact = await self._redactor(event.app, release.id)
        told = {"release": _release(release, redact)}
        if release.build is None:
            return told
        with suppress(NotFound):
            told["build"] = _build(await self._read.build_entry(event.app, release.build), redact)
        return told

    async def _of_build(self, event: OutgoingEvent) -> dict[str, Any]:
        if event.action == "build.create":
            build = await self._read.build_entry(event.app, event.subject)
        else:
            build = await self._read.build_run_entry(event.subject)
        redact = await self._redactor(event.app)
        return {"build": {**_build(build, redact), "status": _STATUS[event.action]}}


def _ended(promotion: Promotion, redact: Redactor) -> dict[str, Any]:
    """Say how it ended; `phase` is Convox's word, `ending` the first line of its last message."""
    return {
        "phase": str(promotion.phase),
        "ending": _text(str(ending(promotion)), redact),
        "reason": promotion.cause_kind,
        "rolledBackTo": promotion.back_to if promotion.phase == "Reverted" else None,
        "startedAt": promotion.started_at.isoformat() if promotion.started_at else None,
        "endedAt": promotion.settled_at.isoformat() if promotion.settled_at else None,
    }


def _release(release: ReleaseEntry, redact: Redactor) -> dict[str, Any]:
    return {
        "id": release.id,
        "description": _text(release.description, redact),
        "copyOf": release.copy_of,
    }


def _build(build: BuildEntry, redact: Redactor) -> dict[str, Any]:
    return {
        "id": build.id,
        "description": _text(build.description, redact),
        "gitSha": build.git_sha,
        "repository": build.repository,
    }


def _text(text: str, redact: Redactor) -> str:
    told = redact(text)
    return told if len(told) <= MOST_TEXT else f"{told[: MOST_TEXT - 1]}…"
