"""A card that is deleted, can be changed no more, or stands where the bot may post no more: people are told all the same."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.promotion import Phase
from tests.bot.slack.test_sender import P, Stage, refused, staged
from tests.storage.making import ALICE, make_line, moved


def texts(s: Stage, channel: str = "C1") -> list[str]:
    return [message["text"] for message in s.slack.messages if message["channel"] == channel]


def refuse_edits(s: Stage, word: str, *of: str) -> None:
    """Let Slack refuse every edit of the messages with these ts, or of all."""
    s.slack.trouble = lambda method, body: (
        refused(word) if method == "chat.update" and (not of or body["ts"] in of) else None
    )


async def ends(s: Stage) -> None:
    async with s.store.transaction() as tx:
        made = await tx.promotion(P)
        ended = replace(moved(made, Phase.DECLINED), settled_at=tx.now)
        await tx.save_promotion(ended, was=made.phase)
        await tx.add_terminal(P)


async def test_a_card_that_somebody_has_deleted_is_posted_anew_and_the_thread_goes_on_there(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.promotion(P)
        await s.pass_time(30)
        (first, _), deleted = s.slack.messages, s.slack.messages[0]["ts"]
        refuse_edits(s, "message_not_found", deleted)
        await s.moves(P)
        await s.pass_time(30)
        await ends(s)
        await s.pass_time(30)
        assert texts(s) == [f"card {P}", "1 lines", f"card {P}", f"end {P}"]
        second = s.slack.messages[2]
        assert first["ts"] != second["ts"]
        assert s.slack.messages[3]["thread_ts"] == second["ts"]


async def test_one_that_is_deleted_again_is_left_to_whoever_deletes_it(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.promotion(P, lines=0)
        await s.pass_time(30)
        refuse_edits(s, "message_not_found")
        for _ in range(3):
            await s.moves(P)
            await s.pass_time(30)
        assert texts(s) == [f"card {P}"] * 2


async def test_the_last_state_is_seen_though_the_verdict_went_into_a_thread_without_its_card(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.promotion(P, lines=0)
        await s.pass_time(30)
        refuse_edits(s, "message_not_found", s.slack.messages[0]["ts"])
        await ends(s)
        await s.pass_time(30)
        assert texts(s).count(f"card {P}") == 2


async def test_a_card_of_long_ago_is_not_brought_back(tmp_path: Path):
    """A newer release takes the button from it, and somebody has tidied up meanwhile."""
    async with staged(tmp_path) as s:
        await s.promotion(P, ended=True)
        await s.pass_time(30)
        s.clock.jump(3600)
        refuse_edits(s, "message_not_found")
        await s.moves(P)
        await s.pass_time(30)
        assert texts(s).count(f"card {P}") == 1


@pytest.mark.parametrize(("phase", "cards"), [(Phase.AWAITING_APPROVAL, 2), (Phase.UPDATING, 1)])
async def test_where_nobody_may_edit_what_is_old_a_new_one_comes_where_it_matters(
    tmp_path: Path, phase: Phase, cards: int
):
    async with staged(tmp_path) as s:
        await s.promotion(P, lines=0, phase=phase)
        await s.pass_time(30)
        refuse_edits(s, "edit_window_closed")
        await s.moves(P)
        await s.pass_time(30)
        assert texts(s) == [f"card {P}"] * cards


@pytest.mark.parametrize(
    "word",
    [
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "no_permission",
    ],
)
async def test_a_channel_where_the_bot_may_post_no_more_is_closed_as_an_archived_one(
    tmp_path: Path, word: str
):
    async with staged(tmp_path) as s:
        await s.promotion(P, lines=0)
        await s.pass_time(30)
        s.slack.trouble = lambda method, body: (
            refused(word) if method == "chat.postMessage" and body["channel"] == "C1" else None
        )
        async with s.store.transaction() as tx:
            await tx.add_lines(P, [make_line(100)])
        await ends(s)
        await s.pass_time(60)
        told = texts(s, ALICE.id)
        assert told[0] == f"card {P}"
        assert told[-1].startswith(f"end {P}")
        card = await s.store.read.card(P)
        assert (card.closed_channel, card.closed_by, card.failed) == ("C1", word, "")


async def test_a_deleted_card_for_which_there_is_no_room_any_more_goes_to_who_asked(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.promotion(P, lines=0)
        await s.pass_time(30)
        s.slack.trouble = lambda method, body: (
            refused("message_not_found" if method == "chat.update" else "is_archived")
            if body["channel"] == "C1"
            else None
        )
        await s.moves(P)
        await s.pass_time(30)
        assert texts(s, ALICE.id) == [f"card {P}"]


async def test_a_thread_that_takes_no_reply_goes_on_under_a_new_card_and_then_with_who_asked(tmp_path: Path):
    async with staged(tmp_path) as s:
        await s.promotion(P, lines=0)
        await s.pass_time(30)
        s.slack.trouble = lambda method, body: (
            refused("cannot_reply_to_message") if body["channel"] == "C1" and "thread_ts" in body else None
        )
        await ends(s)
        await s.pass_time(60)
        assert texts(s) == [f"card {P}"] * 2
        assert texts(s, ALICE.id) == [f"card {P}", f"end {P}"]
