"""Who and what every scenario begins with: people, rights, patience, manifests and settings."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from bot.admin.commands import new_key
from bot.playground.slack import SlackWorkspace
from bot.settings import Settings, read_settings

LOOPBACK = "127.0.0.1"
APP = "myapp"
CHANNEL = "C01DEPLOYS"
ALICE, BOB, CAROL = "U01ALICE", "U02BOB", "U03CAROL"
GUEST, STRANGER = "U04GITA", "U05SAM"
TOKEN_NAME = "ci"

# Short enough that a failure of every kind is over within seconds of real time.
LIMITS = {
    "deadline": "20s",
    "longest": "90s",
    "min_ready": "1s",
    "settle": "2s",
    "crashes": "1",
    "announce_builds": "false",
}
POLICY = f"""
roles:
  developer: [view, build, env, promote, rollback, cancel, scale, logs, admin]
  approver: [view, approve]
members:
  - who: [{ALICE}, {BOB}, "token:{TOKEN_NAME}"]
    roles: [developer]
  - who: [{ALICE}, {BOB}, {CAROL}]
    roles: [approver]
apps:
  - match: ["*"]
"""
WEB = """
services:
  web:
    build: .
    port: 3000
    health: {path: /health, interval: 1, grace: 1, timeout: 1}
    scale: {count: 2, cpu: 10, memory: 16}
    termination: {grace: 5}
"""
# Where the log of a pod is told: which of two pods is the worst may change from look to look.
ALONE = WEB.replace("count: 2", "count: 1")
WORKER = """
  worker:
    build: .
    scale: {count: 1, cpu: 10, memory: 16}
    termination: {grace: 5}
"""


def policy(**rules: str) -> str:
    """Return a policy file: alice and bob are developers, all three may approve, every app has these rules."""
    return POLICY + "".join(f"    {key}: {value}\n" for key, value in {**LIMITS, **rules}.items())


def settings(
    slack: SlackWorkspace,
    folder: Path,
    *,
    rack: str,
    ports: tuple[int, int],
    http: bool,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Settings:
    """Return what the bot is started with, in Socket Mode or in HTTP mode; its files are in `folder`."""
    path = folder / "policy.yml"
    path.write_text(policy(), encoding="utf-8")
    mode = (
        {"SLACK_SIGNING_SECRET": slack.credentials.signing_secret}
        if http
        else {"SLACK_APP_TOKEN": slack.credentials.app_token}
    )
    return read_settings(
        Settings,
        {
            "SLACK_BOT_TOKEN": slack.credentials.bot_token,
            "SLACK_API_URL": slack.api_url,
            "CONVOX_DATABASE": str(folder / "convox.db"),
            "CONVOX_KEYS": new_key(),
            "CONVOX_RACK": rack,
            "CONVOX_POLICY": str(path),
            "HOST": LOOPBACK,
            "PORT": str(ports[0]),
            "API_HOST": LOOPBACK,
            "API_PORT": str(ports[1]),
            **mode,
            **more,
        },
        dotenv=None,
    )
