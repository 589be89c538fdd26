"""A source that was uploaded is there for its build, or its build is refused: nothing takes it away in between."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from core.errors import Conflict, NotFound
from core.lifecycle.access import Access
from core.usecases.source_registrar import COMPLETE_AGE, SourceRegistrar
from storage.sources import SourceFolder
from tests.core.building.nursery import RUNS, Builds, PlayedJobs, builds
from tests.core.world import ALICE, by
from tests.fakes import FakeCluster, JumpingClock
from tests.storage.test_sources import DATA, DIGEST

DAY = COMPLETE_AGE.total_seconds() + 60


@pytest.fixture
async def b(tmp_path: Path) -> AsyncGenerator[Builds]:
    async with opened(tmp_path, JumpingClock()) as made:
        yield made


def opened(path: Path, clock: JumpingClock, jobs: PlayedJobs | None = None):
    sources = SourceFolder(path / "convox.db", clock, least_free=0.0)
    return builds(path, jobs, sources, at=FakeCluster(clock))


def registrar(b: Builds) -> SourceRegistrar:
    access = Access(lambda: b.w.policy, b.w.directory)
    return SourceRegistrar(b.w.store, b.sources, access, lambda: "", lambda: "", most=1 << 20)


async def uploaded(b: Builds) -> str:
    made = await b.sources.create("myapp", DIGEST, len(DATA))
    await b.sources.append(made.id, 0, DATA)
    return (await b.sources.finish(made.id)).id


async def test_a_source_that_becomes_too_old_just_as_its_build_is_asked_for_is_kept(
    b: Builds, monkeypatch: pytest.MonkeyPatch
):
    """The builds that want a source were read before there was this one."""
    b.hold()
    source, real = await uploaded(b), b.sources.age_out

    async def age_out(**given):
        await b.ask(source=source)
        return await real(**given)

    monkeypatch.setattr(b.sources, "age_out", age_out)
    b.w.clock.jump(DAY)
    assert await registrar(b).age_out(b.w.clock.now()) == 0
    assert (await b.sources.find(source)).complete


async def test_one_that_became_too_old_a_moment_before_makes_no_build(
    b: Builds, monkeypatch: pytest.MonkeyPatch
):
    source, real = await uploaded(b), b.sources.find

    async def find(name: str):
        found = await real(name)
        await registrar(b).age_out(b.w.clock.now())
        return found

    monkeypatch.setattr(b.sources, "find", find)
    b.w.clock.jump(DAY)
    with pytest.raises(NotFound, match=f"no such source: {source}"):
        await b.ask(source=source)
    assert await b.w.store.read.open_builds() == []


async def test_a_source_makes_one_build_since_it_goes_with_it(b: Builds):
    b.hold()
    source = await uploaded(b)
    first = await b.ask(source=source)
    with pytest.raises(Conflict, match=f"the source {source} has its build already"):
        await b.ask(source=source)
    await b.end(first.run.id)
    with pytest.raises(NotFound):
        await b.ask(source=source)


async def test_what_is_wanted_and_what_is_too_old_is_known_after_a_restart(tmp_path: Path):
    clock, jobs = JumpingClock(), PlayedJobs(looks=[RUNS])
    async with opened(tmp_path, clock, jobs) as b:
        b.hold()
        wanted, unused = await uploaded(b), await uploaded(b)
        build = (await b.ask(source=wanted)).run.id
    clock.jump(DAY - 120)
    async with opened(tmp_path, clock, jobs) as b:
        b.hold()
        assert await registrar(b).age_out(clock.now()) == 0
        clock.jump(120)
        assert await registrar(b).age_out(clock.now()) == 1
        with pytest.raises(NotFound):
            await b.sources.find(unused)
        assert (await b.sources.find(wanted)).complete
        await b.starter.cancel(by(ALICE), build)
        await b.end(build)
        with pytest.raises(NotFound):
            await b.sources.find(wanted)
