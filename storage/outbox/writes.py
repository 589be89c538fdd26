"""Asks for a card, a last message or a notice, written by the transaction whose outcome they tell."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from core.errors import Conflict
from core.ports.notices import NoticeKind
from core.records.release import Release
from core.sentence import Sentence
from storage.aggregate import AggregateWriter
from storage.codec import json, sentence_document, timestamp, timestamp_or_none


class OutboxWriter(AggregateWriter):
    """Of `core.ports.store.Transaction`; see there for what each method promises."""

    async def add_card(self, subject: str, channel: str) -> None:
        row = {"subject": subject, "channel": channel, "created_at": timestamp(self.now)}
        if not await self._session.run("add_card", row):
            raise Conflict(f"{subject} has its card already")

    async def add_terminal(self, subject: str) -> None:
        """Raise Conflict where a thread has its terminal message: there is exactly one."""
        row = {"subject": subject, "nonce": secrets.token_hex(16), "created_at": timestamp(self.now)}
        if not await self._session.run("add_terminal", row):
            raise Conflict(f"{subject} has its terminal message already")

    async def add_picture(self, promotion_id: str) -> None:
        await self._session.run("add_picture", {"promotion": promotion_id, "created_at": timestamp(self.now)})

    async def add_notice(
        self,
        channel: str,
        said: Sentence,
        *,
        kind: NoticeKind = "notice",
        promotion: str | None = None,
        release: Release | None = None,
        whom: Sequence[str] = (),
    ) -> bool:
        row = {
            "channel": channel,
            "sealed": self._vault.seal(sentence_document(said)),
            "created_at": timestamp(self.now),
            "kind": kind,
            "promotion": promotion,
            "app": release.app if release else None,
            "release": release.id if release else None,
            "whom": json(list(whom)),
        }
        return bool(await self._session.run("add_notice", row))

    async def schedule_reminder(self, promotion_id: str, due_at: datetime) -> None:
        await self._session.run("schedule_reminder", {"promotion": promotion_id, "due_at": timestamp(due_at)})

    async def reminded(self, promotion_id: str, told_at: datetime | None) -> None:
        await self._session.run(
            "reminded", {"promotion": promotion_id, "told_at": timestamp_or_none(told_at)}
        )
