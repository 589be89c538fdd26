"""A rack whose builds really happen, where this machine can."""

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.cli.main import main
from core.build_run import BuildRun
from core.cluster.builds.settings import BuildSettings
from core.records.registry_account import RegistryAccount
from tests.bot.api.serving import Api, serving
from tests.builders import assets
from tests.builders.jobs import LocalJobs
from tests.builders.registry import PASSWORD, USER, Registry, registry
from tests.core.world import ALICE
from tests.fakes import START


@dataclass
class Yard:
    """A rack, its registry, and a folder with an app; with RECORD_BUILDS=FOLDER it leaves the log of each build there."""

    api: Api
    jobs: LocalJobs
    registry: Registry
    folder: Path
    name: str

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / name.replace("__", ".")).write_text(text)

    async def build(self, *words: str) -> BuildRun:
        """Build the folder from a terminal; return what became of it."""
        return await self._built(*words, str(self.folder))

    async def build_git(self, url: str, *words: str) -> BuildRun:
        """Have a repository cloned and built, from a terminal; return what became of it."""
        return await self._built("--git", url, *words)

    async def _built(self, *words: str) -> BuildRun:
        await asyncio.to_thread(main, ["build", "-a", "myapp", *words])
        run = await self.api.store.read.build_run(list(self.jobs.kept)[-1])
        if folder := os.environ.get("RECORD_BUILDS"):
            await asyncio.to_thread(self._record, Path(folder), await self.log(run))
        return run

    def _record(self, folder: Path, log: list[str]) -> None:
        text = "\n".join(log).replace(self.registry.host, "registry.example")
        file = folder / f"{self.name}-{len(self.jobs.kept)}.log"
        file.write_text(text.replace("127.0.0.1:1/", "registry.example/") + "\n")

    async def log(self, run: BuildRun) -> list[str]:
        return await self.api.builds.log(run.id)


@pytest.fixture(scope="session")
def programs() -> Path:
    if why := assets.why_not():
        pytest.skip(f"left out: builds with a real BuildKit; {why}")
    found = assets.find()
    assert found
    return found


@pytest.fixture(scope="session")
def busybox() -> Path:
    """What the images of the tests are made of: a statically linked program."""
    found = shutil.which("busybox")
    assert found
    return Path(found)


@pytest.fixture
async def yard(programs, busybox, tmp_path, monkeypatch, request) -> AsyncGenerator[Yard]:
    async with opened(programs, busybox, tmp_path, monkeypatch, request.node.name) as made:
        yield made


@pytest.fixture
async def locked_yard(programs, busybox, tmp_path, monkeypatch, request) -> AsyncGenerator[Yard]:
    """The same with a registry that wants a login, which the rack has."""
    async with opened(programs, busybox, tmp_path, monkeypatch, request.node.name, login=True) as made:
        yield made


@asynccontextmanager
async def opened(programs, busybox, tmp_path, monkeypatch, name, *, login=False) -> AsyncGenerator[Yard]:
    folder = tmp_path / "app"
    folder.mkdir()
    shutil.copy(busybox, folder / "busybox")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "registry").mkdir()
    async with registry(tmp_path / "registry", login=login) as images:
        account = RegistryAccount(
            app="", host=images.host, user=USER, secret=PASSWORD, created_at=START, created_by=ALICE
        )
        settings = BuildSettings(registry=f"{images.host}/apps", account=account if login else None)
        jobs = LocalJobs(tmp_path / "pods", programs, settings)
        (tmp_path / "rack").mkdir()
        async with serving(tmp_path / "rack", jobs) as api:
            jobs.settings = replace(settings, address=f"http://127.0.0.1:{api.client.port}")
            for each in (api.builds.starter, api.builds.viewer):
                monkeypatch.setattr(each, "_sources", api.sources._sources)
            monkeypatch.setenv("RACK_URL", api.url)
            yield Yard(api, jobs, images, folder, name)
