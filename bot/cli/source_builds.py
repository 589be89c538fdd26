"""A folder is built by the bot: packaged, uploaded, and its log followed from the first to the last line."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bot.cli.client import RETRY_PAUSES, ConnectionLost, RackClient, Show
from bot.cli.packaging.package import package
from bot.cli.rack_url import CliError
from bot.cli.steps import Steps
from bot.cli.uploads import Upload, UploadedSource

GOOD = "complete"
ENDED = frozenset({GOOD, "failed", "cancelled"})


def upload_folder(
    rack: RackClient,
    app: str,
    folder: Path,
    manifest: tuple[str, str],
    steps: Steps,
    notice: Callable[[str], None],
    pause: Callable[[float], None] = time.sleep,
) -> UploadedSource:
    """Return the source that a folder has become.

    Args:
        rack: the bot.
        app: what is built.
        folder: of what.
        manifest: the path of its convox.yml from there, and the text of that.
        steps: where it is told.
        notice: is told what is to be known besides.
        pause: how to wait before a lost connection is tried again.

    Raises:
        CliError: something of the folder cannot be taken, or the bot takes it not.
    """
    with tempfile.TemporaryFile() as file:
        with steps.step("Packaging source"):
            archive = package(folder, *manifest, file)
        for name in archive.left_out:
            notice(f"{name} is no file, folder or link, so it is left out")
        with steps.step("Uploading source") as step:
            upload = Upload(
                rack,
                app,
                archive,
                file,
                advance=lambda done: step.advance(done, archive.size),
                notice=notice,
                pause=pause,
            )
            return upload.run()


def start_build(rack: RackClient, app: str, document: Mapping[str, Any], steps: Steps) -> Mapping[str, Any]:
    """Start a build, and return its `id`, and how many come before it as `ahead`; raises CliError where it was refused."""
    with steps.step("Starting build"):
        return rack.register(app, document)


class BuildLogReader:
    """A build that the cluster makes, followed across lost connections."""

    def __init__(
        self,
        rack: RackClient,
        app: str,
        build: str,
        notice: Callable[[str], None],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take which of whose, who is told when a connection was lost, and how to wait before it is tried again."""
        self._rack = rack
        self._path = f"/builds/{quote(build, safe='')}"
        self._app = app
        self._build = build
        self._notice = notice
        self._pause = pause
        self._ended: Mapping[str, Any] = {}

    @property
    def release(self) -> str:
        """What it has made, once every line is out; raises CliError where it made none."""
        if self._ended["status"] == GOOD:
            return str(self._ended["release"])
        why = f": {self._ended['reason']}" if self._ended.get("reason") else ""
        hint = f"`convox-bot do builds logs {self._build} -a {self._app}` shows its log again; nothing was released"
        raise CliError(f"build {self._build} {self._ended['status']}{why}", hint=hint)

    def _look(self) -> Mapping[str, Any]:
        """Return how it has ended; raise ConnectionLost where it has not, though its log did."""
        now = self._rack.exchange("GET", self._path)
        if now["status"] not in ENDED:
            raise ConnectionLost("the log ended before the build")
        return now

    def lines(self, show: Show | None = None) -> Iterator[str]:
        """Yield every line of its log until it has ended; raises CliError where it cannot be followed any more.

        Lines have numbers, by which it is gone on after a loss: of a log that is too long the first are not kept, so those that
        have come are not as many as the number of the last. `show` is told what is awaited, where somebody looks on.
        """
        last = tries = 0
        while not self._ended:
            try:
                for line in self._rows(last, show):
                    if tries:
                        self._notice("the bot answers again; this goes on where it was")
                    if line["number"] > last + 1:
                        self._notice(
                            f"lines {last + 1} to {line['number'] - 1} of the log are not kept any more"
                        )
                    last, tries = line["number"], 0
                    yield line["text"]
                self._ended = self._look()
            except ConnectionLost as lost:
                if tries == len(RETRY_PAUSES):
                    raise CliError(
                        f"the build cannot be followed any more: {lost}",
                        hint=f"it goes on without this terminal: `convox-bot do builds info {self._build} -a {self._app}`",
                    ) from None
                if tries == 0:
                    self._notice(f"{lost}; trying again")
                self._pause(RETRY_PAUSES[tries])
                tries += 1

    def _rows(self, last: int, show: Show | None) -> Iterator[dict[str, Any]]:
        """Yield what one connection gives behind a line: each with its number."""
        path = f"{self._path}/log?after={last}"
        if show is not None:
            return self._rack.live(path, show, older="json")
        return map(json.loads, self._rack.stream(f"{path}&format=json"))
