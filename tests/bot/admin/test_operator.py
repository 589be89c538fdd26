"""The audit names who typed a command on the database file, and not the bot."""

import os
import socket
import sqlite3

import orjson
import pytest

from bot.admin import operator as operators
from bot.admin.operator import _account, operator
from bot.admin.rekeying import rekey_database
from bot.admin.tokens import create_token, revoke_token
from bot.admin.webhooks import WebhookDatabase, add_webhook, remove_webhook
from tests.core.world import KEY, world
from tests.fakes import JumpingClock


async def test_every_change_on_the_database_file_is_by_its_operator(tmp_path, monkeypatch):
    async with world(tmp_path):
        pass
    monkeypatch.setattr(socket, "gethostname", lambda: "bastion")
    monkeypatch.setattr(operators, "_account", lambda _uid, _sudo: "alice")
    path = tmp_path / "convox.db"
    database = WebhookDatabase(path=path, keys=(KEY,), private=True)
    made = await add_webhook(database, "https://hooks.example.com/", apps=("*",), types=("*",))
    await remove_webhook(database, made.id)
    await create_token(path, "ci", tell=print)
    await revoke_token(path, "ci")
    await rekey_database(path, [KEY], JumpingClock())
    with sqlite3.connect(path) as stored:
        rows = stored.execute(
            "SELECT action, actor FROM audit WHERE action LIKE 'webhook.%' OR action LIKE 'token.%'"
            " OR action LIKE 'keys.%' ORDER BY seq"
        ).fetchall()
    stored.close()
    assert [action for action, _ in rows] == [
        "webhook.add",
        "webhook.remove",
        "token.create",
        "token.revoke",
        "keys.rekey",
    ]
    assert {orjson.loads(actor)["kind"] for _, actor in rows} == {"operator"}
    assert {orjson.loads(actor)["id"] for _, actor in rows} == {"alice@bastion"}


@pytest.mark.parametrize(
    ("uid", "sudo", "found"),
    [(0, "bob", "bob"), (0, "", "root"), (0, "a b\x1b", "root"), (54321, "bob", "54321")],
)
def test_an_account_is_that_of_whoever_called_sudo_or_its_number(uid, sudo, found):
    assert _account(uid, sudo) == found


def test_the_operator_is_the_account_of_this_process(monkeypatch):
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert operator().plain == f"operator:{_account(os.getuid(), '')}@{socket.gethostname()[:64]}"
