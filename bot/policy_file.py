"""The policy in force, read from its file at start and again on SIGHUP."""

import logging
from pathlib import Path

from core.errors import Invalid
from core.policy.authorization import Policy, parse_policy

log = logging.getLogger(__name__)


class PolicyFile:
    """Holds the policy; a bad new file keeps the old one and says so.

    Args:
        path: the file, or None for `CONVOX_OPEN=1` without one.
        everything: `CONVOX_OPEN=1`; the file's `apps:` still rule approvals and patience.
    """

    def __init__(self, path: Path | None, *, everything: bool) -> None:
        self._path = path
        self._everything = everything
        self.current = self._read()

    def _read(self) -> Policy:
        """Return the policy; raises Invalid with one problem a line."""
        if self._path is None:
            return Policy.open()
        try:
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid(f"the policy {self._path} cannot be read: {error}") from error
        return parse_policy(text, open_to_all=self._everything)

    def reload(self) -> None:
        """Read the file again."""
        try:
            self.current = self._read()
        except Invalid as error:
            log.error("the new policy is not used, the old one stays in force:\n%s", error.sentence)  # noqa: TRY400
        else:
            log.info("the policy was read again")
