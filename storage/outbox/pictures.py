"""Pictures on SQLite: asked for by the transaction that ends a rollout, kept until Slack has them."""

from datetime import datetime
from sqlite3 import Row

from core.ports.pictures import PictureDue
from storage.codec import datetime_or_none, timestamp
from storage.outbox.table import OutboxTable


class SqlitePictures(OutboxTable):
    """`core.ports.pictures.Pictures`."""

    async def open(self) -> list[PictureDue]:
        return [_due(row) for row in await self._reading.all("pictures_open")]

    async def uploaded(self, promotion: str, file: str) -> None:
        await self._run("picture_uploaded", promotion=promotion, file=file, now=timestamp(self._clock.now()))

    async def again(self, promotion: str, not_before: datetime) -> None:
        await self._run("picture_again", promotion=promotion, not_before=timestamp(not_before))

    async def postpone(self, promotion: str, not_before: datetime) -> None:
        await self._run("postpone_picture", promotion=promotion, not_before=timestamp(not_before))

    async def end(self, promotion: str, how: str) -> None:
        await self._run("picture_ended", promotion=promotion, ended=how)


def _due(row: Row) -> PictureDue:
    return PictureDue(
        promotion=row["promotion"],
        channel=row["channel"],
        thread=row["ts"],
        ended=bool(row["thread_ended"]),
        lost=bool(row["lost"]),
        file=row["file"],
        tried_at=datetime_or_none(row["tried_at"]),
        since=datetime.fromisoformat(row["created_at"]),
        not_before=datetime_or_none(row["not_before"]),
    )
