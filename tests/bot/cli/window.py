"""A real terminal for a test: a program behind a pseudo-terminal, and the screen that a person would see of it."""

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time

import pyte

PATIENCE_SECONDS = 60
# The program gets the terminal as its own, as a shell would give it: only then does Ctrl-C reach it.
AS_LEADER = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
PROGRAM = "import sys; from bot.cli.main import main; sys.exit(main())"
# What a machine of tests may say of its own terminal, or of itself.
NOT_OURS = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI", "COLUMNS", "LINES")


class Window:
    """`convox-bot WORDS` in a terminal, or another program.

    Attributes:
        written: every byte that the program has written.
        screen: what is to be seen.
    """

    def __init__(self, *words, argv=(), columns=100, rows=40, **env):
        self._master, slave = pty.openpty()
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.written = b""
        self._measure(columns, rows)
        kept = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
        # A program by its name is looked for as a shell does.
        given = [shutil.which(argv[0]), *argv[1:]] if argv else [sys.executable, "-c", PROGRAM, *words]
        command = [sys.executable, "-c", AS_LEADER, *given]
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**kept, "TERM": "xterm-256color", "PYTHONUTF8": "1", **env},
        )
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._master)

    @property
    def lines(self):
        """What stands there, without the empty rest."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip("\n").split("\n")

    def until(self, seen):
        """Read until the lines are such."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not seen(self.lines):
            assert time.monotonic() < deadline, self.lines
            assert self._read() or seen(self.lines), self.lines

    def end(self):
        """Read what is left, and return the exit status."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._read():
            assert time.monotonic() < deadline, self.lines
        return self._process.wait(PATIENCE_SECONDS)

    def type(self, keys):
        os.write(self._master, keys)

    def resize(self, columns, rows):
        self._measure(columns, rows)
        self.screen.resize(rows, columns)
        os.killpg(self._process.pid, signal.SIGWINCH)

    def colour(self, word):
        """Return the colour of a line that begins with that word."""
        (row,) = [number for number, line in enumerate(self.screen.display) if line.startswith(word)]
        return self.screen.buffer[row][0].fg

    def _measure(self, columns, rows):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self):
        """Take what there is; return whether there may be more."""
        if not select.select([self._master], [], [], 1)[0]:
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:  # how Linux says that nobody has the other end any more
            return False
        self.written += data
        self._stream.feed(data)
        return bool(data)
