"""Of a log of hundreds of lines the one that matters is found, and what mends it is said. Whole real logs: `tests/recordings`."""

import pytest

from core.building.cause import LONGEST_CAUSE, cause_in

STATE = "/home/user/.local/share/buildkit/x"
FULL = "the disk of the registry is full: delete images there, or give it more room; CONVOX_BUILD_DISK does not help"
STARTING = "could not connect to unix:///run/user/1000/buildkit/buildkitd.sock after 10 trials"


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        (["#7 ERROR: exit code: 2", "error: failed to solve: exit code: 2", "x"], "exit code: 2"),
        (["error: a", "error: b"], "b"),
        (["ERROR: failed to solve: c", "error: d"], "c"),
        (["#7 ERROR: not at the beginning"], ""),
        ([], ""),
        (["error: " + "x" * 400], "x" * LONGEST_CAUSE + "…"),
        ([STARTING], "BuildKit did not start: its log says why"),
        ([STARTING, "buildkitd: no space", "x"], "BuildKit did not start: no space"),
        (
            [STARTING, "[rootlesskit:parent] error: newuidmap: Operation not permitted"],
            "BuildKit did not start: newuidmap: Operation not permitted; the nodes must let an ordinary user make user namespaces, as deploy/builds.yaml says at its beginning",
        ),
        (
            ["error: failed to solve: write /tmp/x: no space left on device"],
            "write /tmp/x: no space left on device; CONVOX_BUILD_DISK gives it more",
        ),
        (
            [f"error: failed to solve: failed to push r/a:b: write {STATE}: no space left on device"],
            f"failed to push r/a:b: write {STATE}: no space left on device; CONVOX_BUILD_DISK gives it more",
        ),
        *(
            (
                [f"error: failed to solve: failed to push r/a:b: {said}"],
                f"failed to push r/a:b: {said}; {hint}",
            )
            for said, hint in (
                ("write /var/lib/registry/x: no space left on device", FULL),
                (
                    'unexpected status from PUT request to https://r/v2/: 500 Internal Server Error: {"Err":28}',
                    FULL,
                ),
                ("unexpected status from PUT request to https://r/v2/: 507 Insufficient Storage", FULL),
                (
                    "unexpected status from PUT request to https://r/v2/: 500 Internal Server Error",
                    "the registry has failed, and its own log says why: is its disk full?",
                ),
            )
        ),
        (
            ["error: failed to solve: exit code: 137"],
            "exit code: 137; 137 is a process that was killed, mostly for its memory: CONVOX_BUILD_MEMORY gives it more",
        ),
    ],
)
def test_the_line_that_says_why(lines: list[str], cause: str):
    assert cause_in(lines) == cause
