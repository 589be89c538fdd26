"""The policy in force, read from its file at start and again on SIGHUP."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from core.clock import Clock
from core.errors import Invalid, Unavailable
from core.policy.authorization import Policy, parse_policy

log = logging.getLogger(__name__)

# Between two tries to keep a policy where the database cannot be written.
KEEP_SECONDS = 60.0


class PolicyFile:
    """Holds the policy; a bad file keeps the last good one and says so.

    Attributes:
        current: the policy in force.
        problem: why it is not what the file says, a problem a line; "" where it is.
        good: the text of the last good file, which a later start falls back to; "" until there is one.
        changed: set where `good` is not kept yet.
    """

    def __init__(self, path: Path | None, *, everything: bool, last: str = "") -> None:
        """Read the file.

        Args:
            path: the file, or None for `CONVOX_OPEN=1` without one.
            everything: `CONVOX_OPEN=1`; the file's `apps:` still rule approvals and patience.
            last: the text of the last good policy, "" where there was none; it rules where the file is bad.

        Raises:
            Invalid: the file is bad and there is no last good one, or that is none any more; one problem a line.
        """
        self._path = path
        self._everything = everything
        self.problem = ""
        self.good = last
        self.changed = asyncio.Event()
        try:
            self.current = self._read()
        except Invalid as error:
            self.current = self._fallen_back(error, last)

    def _fallen_back(self, error: Invalid, last: str) -> Policy:
        if not last:
            raise error
        try:
            policy = parse_policy(last, open_to_all=self._everything)
        except Invalid:
            # A newer version may refuse what an older one took: then nobody knows what is meant.
            raise error from None
        self._refuse(error)
        return policy

    def _read(self) -> Policy:
        """Return the policy; raises Invalid with one problem a line."""
        if self._path is None:
            return Policy.open()
        try:
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid(f"the policy {self._path} cannot be read: {error}") from error
        policy = parse_policy(text, open_to_all=self._everything)
        self.problem = ""
        if text != self.good:
            self.good = text
            self.changed.set()
        return policy

    def _refuse(self, error: Invalid) -> None:
        self.problem = str(error.sentence)
        log.error(
            "the policy %s is not used, the last good one stays in force; mend it (convox-bot check --policy) and send"
            " SIGHUP:\n%s",
            self._path,
            error.sentence,
        )

    def reload(self) -> None:
        """Read the file again."""
        try:
            self.current = self._read()
        except Invalid as error:
            self._refuse(error)
        else:
            log.info("the policy was read again")


async def keep_policy(policy: PolicyFile, keep: Callable[[str], Awaitable[None]], clock: Clock) -> None:
    """Keep each good policy for the next start, until cancelled."""
    while True:
        await policy.changed.wait()
        policy.changed.clear()
        try:
            await keep(policy.good)
        except Unavailable as error:
            log.warning("the policy cannot be kept for the next start: %s", error)
            policy.changed.set()
            await clock.sleep(KEEP_SECONDS)
