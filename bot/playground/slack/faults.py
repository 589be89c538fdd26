"""Faults on request: errors, lost answers and outages, so that a bot can show what it does about them."""

from dataclasses import dataclass
from enum import StrEnum


class Outage(StrEnum):
    """How the workspace is gone: it answers 503, or it hangs up on every caller, or its port is closed."""

    NONE = "none"
    ERROR = "error"
    DROP = "drop"
    REFUSE = "refuse"


DROP = "drop"
HANG = "hang"


@dataclass(slots=True, kw_only=True)
class CallFault:
    """One thing that goes wrong with calls of one method (`*` is any).

    `failure` is an error code, an HTTP status, `DROP` (the connection is cut) or `HANG` (no answer ever comes).
    """

    method: str
    failure: str | int
    after_effect: bool = False
    times: int = 1
    retry_after: int = 1


class CallFaults:
    """The faults that are waiting for a call."""

    def __init__(self) -> None:
        self._waiting: list[CallFault] = []
        self.outage = Outage.NONE

    def add(self, fault: CallFault) -> None:
        self._waiting.append(fault)

    def take(self, method: str) -> CallFault | None:
        """Return the fault that hits this call, and use it up once."""
        for fault in self._waiting:
            if fault.method in {method, "*"}:
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        self._waiting.clear()
