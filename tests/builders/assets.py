"""Where the real BuildKit lies, and what else of this machine its tests need."""

import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.controlplane.assets import GO_ENVIRONMENT, hash_key, usable

HERE = Path(__file__).parent / "buildkit"
MODULE = "github.com/moby/buildkit"
SCRIPT = "buildctl-daemonless.sh"
LDFLAGS = "-s -w"
# binary: its package
BINARIES = {name: f"{MODULE}/cmd/{name}" for name in ("buildctl", "buildkitd")}
# What is not written in Go alone, or comes ready: a program and Debian's package of it.
PACKAGES = {
    "runc": "runc",
    "rootlesskit": "rootlesskit",
    "newuidmap": "uidmap",
    "docker-registry": "docker-registry",
    "busybox": "busybox-static",
}


def directory(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder in the user's cache that belongs to this version, whether or not it is there yet."""
    cache = environ.get("XDG_CACHE_HOME") or environ.get("HOME", "~") + "/.cache"
    files = {name: (HERE / name).read_bytes() for name in ("go.mod", "go.sum")}
    flags = [platform.system(), platform.machine(), *GO_ENVIRONMENT.values(), LDFLAGS]
    return Path(cache).expanduser() / "convox-bot" / "buildkit" / hash_key(files, flags)


def missing(folder: Path) -> list[str]:
    """Name what `folder` does not hold."""
    return [name for name in (*BINARIES, SCRIPT) if not usable(folder / name)]


def find(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return a folder with the real BuildKit, or None where `make builders` has not run."""
    folder = directory(environ)
    return None if missing(folder) else folder


def missing_packages(path: str | None = None) -> tuple[str, ...]:
    """Name the packages whose program is not on the path."""
    return tuple(package for name, package in PACKAGES.items() if shutil.which(name, path=path) is None)


def why_not(environ: Mapping[str, str] = os.environ) -> str:
    """Say what keeps this machine from building images, "" where it can."""
    if platform.system() != "Linux" or os.geteuid():
        return "a build takes root on Linux, which gives it a file system of its own"
    if packages := missing_packages(environ.get("PATH")):
        return f"install {' '.join(packages)}"
    return "" if find(environ) else "`make builders` obtains BuildKit, 3 minutes once"
