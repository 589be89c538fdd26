"""Child processes that never outlive the tests, and loopback ports for them."""

import atexit
import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
from pathlib import Path

# Below 32768, where Linux begins to hand out ports to outgoing connections by itself: between choosing a port and
# listening on it lie seconds in which the API server opens hundreds of those.
PORTS = range(20000, 32000)
TAIL = 15  # lines of a log that an error shows
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def free_ports(count: int) -> list[int]:
    """Choose loopback ports on which nobody listens."""
    chosen: list[int] = []
    while len(chosen) < count:
        port = secrets.choice(PORTS)
        if port not in chosen and _is_free(port):
            chosen.append(port)
    return chosen


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _die_with_the_tests(parent: int) -> None:
    """Run in the child: ask Linux for SIGKILL when the tests end in whatever way, which atexit cannot promise."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


class Process:
    """One program with its log in a file."""

    def __init__(self, command: list[str], log: Path) -> None:
        self.name = Path(command[0]).name
        self.log = log
        parent = os.getpid()
        with log.open("wb") as output:
            # A session of its own: Ctrl-C must reach pytest alone, or the control plane dies under the last test.
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: _die_with_the_tests(parent),  # noqa: PLW1509 - two system calls, no lock
            )
        atexit.register(self.kill)

    @property
    def pid(self) -> int:
        return self._child.pid

    def ended(self) -> int | None:
        """Return the exit status, or None while it runs."""
        return self._child.poll()

    def send(self, number: signal.Signals) -> None:
        if self.ended() is None:
            self._child.send_signal(number)

    def kill(self) -> None:
        """End it at once: its state is thrown away, so there is nothing to save, and SIGKILL also ends a frozen one."""
        atexit.unregister(self.kill)
        self.send(signal.SIGKILL)
        self._child.wait()

    def tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-TAIL:]
        return f"last lines of {self.log}:\n" + "\n".join(lines)
