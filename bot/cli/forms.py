"""Filling a form from a terminal: from standard input, or by asking; of the standard library, so that it starts in a blink."""

import getpass
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.cli.rack_url import CliError
from bot.cli.screen import harmless


def entered(form: Mapping[str, Any]) -> dict[str, str]:
    """Return what is entered into a form, by field; standard input, where it is no terminal, is that of the only field left to fill.

    Raises:
        CliError: nothing was entered, or a form with several fields to fill is not for a terminal.
    """
    given = {each["name"]: each["chosen"]["value"] for each in form["fields"] if each.get("chosen")}
    left = [each for each in form["fields"] if each["name"] not in given]
    if not left:
        return given
    if len(left) != 1:
        raise CliError("this asks for more than one thing, which a terminal cannot", hint="do it in Slack")
    (field,) = left
    if not sys.stdin.isatty():
        return given | {field["name"]: _piped(field)}
    return given | {field["name"]: _edited(field) if field["kind"] == "lines" else _asked(field)}


def _piped(field: Mapping[str, Any]) -> str:
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise CliError(
            "standard input is not UTF-8 text", hint="values are text; encode others, with base64"
        ) from None
    if not text:
        raise CliError(
            f"nothing came on standard input: {field['label']}", hint="redirect a file, as in: … < FILE"
        )
    # What prints a value ends its line; lines are not touched.
    if field["kind"] == "lines" or not text.endswith("\n"):
        return text
    return text[:-1].removesuffix("\r")


def _asked(field: Mapping[str, Any]) -> str:
    """Ask for one line; a secret is not shown while it is typed."""
    label = harmless(str(field["label"]), sys.stderr)
    try:
        if field["kind"] == "secret":
            return getpass.getpass(f"{label} (not shown): ", stream=sys.stderr)
        sys.stderr.write(f"{label}: ")
        sys.stderr.flush()
        return input()
    except EOFError:
        raise CliError("nothing was entered, so nothing was done") from None


def _edited(field: Mapping[str, Any]) -> str:
    """Let somebody edit the text with $VISUAL or $EDITOR, in a file that nobody else can read and that is gone afterwards."""
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    with tempfile.TemporaryDirectory(prefix="convox-bot-") as folder:
        file = Path(folder) / "environment.env"
        file.touch(mode=0o600)
        file.write_text(f"# {field['hint']}\n{field['text']}", encoding="utf-8")
        try:
            done = subprocess.run([*editor, str(file)], check=False)  # noqa: S603 - the caller's own editor
        except OSError as error:
            raise CliError(
                f"{editor[0]} cannot be started: {error.strerror}",
                hint="set EDITOR, or redirect a file: … < FILE",
            ) from None
        if done.returncode != 0:
            raise CliError(f"{editor[0]} ended with {done.returncode}, so nothing was done")
        return file.read_text(encoding="utf-8")
