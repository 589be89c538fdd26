"""What one bot is told: where it works, in which time, and where it is to die."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

DIED_AS_TOLD = 77
# The terminal message of a thread is being sent: the message that must come exactly once.
TERMINAL = "terminal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """A place in the code and an occasion.

    Attributes:
        point: one of `core.failpoints.NAMES`.
        passage: how often it is passed, this time included; with a `state` only passages in it are counted.
        state: TERMINAL, or a phase that some promotion is in, or "" for any.
    """

    point: str
    passage: int = 1
    state: str = ""

    def __str__(self) -> str:
        return f"{self.point}#{self.passage}" + (f" ({self.state})" if self.state else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One life of a bot.

    Attributes:
        environ: its settings.
        log: the file for what it prints, added to.
        trace: the file that takes the name of every failpoint passed, one a line, added to.
        clock: speed, first moment (RFC 3339) and its reading of `time.monotonic()`; None for the wall's time.
        death: where it dies; None for a life without an end.
    """

    environ: Mapping[str, str]
    log: Path
    trace: Path
    clock: tuple[float, str, float] | None = None
    death: Death | None = None

    def dying(self, death: Death | None) -> Self:
        return replace(self, death=death)

    def text(self) -> bytes:
        return json.dumps(asdict(self), default=str).encode() + b"\n"

    @classmethod
    def read(cls, text: bytes) -> Self:
        said = json.loads(text)
        death = said["death"] and Death(**said["death"])
        clock = said["clock"] and tuple(said["clock"])
        return cls(
            environ=said["environ"],
            log=Path(said["log"]),
            trace=Path(said["trace"]),
            clock=clock,
            death=death,
        )
