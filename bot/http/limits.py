"""How much of the process a port may take, and how long a stranger may take it."""

import logging
import resource
from dataclasses import dataclass

log = logging.getLogger(__name__)

# Connections of one port: some hundred terminals that follow a rollout, CI, Prometheus, probes.
MOST_CONNECTIONS = 512
FEWEST_CONNECTIONS = 16
# Files that are not for the ports: four watches and a request for each of a hundred rollouts, Slack, the database.
OTHER_FILES = 512
WANTED_FILES = 4096
# Both ports, and for every two of its connections one that is just being turned away.
FILES_OF_A_CONNECTION = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """The limits of one port; sizes in bytes, times in seconds.

    Attributes:
        connections: open at once. Beyond it whoever has waited longest without a whole request gives way, and if each is
            being answered, the new one does.
        header_seconds: from the first byte of a request (of a connection: from its start) to the end of its headers.
        idle_seconds: how long a connection is kept between two requests. Longer than a proxy keeps its own (nginx, AWS: 60 s):
            it must not send a request into a connection that closes in that moment.
        body_seconds: for a whole body.
        reader_seconds: how long an answer may wait for whoever asked to read on.
        closing_seconds: how long a connection that was closed here may wait for the other side.
        header_bytes: of all requests together whose headers are not complete; whoever holds most gives way.
        body_bytes: of one body; contract 3.
        bodies_bytes: of all bodies together that are being read; whoever holds most gives way.
        look_seconds: how often the times are looked at, and so how exact they are.
    """

    connections: int = MOST_CONNECTIONS
    header_seconds: float = 10.0
    idle_seconds: float = 75.0
    body_seconds: float = 30.0
    reader_seconds: float = 30.0
    closing_seconds: float = 3.0
    header_bytes: int = 8 << 20
    body_bytes: int = 1 << 20
    bodies_bytes: int = 16 << 20
    look_seconds: float = 1.0


def connections_of(files: int) -> int:
    """Return how many connections a port may have in a process that may open so many files.

    A connection that cannot be accepted for want of files would stop everybody, and asyncio writes a traceback for each.
    """
    return min(MOST_CONNECTIONS, max(FEWEST_CONNECTIONS, (files - OTHER_FILES) // FILES_OF_A_CONNECTION))


def open_files() -> int:
    """Let the process open as many files as it needs, where the system lets it, and return how many it may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return WANTED_FILES if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    log.info("files that may be open: %d, raised from %d", most, soft)
    return most
