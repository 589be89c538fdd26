"""An emulated Slack workspace that an unmodified Slack application can be installed in."""

from bot.playground.slack.buttons import PageButton
from bot.playground.slack.context import BOT_SCOPES, AppCredentials
from bot.playground.slack.delivery import DeliveryResult
from bot.playground.slack.envelopes import Envelope
from bot.playground.slack.faults import DROP, HANG, CallFault, Outage
from bot.playground.slack.limits import problems
from bot.playground.slack.shortcuts import MessageShortcut
from bot.playground.slack.state import Conversation, Message, User, Usergroup
from bot.playground.slack.workspace import SlackWorkspace

__all__ = [
    "BOT_SCOPES",
    "DROP",
    "HANG",
    "AppCredentials",
    "CallFault",
    "Conversation",
    "DeliveryResult",
    "Envelope",
    "Message",
    "MessageShortcut",
    "Outage",
    "PageButton",
    "SlackWorkspace",
    "User",
    "Usergroup",
    "problems",
]
