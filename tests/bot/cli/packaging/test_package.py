"""A folder becomes an archive: everything that is built from, nothing that is not, and always the same bytes."""

import io
import os
import socket
import tarfile
from typing import Any

import pytest

from bot.cli.packaging.archive import TIME, write_archive
from bot.cli.packaging.package import dockerfiles, package
from bot.cli.packaging.tree import TreeEntry
from bot.cli.rack_url import CliError

MANIFEST = "services:\n  web:\n    build: .\n"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "app"
    (made / "src" / "deep").mkdir(parents=True)
    (made / "convox.yml").write_text(MANIFEST)
    (made / "Dockerfile").write_text("FROM scratch\n")
    (made / "src" / "main.py").write_text("print()\n")
    (made / "src" / "deep" / "data.bin").write_bytes(bytes(range(256)) * 1000)
    (made / "empty").mkdir()
    (made / "run.sh").write_text("#!/bin/sh\n")
    (made / "run.sh").chmod(0o755)
    (made / "src" / "main.py").chmod(0o640)
    return made


def packaged(folder, manifest="convox.yml", text=MANIFEST):
    into = io.BytesIO()
    return package(folder, manifest, text, into), into.getvalue()


def members(data):
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        return {member.name: member for member in tar.getmembers()}


def test_everything_is_in_it_once_with_its_mode_and_nobodys_name(folder):
    archive, data = packaged(folder)

    found = members(data)
    assert list(found) == [
        *("Dockerfile", "convox.yml", "empty", "run.sh", "src"),
        *("src/deep", "src/deep/data.bin", "src/main.py"),
    ]
    assert {name: found[name].mode for name in ("run.sh", "src/main.py")} == {
        "run.sh": 0o755,
        "src/main.py": 0o640,
    }
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in found.values()} == {(0, 0, "", "", TIME)}
    assert archive.size == len(data)
    assert archive.left_out == ()


def test_the_same_folder_is_the_same_bytes_wherever_and_whenever_it_stands(folder, tmp_path):
    before = packaged(folder)
    folder.rename(tmp_path / "elsewhere")
    for path in (tmp_path / "elsewhere").rglob("*"):
        os.utime(path, (1, 1))

    assert packaged(tmp_path / "elsewhere") == before
    (tmp_path / "elsewhere" / "run.sh").chmod(0o700)
    assert packaged(tmp_path / "elsewhere")[0].digest != before[0].digest


def test_what_dockerignore_names_stays_but_never_what_the_build_reads_first(folder):
    (folder / ".dockerignore").write_text("**\n!src/deep\nrun.sh\n")
    (folder / "api").mkdir()
    (folder / "api" / "Dockerfile.prod").write_text("FROM scratch\n")
    text = MANIFEST + "  api:\n    build:\n      path: api\n      manifest: Dockerfile.prod\n"

    assert list(members(packaged(folder, text=text)[1])) == [
        *(".dockerignore", "Dockerfile", "api", "api/Dockerfile.prod", "convox.yml"),
        *("src", "src/deep", "src/deep/data.bin"),
    ]


def test_a_folder_that_is_left_out_is_not_even_opened(folder, monkeypatch):
    (folder / ".dockerignore").write_text("node_modules\n*.md\n!README.md\n")
    (folder / "node_modules" / "left").mkdir(parents=True)
    opened, scandir = [], os.scandir

    def noted(path):
        opened.append(str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", noted)

    assert "node_modules" not in members(packaged(folder)[1])
    assert not [path for path in opened if "node_modules" in path]


def test_a_folder_that_nobody_may_write_can_be_filled_where_it_is_unpacked(folder):
    """As caches of Go and Nix are; a pod is no root, and so was refused what root is not."""
    vendor = folder / "vendor"
    vendor.mkdir()
    (vendor / "a.go").write_text("package a\n")
    (vendor / "a.go").chmod(0o444)
    vendor.chmod(0o555)
    try:
        found = members(packaged(folder)[1])
    finally:
        vendor.chmod(0o755)
    assert [found[name].mode for name in ("vendor", "vendor/a.go")] == [0o755, 0o444]


def test_a_link_inside_the_folder_stays_a_link(folder):
    (folder / "src" / "link").symlink_to("../run.sh")
    (folder / "broken").symlink_to("src/./nowhere")
    (folder / "to-folder").symlink_to("src")

    found = members(packaged(folder)[1])
    assert [(found[name].issym(), found[name].linkname) for name in ("src/link", "broken", "to-folder")] == [
        (True, "../run.sh"),
        (True, "src/./nowhere"),
        (True, "src"),
    ]
    assert "to-folder/main.py" not in found


@pytest.mark.parametrize("target", ["../outside", "/etc/passwd", "up/../../outside", "src/../../app2/x"])
def test_a_link_that_leads_out_is_refused_by_name_unless_it_is_left_out(folder, target):
    (folder / "up").symlink_to(".")
    (folder / "escape").symlink_to(target)

    with pytest.raises(CliError) as told:
        packaged(folder)
    assert (
        told.value.sentence == f"escape is a link to {target}, which is not in the folder that is built from"
    )
    (folder / ".dockerignore").write_text("escape\n")
    assert "escape" not in members(packaged(folder)[1])


def test_a_link_that_comes_back_by_the_name_of_the_folder_is_refused(folder):
    """Where it is built the folder is `/source`: `../app/run.sh` leads to nothing there."""
    (folder / "src" / "back").symlink_to(f"../../{folder.name}/run.sh")

    with pytest.raises(CliError, match=r"src/back is a link to \.\./\.\./"):
        packaged(folder)


def test_links_in_a_circle_stay_and_one_over_another_that_is_absolute_does_not(folder):
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    assert members(packaged(folder)[1])["a"].linkname == "b"
    (folder / "hidden").symlink_to(folder / "src")
    (folder / "over").symlink_to("hidden//run.sh")
    (folder / ".dockerignore").write_text("hidden\n")

    with pytest.raises(CliError, match="over is a link to hidden//run.sh"):
        packaged(folder)


def test_the_ignore_file_of_a_dockerfile_comes_along(folder):
    """BuildKit takes it in place of `.dockerignore`; without it the image has what it should not."""
    text = "services: {web: {build: {manifest: ci/web.Dockerfile}}}\n"
    (folder / "ci").mkdir()
    for name in ("web.Dockerfile", "web.Dockerfile.dockerignore", "other"):
        (folder / "ci" / name).write_text("x\n")
    (folder / ".dockerignore").write_text("ci\n")

    found = members(packaged(folder, text=text)[1])
    assert {name for name in found if name.startswith("ci/")} == {
        "ci/web.Dockerfile",
        "ci/web.Dockerfile.dockerignore",
    }


def test_a_link_by_an_absolute_path_is_refused_even_where_it_stays(folder):
    (folder / "absolute").symlink_to(folder / "run.sh")

    with pytest.raises(CliError, match="absolute is a link to"):
        packaged(folder)


def test_sockets_and_pipes_are_left_out_by_name(folder, monkeypatch):
    os.mkfifo(folder / "src" / "pipe")
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("agent.sock")
        archive, data = packaged(folder)

    assert archive.left_out == ("agent.sock", "src/pipe")
    assert not {"agent.sock", "src/pipe"} & set(members(data))


def test_long_and_odd_names_come_through(folder):
    names = ["n" * 200, "ümlaut ☺", "-dash", "new\nline", os.fsdecode(b"latin-\xfc")]
    for name in names:
        (folder / name).write_text(name, errors="surrogateescape")

    assert set(names) <= set(members(packaged(folder)[1]))


class Chunks:
    """A file of which is remembered how much was read of it at once."""

    def __init__(self, size):
        self.left, self.most, self.at = size, 0, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def seek(self, offset, whence=0):
        self.at = self.left if whence == 2 else offset
        return self.at

    def read(self, count):
        assert count >= 0
        self.most = max(self.most, count)
        given = min(count, self.left)
        self.left -= given
        return bytes(given)


class Sink:
    """Takes what is written, and keeps how much at once."""

    most: int = 0

    def write(self, data):
        self.most = max(self.most, len(data))
        return len(data)

    def flush(self):
        pass


def test_a_large_file_is_never_in_memory_whole(monkeypatch, tmp_path):
    file: Any = Chunks(64 << 20)
    sink: Any = Sink()
    monkeypatch.setattr("bot.cli.packaging.archive._opened", lambda _: file)

    write_archive([TreeEntry(name="big", path=tmp_path / "big", kind="file", mode=0o644)], sink)

    assert file.left == 0
    assert file.most <= 1 << 20
    assert sink.most <= 1 << 20


def test_a_file_that_becomes_shorter_while_it_is_read_is_said(monkeypatch, tmp_path):
    file = Chunks(1000)
    file.seek = lambda _offset, whence=0: 2000 if whence == 2 else 0
    monkeypatch.setattr("bot.cli.packaging.archive._opened", lambda _: file)

    with pytest.raises(CliError, match="log cannot be packaged: it became shorter meanwhile"):
        write_archive([TreeEntry(name="log", path=tmp_path / "log", kind="file", mode=0o644)], io.BytesIO())


def test_what_is_gone_before_it_is_read_is_said(tmp_path):
    entry = TreeEntry(name="gone", path=tmp_path / "gone", kind="file", mode=0o644)

    with pytest.raises(CliError, match="gone cannot be read: No such file or directory"):
        write_archive([entry], io.BytesIO())


def test_a_folder_that_is_none_is_said(tmp_path):
    with pytest.raises(CliError, match="nowhere is no folder"):
        packaged(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("manifest", "names"),
    [
        (MANIFEST, ["Dockerfile"]),
        ("services:\n  a:\n    port: 1\n", ["Dockerfile"]),
        ("services:\n  a:\n    build: ./api/\n  b:\n    image: x\n", ["api/Dockerfile"]),
        ("services:\n  a:\n    build: {path: x/.., manifest: Other}\n", ["Other"]),
        ("services: [1]\n", []),
        ("services:\n  a: 1\n", []),
        ("[", []),
        ("text", []),
    ],
)
def test_each_service_that_is_built_has_its_dockerfile(manifest, names):
    assert list(dockerfiles(manifest)) == names
