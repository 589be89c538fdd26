"""`convox-bot check`: reads the files and prints what is found; needs neither a bot, a database nor a cluster."""

import sys
from collections.abc import Sequence
from pathlib import Path

from bot.admin.check import CheckResult, check_manifest, check_policy
from bot.cli.files import read_file
from bot.cli.output import prints_json, say, say_verdict, show_document
from bot.cli.rack_url import CliError
from bot.cli.terminal import EXIT_ERROR, EXIT_OK, complain
from bot.router_settings import RouterSettings
from bot.settings import read_settings
from core.errors import Invalid
from core.records.environment_text import variable_lines


def check(file: Path, *, pairs: Sequence[tuple[str, str]], env_file: Path | None, policy: Path | None) -> int:
    """Check a convox.yml, or instead of it a policy file; the rack's router is that of the settings, if there are any.

    Returns:
        0 with a line for each object and each note on stdout; 1 with problems, each with its line, on stderr.
    """
    try:
        if policy is not None:
            return _told(check_policy(read_file(policy)))
        given = {**_variables(env_file), **dict(pairs)}
        return _told(check_manifest(read_file(file), given, read_settings(RouterSettings).router))
    except CliError as error:
        return complain(error)


def _variables(file: Path | None) -> dict[str, str]:
    """Read a text of an environment, as `env set` takes it.

    Raises:
        CliError: the file cannot be read, or a line is no variable; its text is not shown, for it may be a secret.
    """
    if file is None:
        return {}
    try:
        lines = variable_lines(read_file(file))
    except Invalid as error:
        raise CliError(f"{file}: {error.sentence}; {error.hint}") from error
    if alone := [str(line.number) for line in lines if line.value is None]:
        raise CliError(f"{file}: not KEY=VALUE: line {', '.join(alone)}")
    return {line.key: line.value or "" for line in lines}


def _told(result: CheckResult) -> int:
    if prints_json():
        show_document(result._asdict())
    else:
        for line in (*result.objects, *(f"Note: {note}" for note in result.notes)):
            say(line)
        for problem in result.problems:
            say_verdict(f"ERROR: {problem}", sys.stderr)
    return EXIT_ERROR if result.problems else EXIT_OK
