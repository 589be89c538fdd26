"""What is meant by a mention in a thread."""

import pytest

from bot.command.commands import Approve, Cancel, CancelApp, Decline, ListReleases, Promote, Remind, Rollback
from bot.command.mentions import ThreadTopic, expanded, topic_of, words_of
from bot.command.parser import parse
from core.errors import Invalid
from tests.bot.views.samples import WAITING

P, R, OLD = "PABCDEFGHIJ", "RABCDEFGHIJ", "ROLDRELEASE"
CARD = ThreadTopic(promotion=P, app="myapp", release=R, back_to=OLD)
BUILD = ThreadTopic(app="myapp", release=R)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<@U0CONVOX> status", "status"),
        ("  <@U0CONVOX|convox>: cancel", "cancel"),
        ("<@U0CONVOX>,\tlogs web", "logs web"),
        ("<@U0CONVOX>", ""),
        ("status <@U0CONVOX>", "status <@U0CONVOX>"),
    ],
)
def test_the_words_stand_after_the_mention(text: str, words: str):
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("words", "topic", "command"),
    [
        ("approve", CARD, Approve(promotion=P)),
        ("decline not before the sale", CARD, Decline(promotion=P, reason="not before the sale")),
        ("remind", CARD, Remind(promotion=P)),
        ("Remind --in 2h", CARD, Remind(promotion=P, after=7200)),
        ("cancel", CARD, Cancel(promotion=P)),
        ("cancel pzzzzzzzzzz", CARD, Cancel(promotion="PZZZZZZZZZZ")),
        ("cancel", BUILD, CancelApp(app="myapp")),
        ("promote", CARD, Promote(app="myapp", release=R)),
        ("promote", BUILD, Promote(app="myapp", release=R)),
        ("promote", ThreadTopic(), Promote(app="linked")),
        ("rollback", CARD, Rollback(app="myapp", release=OLD)),
        ("rollback RZZZZZZZZZZ", CARD, Rollback(app="myapp", release="RZZZZZZZZZZ")),
        ("releases -a other", CARD, ListReleases(app="other")),
    ],
)
def test_a_short_word_is_the_command_that_it_means_there(words: str, topic: ThreadTopic, command: object):
    assert parse(expanded(words, topic), linked_app=topic.app or "linked") == command


@pytest.mark.parametrize(("topic", "hint"), [(BUILD, "releases -a myapp"), (ThreadTopic(), "`releases`")])
def test_without_a_release_to_go_back_to_it_is_asked_for(topic: ThreadTopic, hint: str):
    with pytest.raises(Invalid, match="roll back to which release") as refused:
        expanded("rollback", topic)
    assert hint in str(refused.value.hint)


def test_status_is_that_of_the_app_above():
    assert expanded("status", CARD) == "apps info"


def test_a_thread_under_a_card_is_about_its_promotion():
    p = WAITING
    topic = topic_of(p)
    assert (topic.promotion, topic.app, topic.release, topic.back_to) == (p.id, p.app, p.release, p.back_to)
