"""The script that fetches what was uploaded, run by a real shell: what it cannot unpack it says, by the words of tar."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from core.cluster.builds.script import FETCH, NOT_UNPACKED


def archive(name: str) -> bytes:
    with tarfile.open(fileobj=(into := io.BytesIO()), mode="w:gz") as tar:
        header = tarfile.TarInfo(name)
        header.size = 2
        tar.addfile(header, io.BytesIO(b"ok"))
    return into.getvalue()


def fetched(place: Path, sent: bytes) -> tuple[int, str, Path]:
    """Return how the script ended, what it wrote for a kubelet, and where the source lies."""
    (place / "sent").write_bytes(sent)
    for each in ("tmp", "source", "bin"):
        (place / each).mkdir()
    for name, does in (("wget", f'cp {place}/sent "$3"'), ("sleep", "true")):
        (place / "bin" / name).write_text(f"#!/bin/sh\n{does}\n")
        (place / "bin" / name).chmod(0o755)
    script = FETCH.replace("/tmp/", f"{place}/tmp/").replace("-C /source", f"-C {place}/source")
    script = script.replace("/dev/termination-log", f"{place}/told")
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        env={"PATH": f"{place}/bin:/usr/bin:/bin", "SOURCE_URL": "http://bot", "SOURCE_TOKEN": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    told = place / "told"
    return done.returncode, told.read_text() if told.exists() else "", place / "source"


def test_what_comes_is_unpacked(tmp_path: Path):
    code, told, source = fetched(tmp_path, archive("Dockerfile"))
    assert (code, told, (source / "Dockerfile").read_text()) == (0, "", "ok")
    assert list((tmp_path / "tmp").glob("*.tgz")) == []


@pytest.mark.parametrize(
    "sent", [b"PK\x03\x04 a zip file", archive("Dockerfile")[:-20], b""], ids=["zip", "cut", "empty"]
)
def test_what_is_no_archive_is_said_and_not_taken_for_a_bot_that_is_away(tmp_path: Path, sent: bytes):
    """A client of somebody's own may send anything that has the digest it announced."""
    code, told, _ = fetched(tmp_path, sent)
    assert code == NOT_UNPACKED
    assert told.startswith("the source cannot be unpacked: ")
