"""`make field DIR=…`: a folder of real convox.yml files, each checked, registered and promoted on a real control plane.

Every declared variable is set, images are made up, and simulated kubelets run them: what is tried is whether the manifest of a team
comes in and goes out, not what its program does. It is no test: it prints a table, and ends with 1 where a file does not pass.
"""

import argparse
import asyncio
import io
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import orjson

from bot.cli.main import main as convox_bot
from bot.playground.slack import SlackWorkspace
from bot.views.tables import table
from core.errors import Invalid
from core.manifest.convox_yml import Manifest, images_needed, parse_manifest
from core.promotion import Phase
from core.records.environment import Environment
from tests.controlplane import assets
from tests.controlplane.fixtures import LEFT_OUT
from tests.controlplane.plane import ControlPlane
from tests.controlplane.processes import free_ports
from tests.scenarios.arrangement import settings
from tests.scenarios.clusters import Real, real
from tests.scenarios.harness import Stage

RACK = "field"
# Good for a count, a name, a host and a path of an image alike, wherever a variable stands.
MADE_UP = "1"
PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_.-]*)\}")
# Rollouts beside each other: each waits for the grace of its own checks, which costs no processor.
AT_ONCE = 8
# A start has at least the patience that its own checks allow, whatever `deadline` says.
PATIENCE = {"deadline": "120s", "longest": "3000s", "min_ready": "1s", "settle": "2s"}
# Whose files these are has agreed to what they ask of nodes; the field is about the manifest.
POWERS = {"privileged": "true", "host_paths": "true"}
# More than the claims of any file, for each of those that were tried before it as well: a disk is used once.
DISKS_A_FILE = 4
# Graphics processors that a node gets once a service asks for some.
GPUS = 8
# An app that came in stays, and a node has 64 processors.
FILES_A_NODE = 15
MERGE = "application/merge-patch+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How far one file came: each step `ok`, or `-` where it was not reached; `why` is the first thing that was in the way."""

    file: str
    check: str = "-"
    build: str = "-"
    promote: str = "-"
    seconds: float = 0.0
    why: str = ""

    @property
    def passed(self) -> bool:
        return self.promote == "OK"


def variables(text: str) -> dict[str, str]:
    """Return a value for every variable that a file names: in `${…}`, or as one that it needs."""
    found = dict.fromkeys(PLACEHOLDER.findall(text), MADE_UP)
    with suppress(Invalid):
        manifest = parse_manifest(text, Environment(tuple(found.items())), complete=False)
        found |= {d.key: MADE_UP for s in manifest.services for d in s.environment if d.default is None}
    return found


def checked(file: Path, values: Mapping[str, str]) -> str:
    """Return what `convox-bot check` complains about, "" where it does not."""
    out, err = io.StringIO(), io.StringIO()
    # A character device is reconfigured by the command line, and so has to be one that can be.
    out.reconfigure = lambda **_: None  # type: ignore[attr-defined]
    words = [word for key, value in values.items() for word in ("--env", f"{key}={value}")]
    with redirect_stdout(out), redirect_stderr(err):
        status = convox_bot(["check", str(file), *words])
    return "" if status == 0 else err.getvalue().strip() or f"status {status}"


def in_one_line(text: str) -> str:
    return " · ".join(line.strip() for line in text.splitlines() if line.strip())


class Field:
    """One bot on one control plane, on which every file is an app of its own."""

    def __init__(self, stage: Stage, cluster: Real, nodes: int) -> None:
        self._stage = stage
        self._cluster = cluster
        self._nodes = nodes
        self._hands = asyncio.Semaphore(AT_ONCE)

    async def tried(self, number: int, file: Path) -> Outcome:
        """Take one file as far as it comes."""
        async with self._hands:
            began = time.monotonic()
            outcome = Outcome(file=file.name)
            try:
                outcome = await self._through(f"f{number:03d}", file, outcome)
            except Exception as error:  # noqa: BLE001 - whatever one file breaks, the others are tried
                outcome = replace(outcome, why=f"{type(error).__name__}: {error}")
            outcome = replace(outcome, seconds=time.monotonic() - began, why=in_one_line(outcome.why))
            _say(f"{outcome.file} {outcome.promote} {outcome.why}".rstrip(), sys.stderr)
            return outcome

    async def _through(self, app: str, file: Path, outcome: Outcome) -> Outcome:
        text = await asyncio.to_thread(file.read_text, encoding="utf-8")
        values = variables(text)
        if problem := checked(file, values):
            return replace(outcome, check="no", why=problem)
        outcome = replace(outcome, check="ok")
        manifest = parse_manifest(text, Environment(tuple(values.items())))
        await self._cluster.prepare(app)
        await self._equip_nodes(manifest)
        if refused := await self._said(f"apps create {app}"):
            return replace(outcome, why=refused)
        pairs = " ".join(f"{key}={value}" for key, value in values.items())
        if pairs and (refused := await self._said(f"env set {pairs} -a {app}")):
            return replace(outcome, why=refused)
        images = {name: f"registry.example/{app}/{name}:v1" for name in images_needed(manifest)}
        status, answer = await self._stage.http(
            "POST", f"/apps/{app}/builds", {"manifest": text, "images": images}
        )
        if status != 201:
            return replace(outcome, build="no", why=answer)
        outcome = replace(outcome, build="ok")
        return await self._promoted(app, orjson.loads(answer)["release"], outcome)

    async def _promoted(self, app: str, release: str, outcome: Outcome) -> Outcome:
        status, body = await self._stage.do(f"releases promote {release} -a {app}")
        if status != 200:
            return replace(outcome, promote="no", why=str(body.get("error", body)))
        read = self._stage.bot.store.read
        while True:
            promotion = await read.promotion(body["promotion"])
            if promotion.settled:
                break
            await asyncio.sleep(0.5)
        if promotion.phase is Phase.RUNNING:
            return replace(outcome, promote="OK", why="nothing ran" if promotion.nothing_ran else "")
        return replace(outcome, promote=str(promotion.phase), why=str(promotion.cause or promotion.reason))

    async def _said(self, text: str) -> str:
        """Carry out a command; return why it was refused, or ""."""
        status, body = await self._stage.do(text)
        return "" if status == 200 else str(body.get("error", body))

    async def _equip_nodes(self, manifest: Manifest) -> None:
        """Give the nodes what a service selects them by, and its processors, as the cluster of that team has it."""
        labels = dict(pair for service in manifest.services for pair in service.node_selector)
        vendors = {service.scale.gpu_vendor for service in manifest.services if service.scale.gpus}
        offered = {f"{vendor}/gpu": str(GPUS) for vendor in vendors}
        for node in (f"/api/v1/nodes/node-{number}" for number in range(1, self._nodes + 1)):
            if labels:
                await self._patch(node, {"metadata": {"labels": labels}})
            if offered:
                await self._patch(f"{node}/status", {"status": {"capacity": offered, "allocatable": offered}})

    async def _patch(self, path: str, patch: dict[str, Any]) -> None:
        await self._cluster.admin.call("PATCH", path, patch, content=MERGE)


def nodes_for(files: Sequence[Path]) -> int:
    return 1 + len(files) // FILES_A_NODE


async def tried(files: Sequence[Path]) -> list[Outcome]:
    """Return what became of each file, in their order."""
    binaries = assets.find()
    if binaries is None:
        raise SystemExit(LEFT_OUT)
    with tempfile.TemporaryDirectory() as folder:
        async with ControlPlane(binaries, Path(folder) / "plane") as plane:
            await plane.install()
            disks = DISKS_A_FILE * len(files)
            async with real(plane, RACK, nodes=nodes_for(files), disks=disks) as cluster:
                return await _on(cluster, Path(folder), files)


async def _on(cluster: Real, folder: Path, files: Sequence[Path]) -> list[Outcome]:
    slack = SlackWorkspace(cluster.clock, ack_seconds=60.0)
    await slack.start()
    ports = free_ports(2)
    stage = Stage(slack, cluster, settings(slack, folder, rack=RACK, ports=(ports[0], ports[1]), http=False))
    try:
        await stage.start()
        stage.rule(**PATIENCE, **POWERS)
        field = Field(stage, cluster, nodes_for(files))
        return list(await asyncio.gather(*(field.tried(n, file) for n, file in enumerate(files, start=1))))
    finally:
        await stage.close()
        await slack.stop()


def shown(outcomes: Iterable[Outcome]) -> str:
    """Return the table."""
    rows = [
        (each.file, each.check, each.build, each.promote, f"{each.seconds:.0f} s", each.why)
        for each in outcomes
    ]
    return table(("FILE", "CHECK", "BUILD", "PROMOTE", "TOOK", "WHY"), rows)


def _say(text: str, stream: TextIO | None = None) -> None:
    out = stream or sys.stdout
    out.write(text + "\n")
    out.flush()


def main(words: Sequence[str]) -> int:
    """Try every file of a folder; return 1 where one does not pass, 2 where there is none."""
    parser = argparse.ArgumentParser(
        prog="make field", description=__doc__.partition("\n")[0] if __doc__ else ""
    )
    parser.add_argument("folder", type=Path, help="of *.yml files, each a convox.yml")
    parser.add_argument(
        "--only", default="*.yml", metavar="PATTERN", help="of file names (default: %(default)s)"
    )
    given = parser.parse_args(words)
    files = sorted(given.folder.glob(given.only))
    if not files:
        _say(f"there is no {given.only} in {given.folder}", sys.stderr)
        return 2
    outcomes = asyncio.run(tried(files))
    _say(shown(outcomes))
    passed = sum(each.passed for each in outcomes)
    _say(f"\n{passed} of {len(outcomes)} files were checked, registered and promoted to OK")
    return 0 if passed == len(outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
