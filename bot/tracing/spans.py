"""Spans of promotions, given to the SDK of OpenTelemetry; only whoever wants traces imports this."""

import hashlib
import logging
import threading
from datetime import UTC, datetime

from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from core.ids import trace_id
from core.ports.tracer import TraceSpan

log = logging.getLogger(__name__)


class TraceIds(IdGenerator):
    """Ids that are made of what a span is of: a span that two lives tell is one, and logs know its trace."""

    def __init__(self) -> None:
        self.trace = self.span = 0

    def generate_trace_id(self) -> int:
        return self.trace

    def generate_span_id(self) -> int:
        return self.span


class OpenTelemetryTracer:
    """`core.ports.tracer.Tracer` on the SDK, whose own thread exports: one trace a promotion."""

    def __init__(self, processor: SpanProcessor, version: str) -> None:
        # What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say goes before what we say.
        ours = Resource({SERVICE_NAME: "convox-bot", SERVICE_VERSION: version})
        given = Resource.create()
        if str(given.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
            given = given.merge(Resource({SERVICE_NAME: "convox-bot"}))
        self._ids = TraceIds()
        self._provider = TracerProvider(
            resource=ours.merge(given), id_generator=self._ids, shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("convox-bot", version)

    def record(self, span: TraceSpan) -> None:
        """Give a span to the processor."""
        try:
            self._record(span)
        except Exception:
            log.exception("a span of %s is not traced", span.promotion)

    def _record(self, span: TraceSpan) -> None:
        trace, root = int(trace_id(span.promotion), 16), _span_id(span.promotion, "")
        decision = self._provider.sampler.should_sample(None, trace, span.name).decision
        if decision is not Decision.RECORD_AND_SAMPLE:
            return
        self._ids.trace = trace
        self._ids.span = root if span.root else _span_id(span.promotion, span.name, span.began.isoformat())
        whole = SpanContext(trace, root, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        made = self._tracer.start_span(
            span.name,
            context=None if span.root else set_span_in_context(NonRecordingSpan(whole)),
            attributes={**span.attributes, "convox.promotion": span.promotion},
            start_time=_nanoseconds(span.began),
        )
        if span.error:
            made.set_status(Status(StatusCode.ERROR, span.error))
        made.end(_nanoseconds(span.ended))

    def stop(self, seconds: float) -> None:
        """Send what is left, for so long; a collector that is away holds up nobody's end."""
        last = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        last.start()
        last.join(seconds)


def _span_id(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("\n".join(parts).encode()).digest()[:8]) or 1


def _nanoseconds(moment: datetime) -> int:
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
