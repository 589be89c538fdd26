"""How the work of a function grows with its text, by the processor's time of this thread: a ratio, so that no machine matters."""

import time
from collections.abc import Callable

FACTOR = 8
# Eight times the text is eight times the work of what is linear, and sixty-four times that of what is quadratic.
MOST_GROWTH = 24.0
# Seconds of work that are none, whatever they would grow to, and more than a text this short can honestly take.
NOTHING, TOO_LONG = 0.004, 0.2
SHORT = 22


def growth(work: Callable[[str], object], text_of: Callable[[int], str], size: int) -> float:
    """Return by which factor the work grows from a text of `size` to one that is `FACTOR` times as large.

    It is 1 where even the large one is no work, and endless where a text of 22 characters is too much: what is
    exponential would not come as far as the sizes that are compared.
    """
    if _seconds(work, text_of(SHORT)) > TOO_LONG:
        return float("inf")
    large = _seconds(work, text_of(size * FACTOR))
    if large < NOTHING:
        return 1.0
    # The least of some measures: what disturbs only ever adds.
    small = min(_seconds(work, text_of(size)) for _ in range(3))
    large = min(large, _seconds(work, text_of(size * FACTOR)))
    return large / max(small, 1e-6)


def _seconds(work: Callable[[str], object], text: str) -> float:
    start = time.thread_time()
    work(text)
    return time.thread_time() - start
