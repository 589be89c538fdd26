"""Sets up what the tests need and this machine allows, and says what is left out: `make test` begins with it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.builders import assets as builders
from tests.controlplane import assets
from tests.tools import programs

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Without fonts a browser draws boxes where the page has letters and emoji, and screenshots prove nothing.
FONTS = {"fonts-noto-core": "NotoSans-Regular.ttf", "fonts-noto-color-emoji": "NotoColorEmoji.ttf"}
FONT_FOLDER = Path("/usr/share/fonts")
# Where Slack's JavaScript SDK is locked and installed; the oldest Node that it runs on.
SDK = Path(__file__).parent / "conformance"
OLDEST_NODE = (20, 18)
INSTALL_SECONDS = 600.0  # Chromium is 100 MB, and mirrors can be slow

# Beside bash, which `make` needs.
SHELLS = ("zsh", "fish")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What is here.

    Attributes:
        browser: the path of a Chromium, or None.
        fonts: the font packages that are missing.
        installer: whether packages can be installed: root, and Debian's apt-get.
        node: whether there is a Node that Slack's SDK runs on.
        sdk: whether Slack's JavaScript SDK is installed as locked.
        go: whether there is a Go to build the control plane with.
        control_plane: where the control plane lies, or None.
        tools: programs that judge files of their field and are not there.
        shells: those that are missing of what completes what is typed.
        build_packages: those that are missing of what builds images beside BuildKit.
        no_builds: why no image can be built here, "" where it can.
    """

    browser: str | None
    fonts: tuple[str, ...]
    installer: bool
    node: bool
    sdk: bool
    go: bool
    control_plane: Path | None
    tools: tuple[str, ...]
    shells: tuple[str, ...]
    build_packages: tuple[str, ...]
    no_builds: str


def find_browser(path: str | None = None) -> str | None:
    """Return the path of a Chromium for the browser run, or None."""
    found = (shutil.which(name, path=path) for name in BROWSERS)
    return next((browser for browser in found if browser), None)


def find_node(path: str | None = None) -> str | None:
    """Return the path of a Node for Slack's JavaScript SDK, or None."""
    node = shutil.which("node", path=path)
    if node is None or shutil.which("npm", path=path) is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
    version = tuple(int(part) for part in said.strip().removeprefix("v").split(".")[:2] if part.isdecimal())
    return node if version >= OLDEST_NODE else None


def sdk_problem(folder: Path = SDK) -> str:
    """Say why Slack's JavaScript SDK is not there as it is locked, or nothing.

    npm writes what it has installed beside it, so that what is installed already costs a comparison.
    """
    installed = folder / "node_modules/.package-lock.json"
    if not installed.is_file():
        return "there is no node_modules"
    wanted, found = (_versions(file) for file in (folder / "package-lock.json", installed))
    return "" if wanted == found else "node_modules is not what package-lock.json says"


def _versions(lock: Path) -> dict[str, str]:
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    return {name: package["integrity"] for name, package in packages.items() if name}


def install_sdk(folder: Path = SDK) -> str:
    """Install Slack's JavaScript SDK as it is locked, no script of it run, and return what went wrong, or nothing."""
    words = ["npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-progress"]
    return _run(words, "npm ci", cwd=folder, environ=os.environ)


def look(environ: Mapping[str, str] = os.environ, *, fonts: Path = FONT_FOLDER) -> Machine:
    path = environ.get("PATH")
    return Machine(
        browser=find_browser(path),
        fonts=tuple(package for package, file in FONTS.items() if not any(fonts.rglob(file))),
        installer=os.geteuid() == 0 and shutil.which("apt-get", path=path) is not None,
        node=find_node(path) is not None,
        sdk=not sdk_problem(),
        go=shutil.which("go", path=path) is not None,
        control_plane=assets.find(environ),
        tools=programs.missing(environ),
        shells=tuple(each for each in SHELLS if shutil.which(each, path=path) is None),
        build_packages=builders.missing_packages(path),
        no_builds=builders.why_not(environ),
    )


def to_install(machine: Machine) -> list[str]:
    """Name the packages that are missing and can be had."""
    if not machine.installer:
        return []
    browser = [] if machine.browser else ["chromium"]
    return [*browser, *machine.fonts, *machine.shells, *machine.build_packages]


def left_out(machine: Machine) -> list[str]:
    """Say in one line each what will not be tested, and how to change that."""
    lines = []
    if machine.browser is None:
        lines.append("no Chromium: the browser run is left out (install chromium, or run as root on Debian)")
    elif machine.fonts:
        lines.append(f"missing fonts: screenshots will show boxes (install {' '.join(machine.fonts)})")
    if machine.shells:
        lines.append(f"no {' and no '.join(machine.shells)}: completion is not tried there")
    if not machine.node:
        lines.append(
            "no Node of 20.18 or newer with npm: what Slack's JavaScript SDK proves of the emulated Slack is left out"
        )
    if machine.control_plane is None:
        lines.append(f"{_no_control_plane(go=machine.go)}: rings B and C are left out")
    if machine.tools:
        lines.append(
            f"no {' and no '.join(machine.tools)} (`make tools` obtains them): what they judge is left out"
        )
    if machine.no_builds:
        lines.append(f"no images are built with a real BuildKit: {machine.no_builds}")
    return lines


def _no_control_plane(*, go: bool) -> str:
    if go:
        return "no control plane (`make cluster` obtains it, 11 minutes once)"
    return "no control plane and no Go to build it with (install Go, then `make cluster`)"


def install(packages: list[str]) -> str:
    """Install packages with apt-get and return what went wrong, or nothing."""
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        if problem := _run(["apt-get", "--quiet", *words], f"apt-get {words[0]}", environ=environ):
            return problem
    return ""


def _run(words: list[str], name: str, *, environ: Mapping[str, str], cwd: Path | None = None) -> str:
    """Run a program and return the last line of what it complained about, or nothing."""
    try:
        done = subprocess.run(
            words, env=environ, cwd=cwd, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{name} took longer than {INSTALL_SECONDS:.0f} s"
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
    if machine.node and not machine.sdk:
        problem = install_sdk()
        said = f"could not be installed, so its tests will fail: {problem}" if problem else "installed"
        sys.stdout.write(f"Slack's JavaScript SDK: {said}\n")
    for line in left_out(machine):
        sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
