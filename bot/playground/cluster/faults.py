"""Troubles that tests order: failing requests, unknown outcomes, slow answers, a server that stands still or just starts."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault for the next requests that fit.

    Attributes:
        matches: verb (`get`, `list`, `watch`, `create`, `update`, `patch`, `delete`) and path to a yes or no.
        times: how many requests it still hits.
        status: HTTP status to answer with; 0 cuts the connection without an answer.
        after_effect: let the request take effect first: the client cannot know the outcome.
        delay: seconds of the cluster's clock to wait before anything else.
        headers: headers of the answer, `Retry-After` for instance.
        message: the sentence in the `Status` document.
    """

    matches: Callable[[str, str], bool]
    times: int = 1
    status: int | None = None
    after_effect: bool = False
    delay: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "ordered by a test"


class Faults:
    """The troubles that are ordered at present.

    Attributes:
        starting: the server has just started: it says that it is not ready, and refuses whoever is no administrator,
            since it has read no roles yet.
    """

    def __init__(self) -> None:
        self._orders: list[Fault] = []
        self._running = asyncio.Event()
        self._running.set()
        self.starting = False

    @property
    def frozen(self) -> bool:
        """Whether the server's process stands still: connections are taken and nothing is answered."""
        return not self._running.is_set()

    def freeze(self) -> None:
        self._running.clear()

    def thaw(self) -> None:
        self._running.set()

    async def running(self) -> None:
        """Wait until the server does not stand still."""
        await self._running.wait()

    def order(self, fault: Fault) -> None:
        """Order a fault for the next `fault.times` requests that fit."""
        self._orders.append(fault)

    def clear(self) -> None:
        """Forget all orders."""
        self._orders.clear()

    @property
    def pending(self) -> int:
        """Return how many requests are still to be hit."""
        return sum(fault.times for fault in self._orders)

    def take(self, verb: str, path: str) -> Fault | None:
        """Return the fault of this request, and count it."""
        for fault in self._orders:
            if fault.times > 0 and fault.matches(verb, path):
                fault.times -= 1
                if fault.times == 0:
                    self._orders.remove(fault)
                return fault
        return None
