"""Obtains a real control plane once per machine: `make cluster` (`python -m tests.controlplane.build`)."""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.controlplane import assets

NEEDS_GO = (1, 26)  # what Kubernetes 1.37's own go.mod asks for
INSTEAD = f", or put all of {', '.join(assets.BINARIES)} where KUBEBUILDER_ASSETS points"
TAIL = 20  # lines of the compiler's complaint: the cause stands at the end


class BuildError(Exception):
    """Said to the person in one sentence; there is nothing to debug in here."""


def parse_go_version(text: str) -> tuple[int, int] | None:
    """Read `go1.26.8` as (1, 26); None for what is no released version, such as a development tree."""
    match = re.match(r"go(\d+)\.(\d+)", text.strip())
    return (int(match[1]), int(match[2])) if match else None


def go_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the compiler: the person's own, except for what decides the result."""
    return {**environ, **assets.GO_ENVIRONMENT}


def require_go(environ: Mapping[str, str], what: str = "The control plane", or_else: str = INSTEAD) -> str:
    """Return the path of a Go that can build this, or say what to install."""
    wanted = ".".join(map(str, NEEDS_GO))
    way_out = f"install Go {wanted} or newer from https://go.dev/dl{or_else}"
    go = shutil.which("go", path=environ.get("PATH"))
    if go is None:
        raise BuildError(f"{what} is built with Go, and there is no `go` on the PATH: {way_out}.")
    # In the module's folder, because a Go from 1.21 on may fetch the toolchain that go.mod names by itself.
    asked = subprocess.run(
        [go, "env", "GOVERSION"],
        cwd=assets.HERE / "kube",
        env=go_environment(environ),
        capture_output=True,
        text=True,
        check=False,
    )
    version = parse_go_version(asked.stdout)
    if asked.returncode or (version and version < NEEDS_GO):
        said = asked.stdout.strip() or asked.stderr.strip()
        raise BuildError(
            f"The Go on the PATH is too old to build {what.replace('The', 'the')} ({said}): {way_out}."
        )
    return go


@contextlib.contextmanager
def sole_builder(folder: Path) -> Iterator[None]:
    """Let one build at a time work on `folder`; the second waits and then finds everything there."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another `make cluster` is at work, waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def compile_binary(go: str, name: str, target: Path, environ: Mapping[str, str]) -> None:
    """Build one binary of the control plane."""
    module, package, ldflags = assets.BINARIES[name]
    compile_package(go, assets.HERE / module, package, ldflags, target, environ)


def compile_package(
    go: str, module: Path, package: str, ldflags: str, target: Path, environ: Mapping[str, str]
) -> None:
    """Build one package of a module under a temporary name, so that a half written binary is never found."""
    with tempfile.TemporaryDirectory(prefix=".build-", dir=target.parent) as folder:
        fresh = Path(folder) / target.name
        command = [go, "build", "-ldflags", ldflags, "-o", str(fresh), package]
        done = subprocess.run(
            command,
            cwd=module,
            env=go_environment(environ),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BuildError(
                f"{target.name} could not be built:\n" + "\n".join(done.stderr.splitlines()[-TAIL:])
            )
        fresh.replace(target)


def obtain(name: str, folder: Path, environ: Mapping[str, str]) -> str:
    """Put one binary into `folder` and say how."""
    target = folder / name
    if given := assets.supplied(environ).get(name):
        target.unlink(missing_ok=True)
        target.symlink_to(given)
        return f"taken from {given.parent}"
    compile_binary(require_go(environ), name, target, environ)
    return "built"


def build(environ: Mapping[str, str] = os.environ) -> Path:
    """Obtain what is missing and return the folder that holds everything."""
    if found := assets.find(environ):
        say(f"the control plane is in {found}")
        return found
    folder = assets.directory(environ)
    folder.mkdir(parents=True, exist_ok=True)
    with sole_builder(folder):
        wanted = assets.missing(folder)
        if set(wanted) - set(assets.supplied(environ)):
            require_go(environ)
            say("building the control plane (11 minutes on 2 cores if Go's caches are cold)")
        for name in wanted:
            began = time.monotonic()
            how = obtain(name, folder, environ)
            say(f"{name}: {how}, {time.monotonic() - began:.1f} s")
    say(f"the control plane is in {folder}")
    return folder


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    try:
        build()
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("stopped; `make cluster` goes on where it was\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
