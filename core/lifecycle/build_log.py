"""The log of a build as a whole, of which an answer has only so many lines at once."""

from core.lifecycle.retention import not_kept
from core.policy.retention import RetentionRules
from core.ports.store import StoreReader


async def kept_lines(read: StoreReader, build_id: str) -> list[str]:
    """Return every line that is kept of the log of a build that the cluster makes."""
    lines: list[str] = []
    number = 0
    while batch := await read.build_lines(build_id, number):
        number = batch[-1][0]
        lines += [text for _, text in batch]
    return lines


async def line_of_aged_log(read: StoreReader, build_id: str, rules: RetentionRules) -> list[str]:
    """Return what stands in the place of a log that is not kept any more; nothing of any other."""
    return [not_kept("lines", "builds", rules.build_logs)] if await read.build_aged(build_id) else []
