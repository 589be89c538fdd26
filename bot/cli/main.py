"""The command `convox-bot`: reads what was typed, and imports only what that needs, so that `do` starts in a blink."""

# ruff: noqa: PLC0415 - see above: Bolt, Kubernetes and pydantic cost a second that only `serve` needs

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from bot.cli.build_commands import NO_WAIT, add_build_commands, variable
from bot.cli.completion import ASKED, SCRIPTS, SHELLS
from bot.cli.operator import add_operator_commands
from bot.cli.output import EXIT_USAGE, fail, printing, prints_json, show

EXIT_INTERRUPTED = 130
MAX_PORT = 65535

DESCRIPTION = """\
Convox releases as a Slack chat-ops bot: promote, watch and roll back on Kubernetes from a thread.

Try it with neither Slack nor a cluster:   convox-bot playground
"""
EPILOG = """\
from a terminal or CI, with RACK_URL=https://convox:TOKEN@HOST (http on this machine alone):
  convox-bot build -a myapp --image web=registry.example/myapp@sha256:…
  convox-bot do releases promote R… -a myapp
  convox-bot do help

`serve`, `token`, `app-manifest` and the commands of an operator read settings from the environment and from .env; docs/settings.md lists them.
`convox-bot COMMAND --help` tells more about one command.
"""
# What has no facts to print, and why.
WITHOUT_JSON = {
    "serve": "runs until it is stopped",
    "playground": "runs until it is stopped",
    "completion": "prints what a shell reads",
}
JSON = (("-o", "json"), ("--output", "json"))
DO_USAGE = f"convox-bot do [{NO_WAIT}] [-o json] WORDS…"
DO = f"""\
Carries out WORDS as `/convox WORDS` in Slack does: same grammar, same policy, same audit. `convox-bot do help` lists them.
A promotion is followed to its verdict, through an approval too. `convox-bot do follow PROMOTION` follows any, from its first line.

{NO_WAIT}   return once the promotion is asked for, and say how it is followed
-o json     print lists and facts as JSON, and each line of a promotion as one JSON object

exit status: 0 for an answer and for OK, 1 for ERROR:, 2 for wrong usage; with {NO_WAIT} 0 once it has started, 3 where
an approval is awaited.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status; wrong usage exits with 2."""
    words = list(sys.argv[1:] if argv is None else argv)
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if words[:2] == ASKED:
        return _complete(words[2:])
    # What stands behind `--` is text, such as the reason of a decline.
    end = words.index("--") if "--" in words else len(words)
    as_json, flags = _without_json(words[:end])
    with printing(as_json=as_json):
        return _run([*flags, *words[end:]])


def _run(words: list[str]) -> int:
    try:
        # argparse would take `-a` and `--force` for flags of its own.
        if words[:1] == ["do"] and words[1:2] not in (["-h"], ["--help"]):
            return _do(words[1:])
        arguments = _parser().parse_args(words)
        run: Callable[[argparse.Namespace], int] = arguments.run
        if prints_json() and arguments.subcommand in WITHOUT_JSON:
            return fail(
                [
                    f"convox-bot {arguments.subcommand} {WITHOUT_JSON[arguments.subcommand]}, so there is no -o json of it"
                ]
            )
        return run(arguments)
    except BrokenPipeError:
        # `… | head` has read enough; without this the interpreter would complain once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:
        sentences, status = _explain(error)
        if not sentences:
            raise
        hint = sentences.pop() if status == 1 and len(sentences) > 1 else ""
        return fail(sentences, status, hint=hint)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="convox-bot",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, help="print the version")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, does: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=does, description=f"{does[:1].upper()}{does[1:]}.")
        made.set_defaults(run=run, subcommand=name)
        if name not in WITHOUT_JSON:
            # Taken away before argparse reads; here it is for the help, and for what is no json.
            made.add_argument(
                "-o", "--output", choices=["json"], metavar="json", help="as JSON, for programs"
            )
        return made

    command("serve", "run the bot until SIGTERM; SIGHUP reads the policy again", _serve)
    _add_playground(
        command("playground", "try the bot between an emulated Slack and a simulated cluster", _playground)
    )
    command("keygen", "print one key for CONVOX_KEYS", _keygen)
    add_build_commands(command)
    _add_check(command("check", "say what a release of a convox.yml would be, from the file alone", _check))
    do = command("do", "carry out a command from a terminal, as /convox does in Slack", _usage_of_do)
    do.usage, do.description, do.formatter_class = DO_USAGE, DO, argparse.RawDescriptionHelpFormatter
    add_operator_commands(command)
    completion = command("completion", "print what completes convox-bot in a shell", _completion)
    completion.add_argument("shell", choices=SHELLS, help="which: source <(convox-bot completion bash)")
    _add_app_manifest(
        command("app-manifest", "print what an administrator applies for an app", _app_manifest)
    )
    _add_slack_manifest(command("slack-manifest", "print the manifest of the Slack app", _slack_manifest))
    return parser


def _add_playground(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port",
        type=_port,
        default=4080,
        metavar="PORT",
        help="the port of the page; 0 takes a free one (default: %(default)s)",
    )
    parser.add_argument(
        "--state",
        type=Path,
        default=Path(".playground"),
        metavar="DIR",
        help="the folder that keeps what was done, for the next start (default: %(default)s)",
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        default=1.0,
        metavar="N",
        help="how many times faster time passes (default: %(default)s)",
    )


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        default=Path("convox.yml"),
        metavar="FILE",
        help="the manifest (default: %(default)s)",
    )
    parser.add_argument(
        "--env",
        action="append",
        type=variable,
        default=[],
        metavar="KEY=VALUE",
        help="a variable that the release would set",
    )
    parser.add_argument("--env-file", type=Path, metavar="F", help="a file of such lines")
    parser.add_argument("--policy", type=Path, metavar="FILE", help="check this policy file instead")


def _add_app_manifest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("app", metavar="APP", help="its name")
    parser.add_argument(
        "--service-account", default="convox-bot", metavar="NAME", help="the bot's own (default: %(default)s)"
    )
    parser.add_argument(
        "--bot-namespace",
        default="convox-system",
        metavar="NS",
        help="where the bot runs (default: %(default)s)",
    )


def _add_slack_manifest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--command",
        default="/convox",
        metavar="/NAME",
        help="how the command is called (default: %(default)s)",
    )
    parser.add_argument(
        "--address",
        default="",
        metavar="https://HOST",
        help="where Slack calls the bot (default: Socket Mode)",
    )
    parser.add_argument(
        "--org", action="store_true", help="so that it may be installed for a whole Enterprise organisation"
    )
    parser.add_argument(
        "--link", action="store_true", help="print the address at which Slack makes the app of it"
    )


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a line as every other refusal is said."""

    def error(self, message: str) -> NoReturn:
        if prints_json():
            self.exit(fail([message], hint=self.format_usage().strip()))
        super().error(message)


class _Version(argparse.Action):
    """Looks the version up only when it is asked for: that costs more than the rest of a start."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:  # noqa: A002 - argparse's name
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from bot.api.metrics_snapshot import version

        show(f"convox-bot {version()}", {"version": version()})
        parser.exit()


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= MAX_PORT):
        raise argparse.ArgumentTypeError(f"a port is a whole number from 0 to {MAX_PORT}, not {text!r}")
    return int(text)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 1000:
        raise argparse.ArgumentTypeError(f"it is a number, more than 0 and at most 1000, not {text!r}")
    return speed


# What each command does


def _do(words: list[str]) -> int:
    from bot.cli.terminal import do

    end = words.index("--") if "--" in words else len(words)
    kept = [word for word in words[:end] if word != NO_WAIT] + words[end:]
    if not kept:
        return _usage_of_do()
    return do(kept, wait=NO_WAIT not in words[:end])


def _without_json(words: list[str]) -> tuple[bool, list[str]]:
    """Tell whether `-o json` is among the words, and return the others."""
    for at, pair in enumerate(pairwise(words)):
        if pair in JSON:
            return True, [*words[:at], *words[at + 2 :]]
    for word in ("-ojson", "-o=json", "--output=json"):
        if word in words:
            return True, [each for each in words if each != word]
    return False, words


def _usage_of_do(_: argparse.Namespace | None = None) -> int:
    return fail([f"usage: {DO_USAGE}", "`convox-bot do help` lists what can be done"], EXIT_USAGE)


def _check(arguments: argparse.Namespace) -> int:
    from bot.cli.check import check

    return check(arguments.file, pairs=arguments.env, env_file=arguments.env_file, policy=arguments.policy)


def _serve(_: argparse.Namespace) -> int:
    import asyncio
    import logging

    from bot.logs import log_to_stderr
    from bot.main import serve
    from bot.settings import Settings, read_settings
    from bot.tracing.environment import traces_wanted, why_not_traced

    settings = read_settings(Settings)
    traces = traces_wanted() and not why_not_traced()
    log_to_stderr(logging.INFO, settings.log_format, traces=traces)
    asyncio.run(serve(settings))
    return 0


def _playground(arguments: argparse.Namespace) -> int:
    import logging

    from bot.logs import log_to_stderr
    from bot.playground.main import run

    log_to_stderr(logging.WARNING)
    return run(port=arguments.port, state=arguments.state, speed=arguments.speed)


def _completion(arguments: argparse.Namespace) -> int:
    return show(SCRIPTS[arguments.shell].rstrip("\n"))


def _complete(words: Sequence[str]) -> int:
    from bot.cli.completion import candidates

    return show("\n".join(candidates(_parser(), words)))


def _keygen(_: argparse.Namespace) -> int:
    from bot.admin.commands import new_key

    key = new_key()
    return show(key, {"key": key})


def _app_manifest(arguments: argparse.Namespace) -> int:
    import yaml

    from bot.admin.commands import namespace_objects_text
    from bot.admin.settings import RackSettings
    from bot.settings import read_settings

    text = namespace_objects_text(
        read_settings(RackSettings).convox_rack,
        arguments.app,
        service_account=arguments.service_account,
        bot_namespace=arguments.bot_namespace,
    )
    # One document of all, as kubectl reads it.
    return show(text, {"apiVersion": "v1", "kind": "List", "items": list(yaml.safe_load_all(text))})


def _slack_manifest(arguments: argparse.Namespace) -> int:
    import yaml

    from bot.admin.slack_manifest import link, slack_manifest

    text = slack_manifest(arguments.command, arguments.address, organisation=arguments.org)
    if arguments.link:
        return show(link(text), {"link": link(text)})
    return show(text, yaml.safe_load(text))


def _explain(error: Exception) -> tuple[list[str], int]:
    """Return what the operator reads, and the exit status; nothing for an error that is ours."""
    from bot.admin.commands import start_problems
    from bot.settings import SettingsError
    from core.errors import UserError

    problems = error.problems if isinstance(error, SettingsError) else start_problems(error)
    if not problems and isinstance(error, UserError):
        return [f"ERROR: {error.sentence}", *([str(error.hint)] if error.hint else [])], 1
    return problems, EXIT_USAGE
