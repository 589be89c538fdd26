"""What `make test` sets up and what it says is left out."""

from pathlib import Path

import pytest

from tests import prepare
from tests.prepare import Machine, left_out, to_install


def machine(**changes):
    everything = {
        "browser": "/usr/bin/chromium",
        "fonts": (),
        "installer": False,
        "node": True,
        "sdk": True,
        "go": True,
        "control_plane": Path("/cache"),
        "tools": (),
        "shells": (),
        "build_packages": (),
        "no_builds": "",
    }
    return Machine(**{**everything, **changes})


def test_a_complete_machine_is_left_alone_and_nothing_is_said():
    assert to_install(machine(installer=True)) == []
    assert left_out(machine()) == []


def test_packages_are_installed_only_where_they_can_be():
    bare = {"browser": None, "fonts": ("fonts-noto-core",)}
    assert to_install(machine(**bare, installer=True)) == ["chromium", "fonts-noto-core"]
    assert to_install(machine(**bare)) == []
    assert to_install(machine(build_packages=("runc",), installer=True)) == ["runc"]
    assert to_install(machine(shells=("zsh", "fish"), installer=True)) == ["zsh", "fish"]
    assert left_out(machine(shells=("zsh", "fish"))) == ["no zsh and no fish: completion is not tried there"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"browser": None}, "no Chromium: the browser run is left out"),
        (
            {"fonts": ("fonts-noto-core",)},
            "missing fonts: screenshots will show boxes (install fonts-noto-core)",
        ),
        ({"node": False, "sdk": False}, "no Node of 20.18 or newer with npm"),
        ({"no_builds": "install runc"}, "no images are built with a real BuildKit: install runc"),
        ({"control_plane": None}, "no control plane (`make cluster` obtains it"),
        ({"control_plane": None, "go": False}, "no control plane and no Go to build it with"),
        ({"tools": ("helm", "actionlint")}, "no helm and no actionlint (`make tools` obtains them)"),
    ],
)
def test_each_thing_that_is_missing_is_one_line(changes, said):
    (line,) = left_out(machine(**changes))
    assert line.startswith(said)
    assert "\n" not in line


def test_the_machine_is_looked_at_not_guessed(tmp_path):
    for name in ("go", "chromium-browser", "apt-get"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "fonts/noto").mkdir(parents=True)
    (tmp_path / "fonts/noto/NotoSans-Regular.ttf").touch()
    found = prepare.look({"PATH": str(tmp_path), "HOME": str(tmp_path)}, fonts=tmp_path / "fonts")
    assert found.browser == str(tmp_path / "chromium-browser")
    assert found.go
    assert found.fonts == ("fonts-noto-color-emoji",)
    assert found.control_plane is None
    assert found.tools == ("helm", "actionlint", "litestream", "promtool", "prometheus")
    assert set(found.build_packages) == {"runc", "rootlesskit", "uidmap", "docker-registry", "busybox-static"}
    assert found.no_builds


def test_what_apt_complains_about_is_said_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "apt-get").write_text(
        "#!/bin/sh\necho noise >&2\necho 'E: Unable to locate package chromium' >&2\nexit 100\n"
    )
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert prepare.install(["chromium"]) == "E: Unable to locate package chromium"


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """A Node and an npm of the test's own, which installs what its lock file says."""

    def write(name, script):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / name).chmod(0o755)

    write("node", "echo v20.20.2")
    write(
        "npm", 'test "$1" = ci && mkdir node_modules && cp package-lock.json node_modules/.package-lock.json'
    )
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    (tmp_path / "package-lock.json").write_text(
        '{"packages": {"": {}, "node_modules/x": {"integrity": "sha512-1"}}}'
    )
    return write


def test_slacks_sdk_is_installed_as_locked_and_anew_once_the_lock_has_changed(tmp_path, npm):
    assert prepare.sdk_problem(tmp_path) == "there is no node_modules"
    assert prepare.install_sdk(tmp_path) == ""
    assert prepare.sdk_problem(tmp_path) == ""
    (tmp_path / "package-lock.json").write_text('{"packages": {"node_modules/x": {"integrity": "sha512-2"}}}')
    assert prepare.sdk_problem(tmp_path) == "node_modules is not what package-lock.json says"


def test_what_npm_complains_about_is_said_in_one_line(tmp_path, npm):
    npm("npm", "echo noise >&2; echo 'npm error code E404' >&2; exit 1")

    assert prepare.install_sdk(tmp_path) == "npm error code E404"


@pytest.mark.parametrize(
    ("version", "good"), [("v20.18.1", True), ("v22.0.0", True), ("v18.19.0", False), ("", False)]
)
def test_an_old_node_is_none(tmp_path, npm, version, good):
    npm("node", f"echo {version}")

    assert (prepare.find_node() is not None) == good


def test_the_installation_is_tried_where_there_is_a_node_and_its_failure_is_loud(monkeypatch, capsys):
    monkeypatch.setattr(prepare, "look", lambda: machine(sdk=False))
    monkeypatch.setattr(prepare, "install_sdk", lambda: "npm error code E404")

    prepare.main()

    said = "Slack's JavaScript SDK: could not be installed, so its tests will fail: npm error code E404"
    assert said in capsys.readouterr().out
