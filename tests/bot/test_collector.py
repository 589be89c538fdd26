"""What stands for the life of the process is not looked through for garbage, and garbage in circles still goes."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from bot.collector import YOUNG, relax


@pytest.fixture
def restored() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("restored")
def test_what_is_there_is_left_alone_and_circles_that_come_later_go():
    class Circle:
        def __init__(self) -> None:
            self.me = self

    standing = gc.get_freeze_count()
    relax()
    assert gc.get_freeze_count() > standing
    gone = weakref.ref(Circle())
    kept: list[list[int]] = [[] for _ in range(2 * YOUNG)]
    assert gone() is None
    assert len(kept) > YOUNG
