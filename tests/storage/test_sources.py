"""Uploaded sources on a disk: what has arrived is known after any death, and what is wrong, old or too much is told."""

import errno
import hashlib
import os
import shutil
from datetime import timedelta
from types import SimpleNamespace

import pytest

from core.errors import Conflict, Invalid, NotFound, Unavailable
from storage import sources as files
from storage.sources import SourceFolder
from tests.fakes import JumpingClock

DATA = bytes(range(256)) * 40
DIGEST = f"sha256:{hashlib.sha256(DATA).hexdigest()}"
HOUR = timedelta(hours=1)


@pytest.fixture
def clock():
    return JumpingClock()


@pytest.fixture
def sources(tmp_path, clock):
    return SourceFolder(tmp_path / "convox.db", clock, least_free=0.0)


async def arrived(sources, app="myapp"):
    made = await sources.create(app, DIGEST, len(DATA))
    await sources.append(made.id, 0, DATA)
    return await sources.finish(made.id)


async def test_what_arrives_in_parts_is_one_file(sources):
    made = await sources.create("myapp", DIGEST, len(DATA))
    assert (made.offset, made.complete) == (0, False)
    for start in range(0, len(DATA), 1000):
        part = await sources.append(made.id, start, DATA[start : start + 1000])
        assert part.offset == min(start + 1000, len(DATA))
    whole = await sources.finish(made.id)

    assert whole.complete
    assert (await sources.open(made.id)).read_bytes() == DATA
    assert await sources.finish(made.id) == whole == await sources.find(made.id)


async def test_no_more_waits_for_the_disk_than_is_written_at_once(sources, monkeypatch):
    """Half a gigabyte at the end would hold up every commit of the database beside it for a second."""
    synced: list[int] = []
    monkeypatch.setattr(files, "SYNC_BYTES", 3_000)
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    made = await sources.create("myapp", DIGEST, len(DATA))
    for start in range(0, len(DATA), 1_000):
        await sources.append(made.id, start, DATA[start : start + 1_000])

    assert synced == [3_000, 6_000, 9_000]


async def test_how_much_is_here_is_known_after_any_death(sources, tmp_path, clock):
    made = await sources.create("myapp", DIGEST, len(DATA))
    await sources.append(made.id, 0, DATA[:777])
    again = SourceFolder(tmp_path / "convox.db", clock, least_free=0.0)

    assert (await again.find(made.id)).offset == 777
    assert (await again.create("myapp", DIGEST, len(DATA))).id == made.id
    assert (await again.create("other", DIGEST, len(DATA))).id != made.id


async def test_what_is_complete_is_nobody_elses_upload(sources):
    whole = await arrived(sources)

    assert (await sources.create("myapp", DIGEST, len(DATA))).id != whole.id


async def test_bytes_that_belong_elsewhere_change_nothing(sources):
    made = await sources.create("myapp", DIGEST, len(DATA))
    await sources.append(made.id, 0, DATA[:10])

    for offset in (0, 9, 11):
        with pytest.raises(Conflict, match=rf"is at 10 of 10,240 bytes, not at {offset}"):
            await sources.append(made.id, offset, b"x")
    with pytest.raises(Invalid, match="more was sent than the 10,240 bytes"):
        await sources.append(made.id, 10, DATA)
    with pytest.raises(Conflict, match="is at 10 of"):
        await sources.finish(made.id)
    with pytest.raises(NotFound, match="has not arrived whole"):
        await sources.open(made.id)
    assert (await sources.find(made.id)).offset == 10


async def test_something_else_than_was_announced_is_deleted(sources):
    made = await sources.create("myapp", DIGEST, len(DATA))
    await sources.append(made.id, 0, DATA[:-1] + b"!")

    with pytest.raises(Invalid, match="what arrived is not what was announced"):
        await sources.finish(made.id)
    with pytest.raises(NotFound, match=f"no such source: {made.id}"):
        await sources.find(made.id)


async def test_deleting_twice_is_deleting_once_and_no_name_leads_elsewhere(sources, tmp_path):
    whole = await arrived(sources)
    await sources.delete(whole.id)
    await sources.delete(whole.id)
    (tmp_path / "keep").mkdir()
    for name in ("../keep", "", "..", "SABCDEFGHI/", "RABCDEFGHIJ"):
        await sources.delete(name)
        with pytest.raises(NotFound):
            await sources.find(name)

    assert (tmp_path / "keep").exists()


async def test_the_unfinished_and_the_unused_become_too_old_each_in_its_time(sources, clock, tmp_path):
    assert await sources.age_out(unfinished=clock.now(), complete=clock.now()) == 0
    whole = await arrived(sources)
    begun = await sources.create("myapp", DIGEST, len(DATA))
    (tmp_path / "convox.db.sources" / ".new-left").mkdir()
    clock.jump(3600)
    await sources.append(begun.id, 0, DATA[:1])
    limits = {"unfinished": clock.now() - HOUR / 2, "complete": clock.now() - 2 * HOUR}

    assert await sources.age_out(**limits) == 0
    clock.jump(3600)
    everything = {"unfinished": clock.now(), "complete": clock.now()}
    assert await sources.age_out(**everything, wanted={whole.id, begun.id}) == 0
    assert await sources.age_out(unfinished=clock.now() - HOUR / 2, complete=clock.now() - 3 * HOUR) == 1
    assert (await sources.find(whole.id)).complete
    assert await sources.age_out(unfinished=clock.now() - HOUR / 2, complete=clock.now() - HOUR) == 1
    assert not list((tmp_path / "convox.db.sources").iterdir())


async def test_what_would_fill_the_disk_is_not_begun_counting_what_others_were_promised(
    tmp_path, clock, monkeypatch
):
    usage = SimpleNamespace(total=100_000, free=50_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    sources = SourceFolder(tmp_path / "convox.db", clock, least_free=0.1)
    await sources.create("myapp", DIGEST, 30_000)

    with pytest.raises(Unavailable, match=r"no room for a source of 0.0 MB: 10% of it must stay free"):
        await sources.create("other", DIGEST, 10_001)
    await sources.create("other", DIGEST, 10_000)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "the bot's disk is full"),
        (errno.EIO, "the source cannot be stored: Input/output error"),
    ],
)
async def test_a_disk_in_trouble_is_told_and_what_has_arrived_is_kept(sources, monkeypatch, number, sentence):
    made = await sources.create("myapp", DIGEST, len(DATA))
    await sources.append(made.id, 0, DATA[:100])

    def fail(*_):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as broken:
        broken.setattr("storage.sources._write_all", fail)
        with pytest.raises(Unavailable, match=sentence):
            await sources.append(made.id, 100, DATA[100:])
    assert (await sources.append(made.id, 100, DATA[100:])).offset == len(DATA)


async def test_only_its_owner_may_read_what_was_uploaded(sources, tmp_path):
    whole = await arrived(sources)

    assert (tmp_path / "convox.db.sources").stat().st_mode & 0o077 == 0
    assert (await sources.open(whole.id)).stat().st_mode & 0o077 == 0
