"""`convox-bot check`: reads the files and prints what is found; needs neither a bot, a database nor a cluster."""

import sys
from collections.abc import Sequence
from pathlib import Path

from bot.admin.check import CheckResult, check_manifest, check_policy
from bot.cli.files import read_file
from bot.cli.rack_url import CliError
from bot.cli.terminal import EXIT_ERROR, EXIT_OK, complain, say
from bot.router_settings import RouterSettings
from bot.settings import read_settings


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
    """Read lines of `KEY=VALUE`; empty ones and comments are left out, as in Convox.

    Raises:
        CliError: the file cannot be read, or a line is no variable; its text is not shown, for it may be a secret.
    """
    if file is None:
        return {}
    found = {}
    for number, line in enumerate(read_file(file).splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not (key.strip() and equals):
            raise CliError(f"{file} line {number} is not KEY=VALUE")
        found[key.strip()] = value
    return found


def _told(result: CheckResult) -> int:
    for line in (*result.objects, *(f"Note: {note}" for note in result.notes)):
        say(line)
    for problem in result.problems:
        say(f"ERROR: {problem}", sys.stderr)
    return EXIT_ERROR if result.problems else EXIT_OK
