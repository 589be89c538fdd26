"""The process's own log: lines on stderr, and no value of an environment in any of them."""

import json
import logging
from datetime import UTC, datetime
from typing import Literal

from core.log_context import logged_about
from core.redaction import quiet

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# How the log is written: for people, or an object a line for what collects logs.
LogStyle = Literal["text", "json"]


class _Formatter(logging.Formatter):
    """Formats a record with its traceback, and takes out what the task that writes it may not say."""

    def format(self, record: logging.LogRecord) -> str:
        return quiet(super().format(record))


class _JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object, with what the task that writes it is about."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": quiet(record.getMessage()),
            **logged_about(),
        }
        if record.exc_info:
            told["exception"] = quiet(self.formatException(record.exc_info))
        return json.dumps(told, ensure_ascii=False)


def log_formatter(style: LogStyle = "text") -> logging.Formatter:
    """Return what every line of the log is written with."""
    return _JsonFormatter() if style == "json" else _Formatter(LOG_FORMAT)


def log_to_stderr(level: int, style: LogStyle = "text") -> None:
    """Let every logger of the process write there, from this level on."""
    handler = logging.StreamHandler()
    handler.setFormatter(log_formatter(style))
    logging.basicConfig(level=level, handlers=[handler])
