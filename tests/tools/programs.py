"""Programs that judge files of their field, Helm and actionlint: obtained once per machine by `make tools` (`python -m tests.tools.programs`)."""

import os
import platform
import shutil
import sys
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
    )
}


def place(program: GoProgram, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the program belongs in the user's cache, whether or not it is there yet."""
    cache = environ.get("XDG_CACHE_HOME") or environ.get("HOME", "~") + "/.cache"
    files = {name: (program.module / name).read_bytes() for name in ("go.mod", "go.sum")}
    flags = [platform.system(), platform.machine(), *assets.GO_ENVIRONMENT.values(), LDFLAGS, program.package]
    return Path(cache).expanduser() / "convox-bot" / "tools" / assets.hash_key(files, flags) / program.name


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


def missing(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Name the programs that are not there."""
    return tuple(name for name, program in PROGRAMS.items() if not assets.usable(place(program, environ)))


def needed(name: str) -> Path:
    """Return a program for a test; without it the test is left out, and in CI, which makes it first, it fails."""
    if refused := refusal(name not in missing(), os.environ):
        raise refused(f"left out: there is no {name}; `make tools` obtains it")
    return place(PROGRAMS[name])


def main() -> int:
    try:
        for each in PROGRAMS.values():
            obtain(each)
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
