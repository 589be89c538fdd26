"""Obtains a real BuildKit once per machine: `make builders` (`python -m tests.builders.build`)."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.builders import assets
from tests.controlplane.build import (
    BuildError,
    compile_package,
    go_environment,
    require_go,
    say,
    sole_builder,
)


def build(environ: Mapping[str, str] = os.environ) -> Path:
    """Obtain what is missing and return the folder that holds everything."""
    folder = assets.directory(environ)
    folder.mkdir(parents=True, exist_ok=True)
    with sole_builder(folder):
        wanted = assets.missing(folder)
        go = require_go(environ, "BuildKit", "") if wanted else ""
        for name in wanted:
            began = time.monotonic()
            obtain(go, name, folder / name, environ)
            say(f"{name}: {time.monotonic() - began:.1f} s")
    say(f"BuildKit is in {folder}")
    return folder


def obtain(go: str, name: str, target: Path, environ: Mapping[str, str]) -> None:
    if name != assets.SCRIPT:
        compile_package(go, assets.HERE, assets.BINARIES[name], assets.LDFLAGS, target, environ)
        return
    # It is an example of theirs, which their images hold as it is.
    words = [go, "list", "-m", "-f", "{{.Dir}}", assets.MODULE]
    said = subprocess.run(
        words, cwd=assets.HERE, env=go_environment(environ), capture_output=True, text=True, check=False
    )
    if said.returncode:
        raise BuildError(f"{assets.MODULE} could not be had: {said.stderr.strip()}")
    fresh = target.with_name(f".{name}")
    shutil.copyfile(Path(said.stdout.strip()) / "examples/buildctl-daemonless" / name, fresh)
    fresh.chmod(0o755)
    fresh.replace(target)


def main() -> int:
    try:
        build()
    except BuildError as error:
        sys.stderr.write(f"{error}\nWithout BuildKit, tests/builders is left out.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
