"""An archive goes to the bot in parts, and goes on where a broken connection or a restart of the bot has left it."""

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import quote

from bot.cli.client import PASSING, RETRY_PAUSES, ConnectionLost, RackClient
from bot.cli.packaging.archive import Archive
from bot.cli.rack_url import CliError

# Sent at once, and after each loss half of it: what stands between may take less (nginx: 1 MiB), or be slow.
PART_BYTES, LEAST_PART_BYTES = 8 << 20, 1 << 18
GZIP = "application/gzip"
# What a part is answered where one that was thought lost has arrived after all: it is looked up where to go on.
ELSEWHERE = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedSource:
    """What has arrived.

    Attributes:
        id: of the source.
        shared: some of it was sent by another process: by one that was killed, or by one that uploads the very same now.
    """

    id: str
    shared: bool


class Upload:
    """One archive on its way."""

    def __init__(
        self,
        rack: RackClient,
        app: str,
        archive: Archive,
        file: BinaryIO,
        *,
        advance: Callable[[int], None] = lambda _: None,
        notice: Callable[[str], None] = lambda _: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take what goes where.

        Args:
            rack: the bot.
            app: what is to be built.
            archive: what the file holds.
            file: it, to be read from anywhere.
            advance: is told how many bytes are there.
            notice: is told when a connection was lost, once for each loss.
            pause: how to wait before it is tried again.
        """
        self._rack = rack
        self._app = app
        self._archive = archive
        self._file = file
        self._advance = advance
        self._notice = notice
        self._pause = pause
        self._part = PART_BYTES
        self._source = ""
        self._offset: int | None = None
        self._sent = self._reached = 0
        self._shared = self._anew = False

    def run(self) -> UploadedSource:
        """Send it all, and return what has arrived.

        Raises:
            CliError: it was refused, or the bot has not come back.
        """
        tries = 0
        while True:
            try:
                answer = self._step()
            except ConnectionLost as lost:
                self._shared = self._shared or lost.status == ELSEWHERE
                self._part = max(LEAST_PART_BYTES, self._part // 2)
                self._offset = None
                self._wait(lost, tries)
                tries += 1
                continue
            except CliError as refused:
                self._begin_anew(refused)
                continue
            self._source, self._offset = str(answer["id"]), int(answer["offset"])
            self._shared = self._shared or self._offset > self._sent
            self._advance(self._offset)
            if answer["complete"]:
                return UploadedSource(id=self._source, shared=self._shared)
            if self._offset > self._reached:  # it goes on, by whomever
                self._reached, tries = self._offset, 0

    def _step(self) -> Mapping[str, Any]:
        """Announce it, look how far it is, or send the next part: whatever comes next. Each may be done twice."""
        if not self._source:
            announced = {"digest": self._archive.digest, "size": self._archive.size}
            return self._rack.exchange(
                "POST", f"/apps/{quote(self._app, safe='')}/sources", json.dumps(announced).encode()
            )
        path = f"/sources/{quote(self._source, safe='')}"
        if self._offset is None:
            return self._rack.exchange("GET", path)
        self._file.seek(self._offset)
        part = self._file.read(self._part)
        self._sent = max(self._sent, self._offset + len(part))
        return self._rack.exchange(
            "PATCH", f"{path}?offset={self._offset}", part, kind=GZIP, passing=PASSING | {ELSEWHERE}
        )

    def _begin_anew(self, refused: CliError) -> None:
        """Announce it once more where the source is gone: who uploaded the same has built from it meanwhile, and with it it goes."""
        if refused.status != http.client.NOT_FOUND or not self._source or self._anew:
            raise refused
        self._source, self._offset, self._reached, self._anew = "", None, 0, True

    def _wait(self, lost: ConnectionLost, tries: int) -> None:
        if tries == len(RETRY_PAUSES):
            raise CliError(
                f"the source could not be uploaded: {lost}",
                hint="the same command goes on where this one has ended",
            )
        if tries == 0:
            self._notice(f"{lost}; trying again")
        self._pause(RETRY_PAUSES[tries])
