"""The side of Slack: who talks to it of their own accord."""

from dataclasses import dataclass

from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.policy_file import PolicyFile
from bot.settings import Settings
from bot.slack.connection import SlackState, new_client
from bot.slack.dialogs import Dialogs
from bot.slack.directory import SlackDirectory
from bot.slack.render import MessageRenderer
from bot.slack.sender import Sender
from bot.slack.web_api import WebApi
from bot.slack.workspace_blocks import WorkspaceBlocks
from core.clock import Clock
from core.lifecycle.access import Access
from core.ports.cluster import Cluster
from storage.store import SqliteStore


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSide:
    """What talks to Slack of its own accord."""

    state: SlackState
    client: AsyncWebClient
    directory: SlackDirectory
    access: Access
    calls: WebApi
    sender: Sender
    dialogs: Dialogs
    support: WorkspaceBlocks


def new_slack_side(
    settings: Settings,
    store: SqliteStore,
    policy: PolicyFile,
    session: ClientSession,
    cluster: Cluster,
    clock: Clock,
) -> SlackSide:
    """Put together what talks to Slack."""
    state = SlackState()
    client = new_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, session)
    directory = SlackDirectory(
        client,
        clock,
        lambda: state.team,
        lambda: (settings.slack_team_id or "") if state.organisation_wide else "",
    )
    access = Access(lambda: policy.current, directory)
    messages = MessageRenderer(store, cluster, access, clock, state.link, settings.convox_rack)
    web = WebApi(client, state)
    support = WorkspaceBlocks(store.refused_blocks, state, clock)
    sender = Sender(store.outbox, messages, store, web, state, clock, support)
    return SlackSide(
        state=state,
        client=client,
        directory=directory,
        access=access,
        calls=web,
        sender=sender,
        dialogs=Dialogs(web),
        support=support,
    )
