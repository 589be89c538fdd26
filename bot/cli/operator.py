"""The commands of an operator beside a running bot: their options, and what each imports once it is called."""

# ruff: noqa: PLC0415 - `do` must not wait for what only these need

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli.output import fail, notice, prints_json, say, show, show_document

if TYPE_CHECKING:
    from bot.admin.operation_result import OperationResult

Run = Callable[[argparse.Namespace], int]
NewCommand = Callable[[str, str, Run], argparse.ArgumentParser]


def add_operator_commands(command: NewCommand) -> None:
    """Add them to the parser; `command` takes a name, what it does, and what runs it."""
    _add_token(command("token", "create, list or revoke API tokens, beside a running bot", _token))
    doctor = command("doctor", "check everything that the bot needs, and say what mends it", _doctor)
    doctor.add_argument(
        "--all", action="store_true", help="look at the channel of every app, at the pace that Slack allows"
    )
    _add_audit(command("audit", "check the chain of the audit, or print its rows", _audit))
    _add_webhooks(command("webhooks", "tell somebody of events, beside a running bot", _webhooks))
    command("rekey", "seal every value with the newest key, so that older ones can go", _rekey)
    _add_adopt(
        command("adopt", "let this database write to an app's namespace again, after a restore", _adopt)
    )
    backup = command("backup", "copy the database, beside a running bot, and check the copy", _backup)
    backup.add_argument("file", type=Path, metavar="FILE", help="the copy; nothing is overwritten")


def _add_token(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    create = actions.add_parser("create", help="print a new token, once; the policy knows it as token:NAME")
    create.add_argument("name", metavar="NAME", help="how the policy and the audit call it")
    create.add_argument(
        "--expires", metavar="TIME", default="", help="90d, 12h or 2027-01-31, in UTC (default: never)"
    )
    create.add_argument(
        "--app",
        metavar="PATTERN",
        action="append",
        help="the apps that it is for, as in 'shop-*', whatever the policy gives it (default: all); may be repeated",
    )
    actions.add_parser("list", help="list tokens by name; nobody can show a token again")
    revoke = actions.add_parser("revoke", help="end a token, at once")
    revoke.add_argument("name", metavar="NAME", help="as `token list` shows it")


def _add_webhooks(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    add = actions.add_parser("add", help="tell an address of events, signed; its secret is printed once")
    add.add_argument("url", metavar="URL", help="by https, as in https://hooks.example.com/convox")
    add.add_argument(
        "--app", metavar="PATTERN", action="append", help="of which apps (default: all); may be repeated"
    )
    add.add_argument(
        "--type",
        metavar="PATTERN",
        action="append",
        help="of which events, as in 'promotion.*' (default: all); may be repeated",
    )
    actions.add_parser("list", help="list who is told, what waits, and what each answered last")
    remove = actions.add_parser("remove", help="tell it nothing more, nor what waits for it")
    remove.add_argument("id", metavar="ID", help="as `webhooks list` shows it")
    test = actions.add_parser("test", help="send it one event now, and say what it answers")
    test.add_argument("id", metavar="ID", help="as `webhooks list` shows it")


def _add_audit(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    verify = actions.add_parser(
        "verify", help="compute the chain anew: whether a row was changed or is missing"
    )
    verify.add_argument(
        "--cluster",
        action="store_true",
        help="compare it with what the anchors of the apps remember, so that one which was cut back or rewritten shows",
    )
    export = actions.add_parser("export", help="print the rows, one a line, oldest first")
    form = export.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON objects (the default)")
    form.add_argument("--csv", action="store_true", help="as CSV with a first line of names")
    export.add_argument(
        "--since", metavar="TIME", help="30d, 12h, 90m, 2027-01-31 or 2027-01-31T08:00, in UTC (default: all)"
    )


def _add_adopt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("app", metavar="APP", help="its name")
    parser.add_argument(
        "--from",
        dest="owner",
        metavar="INSTALLATION",
        default="",
        help="the other installation that the namespace is taken from, as the refusal names it",
    )
    parser.add_argument(
        "--stopped",
        action="store_true",
        help="vouch that the bot of that installation is stopped, where the cluster cannot tell",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask; for scripts")


def _told(result: "OperationResult") -> int:
    """Print what a command has to say; what is not good is no answer that a pipe may take for one."""
    if prints_json():
        show_document(result.document)
    else:
        say(result.text, sys.stdout if result.good else sys.stderr)
    return 0 if result.good else 1


def _database() -> Path:
    from bot.admin.settings import DatabaseSettings
    from bot.settings import read_settings

    return read_settings(DatabaseSettings).convox_database


def _doctor(arguments: argparse.Namespace) -> int:
    import logging

    from bot.admin.doctor import report
    from bot.admin.doctor.check import HealthCheck
    from bot.admin.doctor.examination import examine
    from bot.clock import SystemClock
    from bot.settings import Settings, SettingsError, read_settings

    # What the client of the cluster logs beside is said by a check; without a handler Python prints it raw.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        checks = asyncio.run(examine(read_settings(Settings), SystemClock(), every=arguments.all))
    except SettingsError as error:
        remedy = "set it as docs/settings.md says; what needs all settings was not looked at"
        checks = [HealthCheck(name="settings", problem=each, remedy=remedy) for each in error.problems]
    show(report.text(checks, report.pod_namespace(os.environ)), report.documents(checks))
    return 0 if all(check.ok for check in checks) else 1


def _token(arguments: argparse.Namespace) -> int:
    from bot.admin import tokens

    database = _database()
    match arguments.action:
        case "create":
            apps = tuple(arguments.app or ("*",))
            made = tokens.create_token(
                database, arguments.name, tell=_aside, expires=arguments.expires, apps=apps
            )
            token = asyncio.run(made)
            return show(token, {"name": arguments.name, "token": token, "apps": list(apps)})
        case "revoke":
            return _told(asyncio.run(tokens.revoke_token(database, arguments.name)))
        case _:
            found = asyncio.run(tokens.list_tokens(database))
            return show(tokens.token_table(found), tokens.token_documents(found))


def _aside(text: str) -> None:
    """Tell what is no answer."""
    (notice if prints_json() else partial(say, stream=sys.stderr))(text)


def _webhooks(arguments: argparse.Namespace) -> int:
    from bot.admin import webhooks
    from bot.admin.settings import OutgoingSettings
    from bot.settings import read_settings

    settings = read_settings(OutgoingSettings)
    database = webhooks.WebhookDatabase(
        path=settings.convox_database,
        keys=tuple(key.get_secret_value() for key in settings.convox_keys),
        private=settings.convox_webhook_private,
    )
    match arguments.action:
        case "add":
            apps, types = tuple(arguments.app or ("*",)), tuple(arguments.type or ("*",))
            made = asyncio.run(webhooks.add_webhook(database, arguments.url, apps=apps, types=types))
            return show(webhooks.added(made), {"id": made.id, "receiver": made.host, "secret": made.secret})
        case "remove":
            return _told(asyncio.run(webhooks.remove_webhook(database, arguments.id)))
        case "test":
            return _told(asyncio.run(webhooks.try_webhook(database, arguments.id)))
        case _:
            found = asyncio.run(webhooks.list_webhooks(database))
            return show(webhooks.subscription_table(found), webhooks.subscription_documents(found))


def _audit(arguments: argparse.Namespace) -> int:
    from bot.admin import audit
    from bot.admin.settings import ClusterSettings
    from bot.clock import SystemClock
    from bot.settings import read_settings

    database = _database()
    if arguments.action == "verify":
        cluster = read_settings(ClusterSettings) if arguments.cluster else None
        return _told(asyncio.run(audit.verify(database, cluster, SystemClock())))
    if prints_json() and arguments.csv:
        return fail(["convox-bot audit export: --csv and -o json ask for two things"])
    since = audit.since(arguments.since, SystemClock().now()) if arguments.since else None
    asyncio.run(audit.export(database, as_csv=arguments.csv, since=since, out=sys.stdout))
    return 0


def _rekey(_: argparse.Namespace) -> int:
    import logging

    from bot.admin.rekeying import rekey_database
    from bot.clock import SystemClock
    from bot.logs import log_to_stderr
    from bot.settings import StoreSettings, read_settings

    log_to_stderr(logging.INFO)
    settings = read_settings(StoreSettings)
    keys = [key.get_secret_value() for key in settings.convox_keys]
    return _told(asyncio.run(rekey_database(settings.convox_database, keys, SystemClock())))


def _adopt(arguments: argparse.Namespace) -> int:
    from bot.admin.adoption import AdoptionRequest, adopt
    from bot.admin.settings import AdoptionSettings
    from bot.clock import SystemClock
    from bot.settings import read_settings

    request = AdoptionRequest(
        app=arguments.app, owner=arguments.owner, agreed=arguments.yes, stopped=arguments.stopped
    )
    settings = read_settings(AdoptionSettings)
    return _told(
        asyncio.run(
            adopt(settings, SystemClock(), request, confirm=_agreed, tell=notice if prints_json() else show)
        )
    )


def _agreed(question: str) -> bool:
    """Ask on a terminal, beside the answer, which a program may read; nobody agrees where there is no terminal."""
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _backup(arguments: argparse.Namespace) -> int:
    from bot.admin.backups import back_up

    return _told(asyncio.run(back_up(_database(), arguments.file)))
