"""Programs that judge files of their field, or work beside the bot: obtained once per machine by `make tools` (`python -m tests.tools.programs`)."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.controlplane import assets
from tests.controlplane.build import NEEDS_GO, BuildError, compile_package, say, sole_builder
from tests.controlplane.fixtures import refusal

HERE = Path(__file__).parent
LDFLAGS = "-s -w"


@dataclass(frozen=True, slots=True)
class GoProgram:
    """A program of one Go module, whose go.mod and go.sum lie in the folder of its name."""

    name: str
    package: str

    @property
    def module(self) -> Path:
        return HERE / self.name


PROGRAMS = {
    program.name: program
    for program in (
        # Kubernetes' libraries are those of the control plane, so that what Go has compiled for that serves here too.
        GoProgram("helm", "helm.sh/helm/v4/cmd/helm"),
        GoProgram("actionlint", "github.com/rhysd/actionlint/cmd/actionlint"),
        GoProgram("litestream", "github.com/benbjohnson/litestream/cmd/litestream"),
    )
}
# To build them would take longer than the control plane does; Debian has both in one package, which is unpacked and not installed: nobody wants
# a server of the machine's own.
PROMETHEUS = ("promtool", "prometheus")
DEBIAN = "prometheus"


def cache(environ: Mapping[str, str]) -> Path:
    """Return the user's own folder for what is obtained once."""
    folder = environ.get("XDG_CACHE_HOME") or environ.get("HOME", "~") + "/.cache"
    return Path(folder).expanduser() / "convox-bot" / "tools"


def place(program: GoProgram, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the program belongs in the user's cache, whether or not it is there yet."""
    files = {name: (program.module / name).read_bytes() for name in ("go.mod", "go.sum")}
    flags = [platform.system(), platform.machine(), *assets.GO_ENVIRONMENT.values(), LDFLAGS, program.package]
    return cache(environ) / assets.hash_key(files, flags) / program.name


def of_prometheus(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where a program of Prometheus' own (the judge of rules, or the server) is, or belongs."""
    installed = shutil.which(name, path=environ.get("PATH"))
    return Path(installed) if installed else cache(environ) / name


def missing(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Name the programs that are not there."""
    places = {name: place(program, environ) for name, program in PROGRAMS.items()}
    places |= {name: of_prometheus(name, environ) for name in PROMETHEUS}
    return tuple(name for name, path in places.items() if not assets.usable(path))


def needed(name: str) -> Path:
    """Return a program for a test; without it the test is left out, and in CI, which makes it first, it fails."""
    if refused := refusal(name not in missing(), os.environ):
        raise refused(f"left out: there is no {name}; `make tools` obtains it")
    return of_prometheus(name) if name in PROMETHEUS else place(PROGRAMS[name])


def obtain(program: GoProgram, environ: Mapping[str, str] = os.environ) -> Path:
    """Build the program where it is missing, and return it."""
    target = place(program, environ)
    target.parent.mkdir(parents=True, exist_ok=True)
    with sole_builder(target.parent):
        if not assets.usable(target):
            go = shutil.which("go", path=environ.get("PATH"))
            if go is None:
                wanted = ".".join(map(str, NEEDS_GO))
                raise BuildError(
                    f"{program.name} is built with Go {wanted} or newer, and there is no `go` on the PATH."
                )
            began = time.monotonic()
            compile_package(go, program.module, program.package, LDFLAGS, target, environ)
            say(f"{program.name}: built, {time.monotonic() - began:.1f} s")
    return target


def unpack_prometheus(environ: Mapping[str, str] = os.environ) -> None:
    """Take its programs out of Debian's package, without installing that, where one is missing.

    Raises:
        BuildError: the package cannot be had.
    """
    wanted = [path for name in PROMETHEUS if not assets.usable(path := of_prometheus(name, environ))]
    if not wanted:
        return
    if shutil.which("apt-get", path=environ.get("PATH")) is None:
        raise BuildError(
            "promtool and prometheus are taken from Debian, and this is none: put them on the PATH."
        )
    folder = cache(environ)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpack-", dir=folder) as unpacked:
        if os.geteuid() == 0:
            _run("apt-get", "--quiet", "update", folder=unpacked)
        _run("apt-get", "--quiet", "download", DEBIAN, folder=unpacked)
        (package,) = Path(unpacked).glob("*.deb")
        _run("dpkg-deb", "-x", package.name, "files", folder=unpacked)
        for path in wanted:
            (Path(unpacked) / "files/usr/bin" / path.name).replace(path)
    say(f"{' and '.join(path.name for path in wanted)}: taken out of Debian's package")


def _run(*words: str, folder: str) -> None:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise BuildError(f"promtool and prometheus cannot be had: {said}")


def main() -> int:
    try:
        for each in PROGRAMS.values():
            obtain(each)
        unpack_prometheus()
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
