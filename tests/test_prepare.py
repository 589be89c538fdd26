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
        "go": True,
        "control_plane": Path("/cache"),
    }
    return Machine(**{**everything, **changes})


def test_a_complete_machine_is_left_alone_and_nothing_is_said():
    assert to_install(machine(installer=True)) == []
    assert left_out(machine()) == []


def test_packages_are_installed_only_where_they_can_be():
    bare = {"browser": None, "fonts": ("fonts-noto-core",)}
    assert to_install(machine(**bare, installer=True)) == ["chromium", "fonts-noto-core"]
    assert to_install(machine(**bare)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"browser": None}, "no Chromium: the browser run is left out"),
        (
            {"fonts": ("fonts-noto-core",)},
            "missing fonts: screenshots will show boxes (install fonts-noto-core)",
        ),
        ({"control_plane": None}, "no control plane (`make cluster` obtains it"),
        ({"control_plane": None, "go": False}, "no control plane and no Go to build it with"),
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


def test_what_apt_complains_about_is_said_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "apt-get").write_text(
        "#!/bin/sh\necho noise >&2\necho 'E: Unable to locate package chromium' >&2\nexit 100\n"
    )
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert prepare.install(["chromium"]) == "E: Unable to locate package chromium"
