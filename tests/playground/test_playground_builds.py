"""A build as a newcomer types it, whole: the program, HTTP, the bot, and the simulated cluster that plays its log.

`golden/builds.txt` is what the terminal shows; `UPDATE_GOLDEN=1` writes it anew.
"""

import asyncio
import os
import re
import shutil
from itertools import takewhile
from pathlib import Path

import pytest

from bot.clock import ScaledClock
from bot.playground.examples import examples
from tests.docs.pages import blocks, page, section
from tests.playground.playing import playing
from tests.serve.program import SCRIPT, environment

GOLDEN = Path(__file__).parent / "golden" / "builds.txt"
SPEED = 40.0
ID = re.compile(r"\b[BR][A-Z]{10}\b")
# What is another each time: digests, and the lines of a rollout, which begin with a time.
VARIES = (
    (re.compile(r"sha256:[0-9a-f]{64}"), "sha256:…"),
    (re.compile(r"^\d{4}-\d\d-\d\dT\S+ .*\n", re.MULTILINE), ""),
    (re.compile(r"^OK \(.*", re.MULTILINE), "OK"),
)


class Shell:
    """Runs what is typed, and shows ids as they come: BAAAAAAAAAA, RAAAAAAAAAA, BBBBBBBBBBB."""

    def __init__(self, folder: Path, rack_url: str) -> None:
        self._folder = folder
        self._settings = environment({"RACK_URL": rack_url, "GIT_CEILING_DIRECTORIES": str(folder)})
        self._settings["PATH"] = f"{SCRIPT.parent}{os.pathsep}{self._settings['PATH']}"
        self._names: dict[str, str] = {}

    async def type(self, line: str) -> str:
        """Return what a terminal shows then, with the status where that is not 0."""
        child = await asyncio.create_subprocess_exec(
            *("sh", "-c", line),
            cwd=self._folder,
            env=self._settings,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(90):
            said = (await child.communicate())[0].decode()
        for varies, constant in VARIES:
            said = varies.sub(constant, said)
        shown = ID.sub(self._name, said if said.endswith("\n") or not said else f"{said}\n")
        return f"$ {line}\n{shown}" + (f"(status {child.returncode})\n" if child.returncode else "")

    def _name(self, found: re.Match[str]) -> str:
        kind = found[0][0]
        known = sum(name.startswith(kind) for name in self._names.values())
        return self._names.setdefault(found[0], kind + chr(ord("A") + known) * 10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the examples, that lies in no repository: git would describe builds by the commit of the day."""
    shutil.copytree(examples() / "myapp", tmp_path / "at" / "examples" / "myapp")
    return tmp_path / "at"


async def test_a_terminal_shows_builds_as_it_is_written_down(tmp_path: Path, folder: Path):
    lines = [line[2:] for line in GOLDEN.read_text(encoding="utf-8").splitlines() if line[:2] == "$ "]
    async with playing(tmp_path / "state", ScaledClock(SPEED)) as made:
        shell = Shell(folder, made.rack_url)
        said = "\n".join([await shell.type(line) for line in lines])
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(said, encoding="utf-8")

    assert said == GOLDEN.read_text(encoding="utf-8")


def test_what_is_documented_is_what_is_shown():
    (block, *_) = blocks(section(page("commands.md"), "From CI"))
    documented = [ID.sub(lambda found: found[0][0] + "A" * 10, line) for line in block.splitlines()]
    shown = GOLDEN.read_text(encoding="utf-8").split("\n\n$ ")[0].splitlines()
    head = list(takewhile(lambda line: line != "…", documented))
    tail = documented[len(head) + 1 :]

    assert head[0] == "$ convox-bot build -a myapp"
    assert shown[0].startswith(head[0])
    assert shown[1 : len(head)] == head[1:]
    assert shown[-len(tail) :] == tail
