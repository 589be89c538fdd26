"""Traces are sent as the variables of OpenTelemetry say: to a collector that is there, one that is away, or not at all."""

import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bot.tracing import environment
from bot.tracing.environment import traces_wanted, why_not_traced
from bot.tracing.exporting import new_tracer
from core.ids import trace_id
from core.ports.tracer import TraceSpan

AT = datetime(2026, 1, 1, tzinfo=UTC)
SPAN = TraceSpan(promotion="PABCDEFGHIJ", name="apply", began=AT, ended=AT)


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, False),
        ({"OTEL_SDK_DISABLED": "True", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, False),
        ({"OTEL_SERVICE_NAME": "x", "OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
    ],
)
def test_traces_are_wanted_where_a_collector_is_named(environ, wanted):
    assert traces_wanted(environ) is wanted


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER=zipkin is not known here: only otlp is"),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL=grpc is not spoken here: only http/protobuf is",
        ),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, ""),
    ],
)
def test_what_cannot_be_sent_is_said_and_the_bot_works_without(environ, why, caplog):
    assert why_not_traced(environ) == why
    if why:
        assert new_tracer("1", environ) is None
        assert f"promotions are not traced: {why}" in caplog.text


def test_without_the_extra_the_log_says_how_to_get_it(monkeypatch):
    def missing(_name):
        raise ModuleNotFoundError

    monkeypatch.setattr(environment, "find_spec", missing)
    assert why_not_traced({}) == "OpenTelemetry is not installed: pip install 'convox-bot[otel]'"


class CollectorServer(HTTPServer):
    """Listens for it, and keeps what came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Collector)
        self.taken: list[tuple] = []


class Collector(BaseHTTPRequestHandler):
    """Takes what is sent to it by OTLP over HTTP."""

    server: CollectorServer

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append(
            (self.path, self.headers["X-Key"], ExportTraceServiceRequest.FromString(body))
        )
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


def test_a_collector_is_sent_the_spans(monkeypatch):
    with CollectorServer() as server:
        answering = threading.Thread(target=server.serve_forever)
        answering.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=abc")
        tracer = new_tracer("1")
        tracer.record(SPAN)
        tracer.stop(30)
        server.shutdown()
        answering.join()
    ((path, key, request),) = server.taken
    assert (path, key) == ("/v1/traces", "abc")
    (span,) = request.resource_spans[0].scope_spans[0].spans
    assert (span.name, span.trace_id.hex()) == ("apply", trace_id("PABCDEFGHIJ"))


def test_one_that_is_away_holds_up_no_end(monkeypatch):
    before = set(threading.enumerate())
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    # It is not worth a second try, so that what goes on behind the end is soon over.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    tracer = new_tracer("1")
    for _ in range(5000):
        tracer.record(SPAN)
    tracer.stop(0.1)
    # What goes on behind it rolls dice between its tries, and so into the draws of other tests of this process.
    for each in set(threading.enumerate()) - before:
        each.join()
