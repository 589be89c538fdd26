"""The process's own log: lines on stderr, and no value of an environment in any of them."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from core.ids import trace_id
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
    """Formats a record as one JSON object, with what the task that writes it is about; where there are traces, with the trace of it."""

    def __init__(self, *, traces: bool) -> None:
        super().__init__()
        self._traces = traces

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": quiet(record.getMessage()),
            **self._about(),
        }
        if record.exc_info:
            told["exception"] = quiet(self.formatException(record.exc_info))
        return json.dumps(told, ensure_ascii=False)

    def _about(self) -> Mapping[str, str]:
        about = logged_about()
        promotion = about.get("promotion") if self._traces else None
        return {**about, "trace_id": trace_id(promotion)} if promotion else about


def log_formatter(style: LogStyle = "text", *, traces: bool = False) -> logging.Formatter:
    """Return what every line of the log is written with; `traces`: promotions have some, by which JSON is linked with them."""
    return _JsonFormatter(traces=traces) if style == "json" else _Formatter(LOG_FORMAT)


def log_to_stderr(level: int, style: LogStyle = "text", *, traces: bool = False) -> None:
    """Let every logger of the process write there, from this level on."""
    handler = logging.StreamHandler()
    handler.setFormatter(log_formatter(style, traces=traces))
    logging.basicConfig(level=level, handlers=[handler])
