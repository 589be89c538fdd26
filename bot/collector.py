"""How Python looks for garbage in a process that lives for months: its defaults are those of a script.

Most of what a rollout makes is JSON: thousands of small containers without a circle among them, and each 700 of them made Python look
through the young ones. Now and then it looked through everything, what was loaded at the start included: 60 ms and more in which
nobody is answered.
"""

import gc

# How many containers more than before make Python look through the young ones, and how often that is done before the older ones are.
YOUNG, OLDER, OLDEST = 20_000, 20, 20


def relax() -> None:
    """Never look through what is there by now, and seldom through the rest; reference counts free all but circles as before."""
    gc.freeze()
    gc.set_threshold(YOUNG, OLDER, OLDEST)
