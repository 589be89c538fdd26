"""manifest.yml against Slack's rules for app manifests: lengths, known keys, known scopes."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from bot.admin.slack_manifest import link, slack_manifest
from bot.views.notices import PROMOTE_SHORTCUT
from core.errors import Invalid

Json = dict[str, Any]
ROOT = Path(__file__).parents[1]
DOCUMENT: Json = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))

# Slack's reference of app manifests: the keys that exist, as far as a bot like this one may have them.
KEYS = {
    "": {"_metadata", "display_information", "features", "oauth_config", "settings"},
    "display_information": {"name", "description", "long_description", "background_color"},
    "features": {"app_home", "bot_user", "shortcuts", "slash_commands", "unfurl_domains", "workflow_steps"},
    "features.bot_user": {"display_name", "always_online"},
    "oauth_config": {"redirect_urls", "scopes", "token_management_enabled"},
    "oauth_config.scopes": {"bot", "user", "bot_optional", "user_optional"},
    "features.app_home": {
        "home_tab_enabled",
        "messages_tab_enabled",
        "messages_tab_read_only_enabled",
    },
    "settings": {
        "allowed_ip_address_ranges",
        "event_subscriptions",
        "interactivity",
        "org_deploy_enabled",
        "socket_mode_enabled",
        "token_rotation_enabled",
        "is_hosted",
        "function_runtime",
    },
    "settings.interactivity": {"is_enabled", "request_url", "message_menu_options_url"},
}
COMMAND_KEYS = {"command", "description", "usage_hint", "should_escape", "url"}
# Contract 8: nothing beyond these.
SCOPES = {
    "commands",
    "chat:write",
    "users:read",
    "usergroups:read",
    "channels:history",
    "groups:history",
    "im:history",
    "mpim:history",
    "files:write",
    "app_mentions:read",
}


def at(path: str) -> Json:
    part = DOCUMENT
    for key in path.split(".") if path else []:
        part = part[key]
    return part


@pytest.mark.parametrize("path", KEYS)
def test_every_key_of_the_manifest_is_one_that_slack_knows(path):
    assert set(at(path)) <= KEYS[path]


@pytest.mark.parametrize(
    ("path", "least", "most"),
    [
        ("display_information.name", 1, 35),
        ("display_information.description", 1, 140),
        ("display_information.long_description", 174, 4000),
        ("features.bot_user.display_name", 1, 80),
    ],
)
def test_texts_have_the_lengths_that_slack_takes(path, least, most):
    assert least <= len(str(at(path))) <= most


def test_the_bot_is_called_convox_in_letters_that_slack_takes():
    assert re.fullmatch(r"[a-z0-9\-_.]+", DOCUMENT["features"]["bot_user"]["display_name"])
    assert DOCUMENT["display_information"]["name"] == "convox"


def test_the_colour_is_a_colour():
    assert re.fullmatch(r"#[0-9a-f]{6}", DOCUMENT["display_information"]["background_color"])


def test_there_is_one_slash_command_and_slack_escapes_what_is_typed_after_it():
    (command,) = DOCUMENT["features"]["slash_commands"]

    assert command["command"] == "/convox"
    assert command["should_escape"] is True
    assert set(command) <= COMMAND_KEYS
    assert len(command["description"]) <= 2000
    assert len(command["usage_hint"]) <= 1000
    assert "url" not in command, "with Socket Mode there is no address to call"


def test_no_scope_is_asked_for_that_the_bot_has_no_use_for():
    scopes = DOCUMENT["oauth_config"]["scopes"]["bot"]

    assert len(scopes) == len(set(scopes))
    assert set(scopes) <= SCOPES
    assert {"commands", "chat:write", "users:read", "usergroups:read"} <= set(scopes)


def test_the_shortcut_is_the_one_that_is_listened_to():
    (shortcut,) = DOCUMENT["features"]["shortcuts"]

    assert set(shortcut) == {"name", "type", "callback_id", "description"}
    assert (shortcut["type"], shortcut["callback_id"]) == ("message", PROMOTE_SHORTCUT)
    assert len(shortcut["name"]) <= 24
    assert len(shortcut["description"]) <= 150


def test_buttons_arrive_over_socket_mode_and_of_conversations_mentions_alone():
    settings = DOCUMENT["settings"]

    assert settings["socket_mode_enabled"] is True
    assert settings["interactivity"] == {"is_enabled": True}
    assert settings["event_subscriptions"] == {"bot_events": ["app_mention", "app_home_opened"]}
    assert "app_mentions:read" in DOCUMENT["oauth_config"]["scopes"]["bot"]
    assert settings["token_rotation_enabled"] is False


def test_in_http_mode_everything_that_slack_asks_for_has_its_address():
    """Without the address of the options every menu of a dialog stays empty; without that of the events no mention arrives."""
    changed = yaml.safe_load(slack_manifest(address="https://bot.example.com/"))
    settings = changed["settings"]
    (command,) = changed["features"]["slash_commands"]
    addresses = {
        command.pop("url"),
        settings["interactivity"].pop("request_url"),
        settings["interactivity"].pop("message_menu_options_url"),
        settings["event_subscriptions"].pop("request_url"),
    }
    assert addresses == {"https://bot.example.com/slack/events"}
    assert settings.pop("socket_mode_enabled") is False
    settings["socket_mode_enabled"] = True
    assert changed == DOCUMENT, "nothing else is changed"


def test_for_an_organisation_it_may_be_installed_there_and_nothing_else_is_changed():
    changed = yaml.safe_load(slack_manifest(organisation=True))
    assert changed["settings"].pop("org_deploy_enabled") is True
    assert DOCUMENT["settings"]["org_deploy_enabled"] is False
    assert changed == DOCUMENT | {
        "settings": {k: v for k, v in DOCUMENT["settings"].items() if k != "org_deploy_enabled"}
    }
    both = yaml.safe_load(slack_manifest("/convox-eu", "https://bot.example.com", organisation=True))
    assert (both["settings"]["org_deploy_enabled"], both["settings"]["socket_mode_enabled"]) == (True, False)
    assert json.loads(
        parse_qs(urlsplit(link(slack_manifest(organisation=True))).query)["manifest_json"][0]
    ) == (yaml.safe_load(slack_manifest(organisation=True)))


def test_another_command_names_the_app_so_that_two_can_be_told_apart():
    changed = yaml.safe_load(slack_manifest("/convox-staging"))
    about, features = changed["display_information"], changed["features"]

    assert about["name"] == features["bot_user"]["display_name"] == "convox-staging"
    assert features["slash_commands"][0]["command"] == "/convox-staging"
    assert "/convox-staging lists" in about["long_description"]
    assert changed["oauth_config"] == DOCUMENT["oauth_config"]


def test_the_longest_command_has_a_name_that_slack_takes():
    changed = yaml.safe_load(slack_manifest("/" + "x" * 31))
    assert len(changed["display_information"]["name"]) <= 35


@pytest.mark.parametrize("command", ["convox", "/Convox", "/a b", "/" + "x" * 32, "/", "/convox\n"])
def test_what_is_no_command_is_refused(command):
    with pytest.raises(Invalid, match="is no slash command"):
        slack_manifest(command)


@pytest.mark.parametrize(
    "address", ["bot.example.com", "http://bot.example.com", "https://", "https://h/slack", "https://h?a=1"]
)
def test_an_address_that_slack_does_not_call_is_refused(address):
    with pytest.raises(Invalid, match="is no address that Slack calls"):
        slack_manifest(address=address)


def test_as_it_is_it_is_the_file_with_what_each_scope_is_for():
    assert slack_manifest() + "\n" == (ROOT / "manifest.yml").read_text(encoding="utf-8")


def test_the_link_holds_all_of_it_and_stands_in_the_documents():
    address = link(slack_manifest())
    parts = urlsplit(address)

    assert json.loads(parse_qs(parts.query)["manifest_json"][0]) == DOCUMENT
    assert len(address) < 4000, "what browsers and proxies let through"
    for name in ("slack.md", "install.md"):
        assert f"({address})" in (ROOT / "docs" / name).read_text(encoding="utf-8"), (
            "print it anew with --link"
        )
