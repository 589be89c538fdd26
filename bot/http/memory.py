"""A bound on what strangers can make the process keep: whoever holds most gives way, never whoever came last.

What is meant here is small: a delivery of Slack has a few kilobytes, a request's headers less. So as long as an attack fills
the bound with large pieces it is the attack that gives way, and with small ones it does not fill it.
"""

from typing import Protocol


class MemoryUser(Protocol):
    """Whoever keeps bytes that came in."""

    def give_way(self) -> None:
        """Let go of what is held: somebody else needs the room."""
        ...


class MemoryLimiter:
    """Counts the bytes that are held."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: dict[MemoryUser, int] = {}
        self._total = 0

    @property
    def total(self) -> int:
        return self._total

    def hold(self, holder: MemoryUser, size: int) -> None:
        """Count bytes that came in, and make those who hold most give way until all fit."""
        self._held[holder] = self._held.get(holder, 0) + size
        self._total += size
        while self._total > self._most:
            largest = max(self._held, key=self._held.__getitem__)
            self.release(largest)
            largest.give_way()

    def release(self, holder: MemoryUser) -> None:
        """Count a holder's bytes no more."""
        self._total -= self._held.pop(holder, 0)
