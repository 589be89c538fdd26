"""Sets up what the tests need and this machine allows, and says what is left out: `make test` begins with it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.controlplane import assets

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Without fonts a browser draws boxes where the page has letters and emoji, and screenshots prove nothing.
FONTS = {"fonts-noto-core": "NotoSans-Regular.ttf", "fonts-noto-color-emoji": "NotoColorEmoji.ttf"}
FONT_FOLDER = Path("/usr/share/fonts")
INSTALL_SECONDS = 600.0  # Chromium is 100 MB, and mirrors can be slow


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What is here.

    Attributes:
        browser: the path of a Chromium, or None.
        fonts: the font packages that are missing.
        installer: whether packages can be installed: root, and Debian's apt-get.
        go: whether there is a Go to build the control plane with.
        control_plane: where the control plane lies, or None.
    """

    browser: str | None
    fonts: tuple[str, ...]
    installer: bool
    go: bool
    control_plane: Path | None


def find_browser(path: str | None = None) -> str | None:
    """Return the path of a Chromium for the browser run, or None."""
    found = (shutil.which(name, path=path) for name in BROWSERS)
    return next((browser for browser in found if browser), None)


def look(environ: Mapping[str, str] = os.environ, *, fonts: Path = FONT_FOLDER) -> Machine:
    path = environ.get("PATH")
    return Machine(
        browser=find_browser(path),
        fonts=tuple(package for package, file in FONTS.items() if not any(fonts.rglob(file))),
        installer=os.geteuid() == 0 and shutil.which("apt-get", path=path) is not None,
        go=shutil.which("go", path=path) is not None,
        control_plane=assets.find(environ),
    )


def to_install(machine: Machine) -> list[str]:
    """Name the packages that are missing and can be had."""
    if not machine.installer:
        return []
    return [*([] if machine.browser else ["chromium"]), *machine.fonts]


def left_out(machine: Machine) -> list[str]:
    """Say in one line each what will not be tested, and how to change that."""
    lines = []
    if machine.browser is None:
        lines.append("no Chromium: the browser run is left out (install chromium, or run as root on Debian)")
    elif machine.fonts:
        lines.append(f"missing fonts: screenshots will show boxes (install {' '.join(machine.fonts)})")
    if machine.control_plane is None:
        lines.append(f"{_no_control_plane(go=machine.go)}: rings B and C are left out")
    return lines


def _no_control_plane(*, go: bool) -> str:
    if go:
        return "no control plane (`make cluster` obtains it, 11 minutes once)"
    return "no control plane and no Go to build it with (install Go, then `make cluster`)"


def install(packages: list[str]) -> str:
    """Install packages with apt-get and return what went wrong, or nothing."""
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        try:
            done = subprocess.run(
                ["apt-get", "--quiet", *words],
                env=environ,
                capture_output=True,
                text=True,
                timeout=INSTALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"apt-get {words[0]} took longer than {INSTALL_SECONDS:.0f} s"
        if done.returncode:
            return (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
    return ""


def main() -> int:
    machine = look()
    if packages := to_install(machine):
        problem = install(packages)
        said = f"could not be installed: {problem}" if problem else "installed"
        sys.stdout.write(f"{', '.join(packages)}: {said}\n")
        machine = look()
    for line in left_out(machine):
        sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
