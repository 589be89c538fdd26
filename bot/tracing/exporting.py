"""The tracer that the environment asks for, if it does."""

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bot.tracing.environment import traces_wanted, why_not_traced

if TYPE_CHECKING:
    from bot.tracing.spans import OpenTelemetryTracer

log = logging.getLogger(__name__)


def new_tracer(version: str, environ: Mapping[str, str] = os.environ) -> "OpenTelemetryTracer | None":
    """Return it, or None where no traces are wanted, or none can be sent, which the log tells: a bot works without."""
    if not traces_wanted(environ):
        return None
    if why := why_not_traced(environ):
        log.warning("promotions are not traced: %s", why)
        return None
    # Imported now and not before: half a second, and an extra that most have not installed.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    from bot.tracing.spans import OpenTelemetryTracer  # noqa: PLC0415

    # Both read their own variables: the endpoint, its headers and certificates, how many spans wait and for how long.
    return OpenTelemetryTracer(BatchSpanProcessor(OTLPSpanExporter()), version)
