"""Files that people name on the command line."""

from pathlib import Path

from bot.cli.rack_url import CliError


def read_file(path: Path, *, hint: str = "") -> str:
    """Return the text of a file.

    Raises:
        CliError: it cannot be read, or is no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}", hint=hint) from None
    except UnicodeDecodeError:
        raise CliError(f"{path} is not UTF-8 text") from None
