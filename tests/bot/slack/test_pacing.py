"""Slack's limits are kept by us: about a message a second and channel, few edits, and Retry-After honoured."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.slack.rate_limits import RateLimits
from bot.slack.pacing import (
    CARD_INTERVAL,
    LEAST_WORKSPACE_RATE,
    POST_BURST,
    POST_RATE,
    POSTS_A_MINUTE,
    RECOVERY_SECONDS,
    SLOWER,
    TOGETHER_SECONDS,
    UPDATE_BURST,
    UPDATE_RATE,
    WORKSPACE_BURST,
    WORKSPACE_RATE,
    Pacing,
    TokenBucket,
)
from bot.slack.priorities import Priority, SendTask, chosen
from tests.fakes import START, JumpingClock


def bucket(rate: float = 1.0, burst: float = 3.0) -> TokenBucket:
    return TokenBucket(rate, burst, burst, 0.0)


def test_a_burst_goes_out_at_once_and_the_next_waits_for_its_second():
    made = bucket()
    for _ in range(3):
        assert made.wait(0.0) == 0.0
        made.take()
    assert made.wait(0.0) == 1.0
    assert made.wait(0.4) == pytest.approx(0.6)
    assert made.wait(1.0) == 0.0


def test_an_idle_bucket_fills_up_to_its_burst_and_no_further():
    made = bucket()
    assert made.wait(1000.0) == 0.0
    for _ in range(3):
        made.take()
    assert made.wait(1000.0) == 1.0


def test_a_slow_bucket_waits_longer_for_one():
    made = bucket(rate=0.5, burst=1.0)
    made.take()
    assert made.wait(0.0) == 2.0


def test_time_that_goes_backwards_gives_nothing():
    made = bucket(burst=1.0)
    made.wait(10.0)
    made.take()
    assert made.wait(5.0) == 1.0
    assert made.wait(10.5) == pytest.approx(0.5)


@given(st.lists(st.floats(0.0, 5.0), max_size=60), st.floats(0.2, 5.0), st.integers(1, 5))
def test_never_more_goes_out_than_the_rate_allows(pauses, rate, burst):
    made, now, sent = bucket(rate, float(burst)), 0.0, 0
    for pause in pauses:
        now += pause
        if made.wait(now) == 0.0:
            made.take()
            sent += 1
    assert sent <= burst + now * rate + 1e-6


@given(st.floats(0.0, 1e7), st.lists(st.floats(0.0, 5.0), min_size=1, max_size=30), st.floats(0.05, 5.0))
def test_who_waits_as_long_as_told_may_send_and_never_waits_for_what_moves_no_clock(began, pauses, rate):
    made = TokenBucket(rate, 2.0, 2.0, began)
    now = began
    for pause in pauses:
        now += pause
        now += made.wait(now)
        assert made.wait(now) == 0.0
        made.take()


def test_each_channel_has_a_bucket_of_its_own_and_keeps_it():
    pacing = Pacing(JumpingClock())
    assert pacing.post("C1") is pacing.post("C1")
    assert pacing.post("C1") is not pacing.post("C2")
    assert (pacing.post("C1").rate, pacing.post("C1").burst) == (POST_RATE, POST_BURST)


def test_edits_share_one_bucket_since_slack_counts_them_for_the_workspace():
    pacing = Pacing(JumpingClock())
    assert pacing.update() is pacing.update()
    assert pacing.update().rate == UPDATE_RATE


def test_a_bucket_that_is_made_late_starts_full_then():
    clock = JumpingClock()
    clock.jump(100.0)
    made = Pacing(clock).post("C1")
    assert (made.at, made.tokens) == (100.0, POST_BURST)


def test_a_retry_after_closes_a_bucket_and_a_shorter_one_does_not_open_it():
    clock = JumpingClock()
    pacing = Pacing(clock)
    made = pacing.post("C1")
    pacing.close(made, 30.0)
    clock.jump(10.0)
    pacing.close(made, 5.0)
    assert made.wait(clock.monotonic()) == 20.0
    assert pacing.post("C2").wait(clock.monotonic()) == 0.0
    clock.jump(20.0)
    assert made.wait(clock.monotonic()) == 0.0


@pytest.mark.parametrize(("cards", "seconds"), [(0, CARD_INTERVAL), (1, 3.0), (2, 3.0), (4, 6.0), (40, 60.0)])
def test_the_more_cards_live_the_rarer_each_is_edited(cards, seconds):
    assert Pacing(JumpingClock()).card_interval(cards) == seconds


def test_verdicts_and_approvals_have_a_lane_of_their_own():
    pacing = Pacing(JumpingClock())
    heartbeats, decisions = pacing.update(), pacing.urgent()
    for _ in range(int(UPDATE_BURST)):
        heartbeats.take()
    assert heartbeats.wait(0.0) > 0
    assert decisions.wait(0.0) == 0
    minutes = sum(each.burst + 60 * each.rate for each in (heartbeats, decisions))
    assert minutes == pytest.approx(50), "Slack's Tier 3, whatever was saved up before that minute"


@given(delays=st.lists(st.floats(0.0, 0.99), min_size=1, max_size=40))
def test_what_leaves_at_our_pace_is_never_refused_however_long_each_is_under_way(delays):
    """Messages of one channel go one after another; what leaves a second apart may arrive closer together."""
    sent, slack = JumpingClock(), JumpingClock()
    bucket, limits = Pacing(sent).post("C1"), RateLimits(slack)
    for delay in delays:
        sent.jump(bucket.wait(sent.monotonic()))
        bucket.take()
        arrives = max(slack.monotonic(), sent.monotonic() + delay)
        slack.jump(arrives - slack.monotonic())
        assert limits.refuse("chat.postMessage", "C1") == 0


@given(asked=st.lists(st.booleans(), min_size=1, max_size=150))
def test_edits_of_both_lanes_together_are_never_more_than_slack_takes(asked):
    """True: one of a verdict, in its own lane where that has room before the other."""
    clock = JumpingClock()
    pacing, limits = Pacing(clock), RateLimits(clock)
    for urgent in asked:
        lanes = (pacing.urgent(), pacing.update()) if urgent else (pacing.update(),)
        lane = min(lanes, key=lambda each: each.wait(clock.monotonic()))
        clock.jump(lane.wait(clock.monotonic()))
        lane.take()
        assert limits.refuse("chat.update", "C1") == 0


def test_all_channels_share_a_budget_that_is_never_more_than_slacks():
    bucket, now, sent = Pacing(JumpingClock()).workspace(), 0.0, []
    while now < 180.0:
        while bucket.wait(now) <= 0:
            bucket.take()
            sent.append(now)
        now += 0.1
    most = max(sum(start <= at < start + 60 for at in sent) for start in range(120))
    assert POSTS_A_MINUTE - WORKSPACE_BURST <= most <= POSTS_A_MINUTE


def test_a_refusal_of_one_channel_is_that_channels_and_of_two_everybodys():
    clock = JumpingClock()
    pacing = Pacing(clock)
    pacing.refused("C1", 3.0)
    pacing.refused("C1", 3.0)
    assert pacing.workspace().wait(clock.monotonic()) == 0.0
    clock.jump(TOGETHER_SECONDS)
    pacing.refused("C2", 20.0)
    assert pacing.workspace().wait(clock.monotonic()) == 0.0, "the other one was refused long ago"
    pacing.refused("C3", 20.0)
    assert pacing.post("C4").wait(clock.monotonic()) == 0.0
    assert pacing.workspace().wait(clock.monotonic()) >= 20.0


def test_what_slack_refuses_slows_everybody_down_once_and_not_for_ever():
    clock = JumpingClock()
    bucket = Pacing(clock).workspace()
    for _ in range(9):
        bucket.slow_down(0.0, 10.0)
    assert bucket.rate == pytest.approx(WORKSPACE_RATE * SLOWER)
    assert bucket.wait(0.0) >= 10.0
    assert bucket.wait(10.0) > 0, "nothing is saved up while nothing may go"
    assert bucket.wait(10.0 + RECOVERY_SECONDS) == 0.0
    assert bucket.rate == WORKSPACE_RATE
    for refusals in range(40):
        bucket.slow_down(1000.0 + refusals, 1.0)
    assert bucket.rate == LEAST_WORKSPACE_RATE


def task(priority: Priority, channel: str, since: int, *lanes: tuple[TokenBucket, ...]) -> SendTask:
    return SendTask(
        priority=priority,
        since=START + timedelta(seconds=since),
        channel=channel,
        subject=f"{channel} {since}",
        lanes=lanes,
        run=lambda: asyncio.sleep(0),
    )


def test_verdicts_go_first_over_all_channels_then_decisions_then_cards_then_lines():
    everybody = bucket(rate=0.1, burst=4.0)
    tasks = [
        task(priority, f"C{number}", number, (bucket(), everybody))
        for number, priority in enumerate(reversed(Priority))
    ]
    going, pause = chosen(tasks, 0.0)
    assert [each.priority for each in going] == list(Priority)[:4]
    assert pause == pytest.approx(10.0)


def test_of_two_that_are_as_urgent_the_older_goes_and_one_a_channel():
    waiting = (("C1", 2), ("C1", 1), ("C2", 3))
    tasks = [task(Priority.VERDICT, channel, since, (bucket(),)) for channel, since in waiting]
    going, pause = chosen(tasks, 0.0)
    assert [each.subject for each in going] == ["C1 1", "C2 3"]
    assert pause is None


def test_a_lane_gives_all_of_its_tokens_or_none():
    empty, full, spare = bucket(burst=1.0), bucket(), bucket()
    empty.take()
    assert task(Priority.LINES, "C1", 0, (full, empty)).take(0.0) == 1.0
    assert full.tokens == 3.0
    assert task(Priority.LINES, "C1", 0, (full, empty), (spare,)).take(0.0) == 0.0
    assert (full.tokens, spare.tokens) == (3.0, 2.0)
