"""The process's own log: lines on stderr, and no value of an environment in any of them."""

import logging

from core.redaction import quiet

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _Formatter(logging.Formatter):
    """Formats a record with its traceback, and takes out what the task that writes it may not say."""

    def format(self, record: logging.LogRecord) -> str:
        return quiet(super().format(record))


def log_formatter() -> logging.Formatter:
    """Return what every line of the log is written with."""
    return _Formatter(LOG_FORMAT)


def log_to_stderr(level: int) -> None:
    """Let every logger of the process write there, from this level on."""
    handler = logging.StreamHandler()
    handler.setFormatter(log_formatter())
    logging.basicConfig(level=level, handlers=[handler])
