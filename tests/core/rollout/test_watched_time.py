"""Time is watched between two looks that saw; what turns out to have been silence is taken back, and not more."""

from core.records.observation import Observation
from core.rollout.watched_time import BlindTime, WatchedTime
from tests.fakes import JumpingClock

SEEN = Observation(synced=True)


def blind(silent: float = 0.0) -> Observation:
    return Observation(synced=False, silent=silent)


class Measuring:
    def __init__(self) -> None:
        self.clock = JumpingClock()
        self.blind = BlindTime()
        self.time = WatchedTime(self.clock, self.blind)

    def after(self, seconds: float, seen: Observation) -> float:
        self.clock.jump(seconds)
        return self.time.since_the_last(seen)


def test_the_first_look_ends_no_watched_time():
    measuring = Measuring()
    assert measuring.after(5, SEEN) == 0
    assert measuring.after(1, SEEN) == 1


def test_between_a_blind_look_and_the_next_nothing_is_watched():
    measuring = Measuring()
    measuring.after(1, SEEN)
    assert measuring.after(4, blind()) == 0
    assert measuring.after(4, blind()) == 0
    assert measuring.after(4, SEEN) == 0
    assert measuring.after(1, SEEN) == 1


def test_what_was_counted_of_a_silence_is_taken_back():
    measuring = Measuring()
    measuring.after(1, SEEN)
    for _ in range(20):
        measuring.after(1, SEEN)
    assert measuring.after(1, blind(silent=16)) == -15, "the last second of it was not counted yet"
    assert measuring.after(1, blind(silent=17)) == 0, "once is enough"


def test_no_more_is_taken_back_than_was_counted():
    measuring = Measuring()
    measuring.after(1, SEEN)
    measuring.after(3, SEEN)
    assert measuring.after(1, blind(silent=600)) == -3


def test_what_nobody_saw_is_counted_for_graphs():
    measuring = Measuring()
    measuring.after(1, SEEN)
    measuring.after(3, SEEN)
    measuring.after(1, blind(silent=3))
    measuring.after(2, blind(silent=5))

    assert measuring.blind.seconds == 5, "what was silence already, and what followed"
