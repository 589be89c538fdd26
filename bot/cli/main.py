"""The command `convox-bot`: reads what was typed, and imports only what that needs, so that `do` starts in a blink."""

# ruff: noqa: PLC0415 - see above: Bolt, Kubernetes and pydantic cost a second that only `serve` needs

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli.completion import ASKED, SCRIPTS, SHELLS
from bot.cli.operator import add_operator_commands

if TYPE_CHECKING:
    from bot.cli.builds import BuildOptions

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
MAX_PORT = 65535
NO_WAIT = "--no-wait"
EXTERNAL = ("docker", "buildx", "podman")

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
    try:
        # argparse would take `-a` and `--force` for flags of its own.
        if words[:1] == ["do"] and words[1:2] not in (["-h"], ["--help"]):
            return _do(words[1:])
        if words[:2] == ASKED:
            return _complete(words[2:])
        arguments = _parser().parse_args(words)
        run: Callable[[argparse.Namespace], int] = arguments.run
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
        return _fail(sentences, status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="convox-bot",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, help="print the version")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, does: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=does, description=f"{does[:1].upper()}{does[1:]}.")
        made.set_defaults(run=run)
        return made

    command("serve", "run the bot until SIGTERM; SIGHUP reads the policy again", _serve)
    _add_playground(
        command("playground", "try the bot between an emulated Slack and a simulated cluster", _playground)
    )
    command("keygen", "print one key for CONVOX_KEYS", _keygen)
    _add_token(command("token", "create, list or revoke API tokens, beside a running bot", _token))
    build = command(
        "build", "build a folder, or register its images, with the bot of RACK_URL: a release", _build
    )
    _add_build(build)
    build.add_argument("--id", action="store_true", help="print the id of the release and nothing else")
    _add_deploy(command("deploy", "build, and promote the release, as `do` does", _deploy))
    _add_check(command("check", "say what a release of a convox.yml would be, from the file alone", _check))
    do = command("do", "carry out a command from a terminal, as /convox does in Slack", _usage_of_do)
    do.usage, do.description, do.formatter_class = DO_USAGE, DO, argparse.RawDescriptionHelpFormatter
    add_operator_commands(command)
    completion = command("completion", "print what completes convox-bot in a shell", _completion)
    completion.add_argument("shell", choices=SHELLS, help="which: source <(convox-bot completion bash)")
    _add_app_manifest(
        command("app-manifest", "print what an administrator applies for an app", _app_manifest)
    )
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


def _add_deploy(parser: argparse.ArgumentParser) -> None:
    _add_build(parser)
    parser.add_argument("--force", action="store_true", help="take over from what is rolling out")
    parser.add_argument(NO_WAIT, action="store_true", help="return once the promotion is asked for")


def _add_build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="the folder of the app (default: %(default)s)",
    )
    parser.add_argument("-a", "--app", required=True, metavar="APP", help="the app that the build is of")
    parser.add_argument(
        "-m",
        "--manifest",
        type=Path,
        default=Path("convox.yml"),
        metavar="FILE",
        help="the app's manifest, by its path from DIR (default: %(default)s)",
    )
    parser.add_argument(
        "--image",
        action="append",
        type=_image,
        default=[],
        metavar="SERVICE=REF",
        help="what is not to be built, since it was elsewhere; pin it as REPOSITORY@sha256:…",
    )
    parser.add_argument(
        "-d",
        "--description",
        metavar="TEXT",
        help="what people read in lists (default: build, the commit's sha and subject, from git)",
    )
    parser.add_argument(
        "--build-args",
        action="append",
        type=_variable,
        default=[],
        metavar="KEY=VALUE",
        help="an argument for each Dockerfile; as often as wanted",
    )
    parser.add_argument("--no-cache", action="store_true", help="run each step of the Dockerfiles anew")
    parser.add_argument("--only-newest", action="store_true", help="call off builds of APP that still wait")
    parser.add_argument("--git", metavar="URL", help="have the cluster clone and build this repository")
    parser.add_argument("--ref", metavar="REF", help="its branch, tag or commit")
    _add_external(parser)
    parser.add_argument(
        "--git-sha", metavar="SHA", help="the commit (default: HEAD of the manifest's repository)"
    )
    parser.add_argument(
        "--repository",
        metavar="URL",
        help="where the commit lies, for links (default: its remote `origin`, without credentials)",
    )


def _add_external(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--external",
        action="store_const",
        const="",
        help="build and push on this machine, with docker, buildx or podman; "
        "--external=podman (docker, buildx) says which (default: the first that is there)",
    )
    # Each in one word, since argparse would take the DIR behind a bare `--external` for its value.
    for name in EXTERNAL:
        parser.add_argument(
            f"--external={name}",
            action="store_const",
            const=name,
            dest="external",
            help=argparse.SUPPRESS,
        )
    parser.add_argument(
        "--registry",
        metavar="HOST/PATH",
        help="where --external pushes (default: CONVOX_REGISTRY of the environment)",
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
        type=_variable,
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


class _Version(argparse.Action):
    """Looks the version up only when it is asked for: that costs more than the rest of a start."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:  # noqa: A002 - argparse's name
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from bot.api.metrics import version

        _print(f"convox-bot {version()}")
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


def _image(text: str) -> tuple[str, str]:
    service, equals, reference = text.partition("=")
    if not (service and equals and reference):
        raise argparse.ArgumentTypeError(f"not SERVICE=REF: {text}")
    return service, reference


def _variable(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"not KEY=VALUE: {key}")
    return key, value


# What each command does


def _do(words: list[str]) -> int:
    from bot.cli.terminal import do

    # What stands behind `--` is text, such as the reason of a decline.
    end = words.index("--") if "--" in words else len(words)
    flags, rest = words[:end], words[end:]
    wait, (as_json, flags) = NO_WAIT not in flags, _without_json(flags)
    kept = [word for word in flags if word != NO_WAIT] + rest
    if not kept:
        return _usage_of_do()
    return do(kept, wait=wait, as_json=as_json)


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
    return _fail([f"usage: {DO_USAGE}", "`convox-bot do help` lists what can be done"], EXIT_USAGE)


def _build(arguments: argparse.Namespace) -> int:
    from bot.cli.builds import build

    if wrong := _build_problem(arguments):
        return _fail([f"convox-bot build: {wrong}"], EXIT_USAGE)
    return build(_build_options(arguments), only_id=arguments.id)


def _deploy(arguments: argparse.Namespace) -> int:
    from bot.cli.builds import deploy

    if wrong := _build_problem(arguments):
        return _fail([f"convox-bot deploy: {wrong}"], EXIT_USAGE)
    return deploy(_build_options(arguments), wait=not arguments.no_wait, force=arguments.force)


def _build_problem(arguments: argparse.Namespace) -> str:
    """Return what is wrong between the flags of a build, "" where nothing is."""
    if len(dict(arguments.image)) < len(arguments.image):
        return "--image names a service twice"
    if arguments.registry is not None and arguments.external is None:
        return "--registry says where --external pushes, and that is not given"
    if arguments.git is None:
        if arguments.ref is not None:
            return "--ref is a branch, a tag or a commit of --git, and that is not given"
    elif said := _beside_git(arguments):
        return f"{said}: of --git the cluster builds what it clones"
    if arguments.only_newest and arguments.external is not None:
        return "--only-newest is of builds that wait for the cluster, and with --external none waits"
    return ""


def _beside_git(arguments: argparse.Namespace) -> str:
    """Return which flags say of a folder what a repository says itself."""
    flags = {
        "DIR": arguments.folder != Path(),
        "--git-sha": arguments.git_sha is not None,
        "--repository": arguments.repository is not None,
        "--external": arguments.external is not None,
    }
    return ", ".join(name for name, given in flags.items() if given)


def _build_options(arguments: argparse.Namespace) -> "BuildOptions":
    """Return what the flags of a build say."""
    from bot.cli.builds import BuildOptions

    return BuildOptions(
        app=arguments.app,
        folder=arguments.folder,
        manifest=arguments.manifest,
        images=dict(arguments.image),
        description=arguments.description,
        git_sha=arguments.git_sha,
        repository=arguments.repository,
        build_args=dict(arguments.build_args),
        no_cache=arguments.no_cache,
        only_newest=arguments.only_newest,
        external=arguments.external,
        registry=arguments.registry,
        git=arguments.git or "",
        ref=arguments.ref or "",
    )


def _check(arguments: argparse.Namespace) -> int:
    from bot.cli.check import check

    return check(arguments.file, pairs=arguments.env, env_file=arguments.env_file, policy=arguments.policy)


def _serve(_: argparse.Namespace) -> int:
    import asyncio
    import logging

    from bot.logs import log_to_stderr
    from bot.main import serve
    from bot.settings import Settings, read_settings

    settings = read_settings(Settings)
    log_to_stderr(logging.INFO, settings.log_format)
    asyncio.run(serve(settings))
    return 0


def _playground(arguments: argparse.Namespace) -> int:
    import logging

    from bot.logs import log_to_stderr
    from bot.playground.main import run

    log_to_stderr(logging.WARNING)
    return run(port=arguments.port, state=arguments.state, speed=arguments.speed)


def _completion(arguments: argparse.Namespace) -> int:
    return _print(SCRIPTS[arguments.shell].rstrip("\n"))


def _complete(words: Sequence[str]) -> int:
    from bot.cli.completion import candidates

    return _print("\n".join(candidates(_parser(), words)))


def _keygen(_: argparse.Namespace) -> int:
    from bot.admin.commands import new_key

    return _print(new_key())


def _token(arguments: argparse.Namespace) -> int:
    import asyncio

    from bot.admin import tokens
    from bot.admin.settings import DatabaseSettings
    from bot.settings import read_settings

    database = read_settings(DatabaseSettings).convox_database
    match arguments.action:
        case "create":
            apps = tuple(arguments.app or ("*",))
            made = tokens.create_token(database, arguments.name, expires=arguments.expires, apps=apps)
            return _print(asyncio.run(made))
        case "revoke":
            return _print(asyncio.run(tokens.revoke_token(database, arguments.name)))
        case _:
            return _print(asyncio.run(tokens.list_tokens(database)))


def _app_manifest(arguments: argparse.Namespace) -> int:
    from bot.admin.commands import namespace_objects_text
    from bot.admin.settings import RackSettings
    from bot.settings import read_settings

    text = namespace_objects_text(
        read_settings(RackSettings).convox_rack,
        arguments.app,
        service_account=arguments.service_account,
        bot_namespace=arguments.bot_namespace,
    )
    return _print(text)


def _explain(error: Exception) -> tuple[list[str], int]:
    """Return what the operator reads, and the exit status; nothing for an error that is ours."""
    from bot.admin.commands import start_problems
    from bot.settings import SettingsError
    from core.errors import UserError

    problems = error.problems if isinstance(error, SettingsError) else start_problems(error)
    if not problems and isinstance(error, UserError):
        return [f"ERROR: {error.sentence}", *([str(error.hint)] if error.hint else [])], 1
    return problems, EXIT_USAGE


def _print(text: str) -> int:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
    return 0


def _fail(sentences: Sequence[str], status: int) -> int:
    sys.stderr.write("".join(f"{sentence}\n" for sentence in sentences))
    return status
