"""Where a build lies, what is taken from elsewhere, and what a machine without Go is told. Nothing is compiled here."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.controlplane import assets, build


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def environ(tmp_path):
    """An environment with an empty cache and no Go."""
    return {"HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "nothing")}


def test_the_key_changes_with_every_file_and_every_flag_and_with_nothing_else():
    files = {"kube/go.mod": b"module a", "kube/go.sum": b"h1:"}
    key = assets.hash_key(files, ["-trimpath"])
    assert key == assets.hash_key(dict(reversed(files.items())), ["-trimpath"])
    others = [
        assets.hash_key({**files, "kube/go.mod": b"module b"}, ["-trimpath"]),
        assets.hash_key({**files, "etcd/go.mod": b""}, ["-trimpath"]),
        assets.hash_key(files, ["-trimpath", "-race"]),
        assets.hash_key({"kube/go.mod": b"module ah1:", "kube/go.sum": b""}, ["-trimpath"]),
    ]
    assert len({key, *others}) == 5


def test_the_cache_is_the_users_own(environ, tmp_path):
    assert assets.directory(environ).is_relative_to(tmp_path / "home/.cache/convox-bot/cluster")
    elsewhere = {**environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert assets.directory(elsewhere).is_relative_to(tmp_path / "cache/convox-bot/cluster")
    assert assets.directory(elsewhere).name == assets.directory(environ).name


def test_nothing_is_found_before_everything_is_there(environ):
    folder = assets.directory(environ)
    for name in assets.BINARIES:
        assert assets.find(environ) is None
        program(folder / name)
    assert assets.find(environ) == folder
    (folder / "kubectl").chmod(0o644)
    assert assets.missing(folder) == ["kubectl"]


def test_a_complete_kubebuilder_assets_needs_no_build(environ, tmp_path, capsys):
    for name in assets.BINARIES:
        program(tmp_path / "assets" / name)
    environ["KUBEBUILDER_ASSETS"] = str(tmp_path / "assets")
    assert assets.find(environ) == tmp_path / "assets"
    assert build.build(environ) == tmp_path / "assets"
    assert capsys.readouterr().out == f"the control plane is in {tmp_path / 'assets'}\n"


def test_what_kubebuilder_assets_holds_is_taken_and_only_the_rest_is_built(
    environ, tmp_path, capsys, monkeypatch
):
    given = program(tmp_path / "assets" / "etcd")
    program(tmp_path / "assets" / "kubectl").chmod(0o644)  # not usable
    alone = assets.directory(environ)
    environ["KUBEBUILDER_ASSETS"] = str(tmp_path / "assets")
    monkeypatch.setattr(build, "require_go", lambda environ: "go")
    monkeypatch.setattr(build, "compile_binary", lambda go, name, target, environ: program(target))
    folder = build.build(environ)
    assert folder != alone, "a mixed folder must not be taken for a pure one"
    assert (folder / "etcd").readlink() == given
    said = capsys.readouterr().out
    assert f"etcd: taken from {tmp_path / 'assets'}" in said
    assert "kubectl: built, " in said
    assert build.build(environ) == folder
    assert capsys.readouterr().out == f"the control plane is in {folder}\n"


def test_an_interrupted_build_goes_on_where_it_was(environ, monkeypatch):
    compiled = []
    monkeypatch.setattr(build, "require_go", lambda environ: "go")
    monkeypatch.setattr(
        build, "compile_binary", lambda go, name, target, environ: compiled.append(program(target).name)
    )
    program(assets.directory(environ) / "kube-apiserver")
    build.build(environ)
    assert compiled == [name for name in assets.BINARIES if name != "kube-apiserver"]


def test_the_second_of_two_builds_waits_and_then_builds_nothing(environ, capsys, monkeypatch):
    folder = assets.directory(environ)
    folder.mkdir(parents=True)
    monkeypatch.setattr(build, "require_go", lambda environ: "go")
    with build.sole_builder(folder):
        second = threading.Thread(target=build.build, args=(environ,))
        second.start()
        second.join(0.2)
        assert second.is_alive()
        for name in assets.BINARIES:
            program(folder / name)
    second.join(10)
    assert not second.is_alive()
    assert "another `make cluster` is at work" in capsys.readouterr().out


def test_without_go_one_sentence_says_what_to_do(environ):
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tests.controlplane.build"],
        cwd=root,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(
        "The control plane is built with Go, and there is no `go` on the PATH: install Go 1.26 or newer"
    )
    assert "KUBEBUILDER_ASSETS" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo go1.24.3", r"too old to build the control plane \(go1.24.3\)"),
        (
            "echo 'go: go.mod requires go >= 1.26.0 (running go 1.22.1; GOTOOLCHAIN=local)' >&2; exit 1",
            "running go 1.22.1",
        ),
    ],
)
def test_a_go_that_is_too_old_is_told_by_its_version(environ, tmp_path, script, said):
    program(tmp_path / "go", f"#!/bin/sh\n{script}\n")
    with pytest.raises(build.BuildError, match=said):
        build.require_go({**environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})


@pytest.mark.parametrize(
    ("text", "version"),
    [("go1.26.8\n", (1, 26)), ("go1.27rc1", (1, 27)), ("go2.0", (2, 0)), ("devel go1.28-abc", None)],
)
def test_go_versions_are_read(text, version):
    assert build.parse_go_version(text) == version


def test_a_failed_compilation_leaves_nothing_and_shows_the_end_of_the_complaint(environ, tmp_path):
    go = program(tmp_path / "go", "#!/bin/sh\nfor i in $(seq 50); do echo line $i >&2; done; exit 1\n")
    target = tmp_path / "cache" / "etcd"
    target.parent.mkdir()
    with pytest.raises(build.BuildError, match=r"(?s)^etcd could not be built:\nline 31\n.*line 50$"):
        build.compile_binary(str(go), "etcd", target, {**environ, "PATH": os.environ["PATH"]})
    assert list(target.parent.iterdir()) == []


def test_the_persons_environment_reaches_the_compiler_except_for_what_decides_the_result():
    environment = build.go_environment(
        {"GOPROXY": "https://proxy.example", "GOFLAGS": "-race", "CGO_ENABLED": "1"}
    )
    assert environment["GOPROXY"] == "https://proxy.example"
    assert environment["CGO_ENABLED"] == "0"
    assert environment["GOFLAGS"] == "-mod=readonly -trimpath -buildvcs=false"


def test_the_modules_pin_what_the_version_says():
    kube = (assets.HERE / "kube" / "go.mod").read_text()
    assert f"k8s.io/kubernetes v{assets.VERSION}" in kube
    for module, package, _ in assets.BINARIES.values():
        assert package in (assets.HERE / module / "go.mod").read_text().split("tool", 1)[1]
