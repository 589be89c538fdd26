"""The manifest of the Slack app: as it lies in `manifest.yml`, under another command, with Slack calling the bot, or as a link."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import yaml

from bot.prefixes import DEFAULT_COMMAND
from bot.settings import COMMAND
from core.errors import Invalid

# In a checkout it lies beside the packages; an installed wheel carries it here.
PLACES = (Path(__file__).parents[2] / "manifest.yml", Path(__file__).parent / "manifest.yml")
# Where Slack makes an app of the manifest that stands in the address (docs.slack.dev/app-manifests, "Sharing manifests").
NEW_APP = "https://api.slack.com/apps?new_app=1&manifest_json="
EVENTS = "/slack/events"


def slack_manifest(command: str = DEFAULT_COMMAND, address: str = "", *, organisation: bool = False) -> str:
    """Return the manifest, as YAML to be pasted.

    Args:
        command: How the slash command is called; another one names the app and its bot too, so that two can be told apart.
        address: Where Slack reaches the bot, as in https://bot.example.com, for HTTP mode; "" for Socket Mode.
        organisation: Whether it may be installed for a whole organisation of Enterprise Grid (docs.slack.dev/enterprise/developing-for-enterprise-orgs).

    Raises:
        Invalid: the command or the address is none.
    """
    text = next(place for place in PLACES if place.is_file()).read_text(encoding="utf-8")
    if not re.fullmatch(COMMAND, command):
        raise Invalid(
            f"{command!r} is no slash command: a slash and up to 31 lower-case letters, digits, - and _"
        )
    manifest: dict[str, Any] = yaml.safe_load(text)
    if command != DEFAULT_COMMAND:
        _rename(manifest, command)
    if address:
        _call(manifest, _checked(address) + EVENTS)
    if organisation:
        manifest["settings"]["org_deploy_enabled"] = True
    # As it lies there, with what each scope is for, unless something is changed.
    changed = command != DEFAULT_COMMAND or address or organisation
    dumped = yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=120) if changed else text
    return dumped.rstrip("\n")


def link(manifest: str) -> str:
    """Return the address at which Slack asks for a workspace and then makes this app."""
    return NEW_APP + quote(json.dumps(yaml.safe_load(manifest), separators=(",", ":")), safe="")


def _checked(address: str) -> str:
    parts = urlsplit(address)
    if (
        parts.scheme != "https"
        or not parts.hostname
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
    ):
        raise Invalid(f"{address!r} is no address that Slack calls: https://HOST, without a path")
    return f"https://{parts.netloc}"


def _rename(manifest: dict[str, Any], command: str) -> None:
    about, features = manifest["display_information"], manifest["features"]
    about["name"] = features["bot_user"]["display_name"] = command.removeprefix("/")
    about["long_description"] = about["long_description"].replace(DEFAULT_COMMAND, command)
    (slash,) = features["slash_commands"]
    slash["command"] = command


def _call(manifest: dict[str, Any], address: str) -> None:
    """Let Slack call an address, for everything that it has to say or to ask."""
    settings = manifest["settings"]
    (slash,) = manifest["features"]["slash_commands"]
    slash["url"] = address
    settings["event_subscriptions"] = {"request_url": address, **settings["event_subscriptions"]}
    settings["interactivity"] |= {"request_url": address, "message_menu_options_url": address}
    settings["socket_mode_enabled"] = False
