"""Buttons that the caller puts on the page, for what the playground around it can do."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PageButton:
    """A button under the workspace's name; `question` is asked first, when there is one."""

    label: str
    press: Callable[[], Awaitable[None]]
    question: str = ""
