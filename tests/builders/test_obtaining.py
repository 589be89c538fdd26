"""The real BuildKit is that of the image in the settings, and what keeps it away is said in a sentence."""

import os

import pytest

from bot.build_settings import ClusterBuildSettings
from core.cluster.builds.settings import BUILD_IMAGE
from tests.builders import assets, build
from tests.controlplane.build import BuildError, require_go


def test_the_version_that_is_tested_is_the_version_that_builds():
    assert ClusterBuildSettings().convox_build_image == BUILD_IMAGE
    version = BUILD_IMAGE.partition(":")[2].removesuffix("-rootless")
    assert f"{assets.MODULE} {version} " in (assets.HERE / "go.mod").read_text()


def test_without_go_it_is_said_what_to_install(tmp_path, monkeypatch, capsys):
    environ = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    with pytest.raises(
        BuildError,
        match="^BuildKit is built with Go, and there is no `go` on the PATH: install Go 1.26 or newer",
    ):
        build.build(environ)
    assert assets.find(environ) is None
    monkeypatch.setattr(build, "build", lambda: require_go(environ, "BuildKit", ""))
    assert build.main() == 1
    assert capsys.readouterr().err.endswith("Without BuildKit, tests/builders is left out.\n")


def test_what_is_there_is_not_built_again(tmp_path):
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    folder = assets.directory(environ)
    folder.mkdir(parents=True)
    for name in (*assets.BINARIES, assets.SCRIPT):
        (folder / name).touch(mode=0o755)
    assert build.build(environ) == folder == assets.find(environ)
