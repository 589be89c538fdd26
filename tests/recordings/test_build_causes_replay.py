"""Logs of a real BuildKit, as `tests/builders` recorded them: of each the one line that says why is found, and what mends it."""

import tarfile
from pathlib import Path

import pytest

from core.building.cause import cause_in

ARCHIVE = Path(__file__).with_name("builds.tar.xz")
LOGIN = "401 Unauthorized; does the registry take CONVOX_REGISTRY_USER and CONVOX_REGISTRY_PASSWORD, and may that account push there?"
ENDS = {
    "good": "",
    "cached": "",
    "secret": "",
    "step": "did not complete successfully: exit code: 7",
    "instruction": "dockerfile parse error on line 4: unknown instruction: RUNN (did you mean RUN?)",
    "copy": '"/nothere": not found; it is not in the source, or .dockerignore keeps it out',
    "base": "not found; is its name right, and has the app a login there (`registries add`)?",
    "wrong-login": LOGIN,
    "no-login": LOGIN,
    "registry-down": "connection refused; is the registry up, and does the NetworkPolicy of deploy/builds.yaml let builds reach it?",
    "no-user-namespaces": "Operation not permitted; the nodes must let an ordinary user make user namespaces, as deploy/builds.yaml says at its beginning",
}


def logs() -> dict[str, list[str]]:
    with tarfile.open(ARCHIVE) as archive:
        files = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        return {
            name.removesuffix(".log"): file.read().decode().splitlines()
            for name, file in files.items()
            if file
        }


LOGS = logs()


def test_every_recording_is_told():
    assert LOGS.keys() == ENDS.keys()


@pytest.mark.parametrize("name", ENDS)
def test_why_a_real_build_failed_is_found(name: str):
    cause = cause_in(LOGS[name])
    assert cause.endswith(ENDS[name])
    assert bool(cause) == bool(ENDS[name])
    assert "checksum of ref" not in cause
