"""One trace a promotion: what it holds, that it survives a restart, and that no rollout is the worse for it."""

import json
import logging
import subprocess
import sys
from datetime import timedelta

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from bot.logs import log_formatter
from bot.tracing.settled import OVERLAP, SettledTracer
from bot.tracing.spans import OpenTelemetryTracer
from core.ids import trace_id
from core.log_context import log_about
from core.promotion import Phase
from tests.core.world import BOB, ONE_APPROVAL, by, manifest, until, world
from tests.fakes import FakeCluster, JumpingClock, broken

SECRET = "hunter2-hunter2"


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter):
    return OpenTelemetryTracer(SimpleSpanProcessor(exporter), "1")


async def told(w, tracer):
    """Look for promotions that have ended, as a process that has just begun."""
    settled = SettledTracer(w.store.read, tracer)
    await settled.look(w.clock.now())
    return settled


def shape(spans):
    """Return name → span, of which there is one each."""
    found = {span.name: span for span in spans}
    assert len(found) == len(spans), [span.name for span in spans]
    return found


async def test_a_promotion_is_one_trace_from_its_request_to_its_verdict(tmp_path, exporter, tracer):
    async with world(tmp_path, policy=ONE_APPROVAL, tracer=tracer) as w:
        await w.registrar.set_environment(by(BOB), "myapp", [("PASSWORD", SECRET)])
        made = await w.build()
        asked = (await w.ask(made.release.id)).promotion
        w.clock.jump(90)
        await w.decider.approve(by(BOB), asked.id)
        ended = await w.end(asked.id)
        await told(w, tracer)

    found = shape(exporter.get_finished_spans())
    assert set(found) == {
        *("promote myapp", "request", "approval wait", "apply", "watch web", "verdict"),
    }
    root = found.pop("promote myapp")
    assert ended.phase is Phase.RUNNING
    assert root.parent is None
    assert {format(span.context.trace_id, "032x") for span in (root, *found.values())} == {trace_id(asked.id)}
    assert {span.parent.span_id for span in found.values()} == {root.context.span_id}
    assert root.attributes["convox.ending"] == "Running"
    assert root.attributes["convox.release"] == made.release.id
    assert root.resource.attributes["service.name"] == "convox-bot"
    waited = found["approval wait"]
    assert waited.end_time - waited.start_time == 90 * 10**9
    assert dict(found["apply"].attributes) == {
        "convox.wave": 1,
        "convox.objects": 4,
        "convox.promotion": asked.id,
    }
    order = ("request", "approval wait", "apply", "watch web", "verdict")
    assert [found[name].start_time for name in order] == sorted(found[name].start_time for name in order)
    assert all(
        root.start_time <= span.start_time <= span.end_time <= root.end_time for span in found.values()
    )
    assert {span.status.status_code for span in (root, *found.values())} == {StatusCode.UNSET}
    assert SECRET not in "".join(span.to_json() for span in exporter.get_finished_spans())


async def test_one_that_fails_says_where_and_why_and_how_it_went_back(tmp_path, exporter, tracer):
    async with world(tmp_path, tracer=tracer) as w:
        good = await w.good()
        exporter.clear()
        bad = (await w.build(text=manifest(digit="1"))).release.id
        w.cluster.behaves[bad] = lambda _: broken()
        ended = await w.promote(bad)
        settled = await told(w, tracer)
        spans = [s for s in exporter.get_finished_spans() if s.attributes["convox.promotion"] == ended.id]
        exporter.clear()
        await settled.look(w.clock.now())

    assert exporter.get_finished_spans() == (), "each is told once"
    errors = {(s.name, s.attributes.get("convox.stage")): s.status.description for s in spans}
    assert errors == {
        ("promote myapp", None): "image",
        ("request", None): None,
        ("apply", None): None,
        ("watch web", "forward"): "not complete",
        ("verdict", None): "image",
        ("rollback", None): None,
        ("watch web", "back"): None,
    }
    (rollback,) = [s for s in spans if s.name == "rollback"]
    assert rollback.attributes["convox.to"] == good


async def test_a_restart_in_the_middle_goes_on_with_the_same_trace(tmp_path, exporter, tracer):
    cluster = FakeCluster(JumpingClock())
    async with world(tmp_path, at=cluster, tracer=tracer) as w:
        asked = (await w.ask((await w.build()).release.id)).promotion
        await until(w, asked.id, Phase.UPDATING)
    assert [span.name for span in exporter.get_finished_spans()] == ["apply"]

    second = OpenTelemetryTracer(SimpleSpanProcessor(exporter), "1")
    async with world(tmp_path, at=cluster, tracer=second) as w:
        await w.supervisor.resume()
        assert (await w.end(asked.id)).phase is Phase.RUNNING
        await told(w, second)

    found = shape(exporter.get_finished_spans())
    assert set(found) == {"promote myapp", "request", "apply", "watch web", "verdict"}
    assert {format(span.context.trace_id, "032x") for span in found.values()} == {trace_id(asked.id)}


async def test_what_a_killed_process_may_have_kept_to_itself_is_told_again_under_the_same_ids(
    tmp_path, exporter, tracer
):
    async with world(tmp_path, tracer=tracer) as w:
        await w.good()
        w.clock.jump(OVERLAP.total_seconds() + 60)
        newest = await w.promote((await w.build(text=manifest(digit="1"))).release.id)
        exporter.clear()
        for _ in range(2):
            w.clock.jump(timedelta(days=3).total_seconds())
            await told(w, tracer)

    twice = [(span.name, span.context.span_id) for span in exporter.get_finished_spans()]
    assert {span.attributes["convox.promotion"] for span in exporter.get_finished_spans()} == {newest.id}
    assert twice[: len(twice) // 2] == twice[len(twice) // 2 :]


async def test_one_that_nobody_approved_has_a_trace_too(tmp_path, exporter, tracer):
    async with world(tmp_path, policy=ONE_APPROVAL, tracer=tracer) as w:
        assert await told(w, tracer) is not None, "nothing has ended yet"
        asked = (await w.ask((await w.build()).release.id)).promotion
        await w.decider.decline(by(BOB), asked.id)
        await told(w, tracer)

    found = shape(exporter.get_finished_spans())
    assert set(found) == {"promote myapp", "request", "approval wait"}
    assert found["promote myapp"].attributes["convox.ending"] == "Declined"
    assert found["approval wait"].attributes["convox.approvals.given"] == 0


class BrokenExporter(SpanExporter):
    """A collector that is away, at its worst."""

    def export(self, spans):
        raise OSError("no route to host")


async def test_no_rollout_is_the_worse_for_a_tracer_that_breaks(tmp_path, caplog):
    tracer = OpenTelemetryTracer(SimpleSpanProcessor(BrokenExporter()), "1")
    tracer._tracer = None
    with caplog.at_level(logging.ERROR):
        async with world(tmp_path, tracer=tracer) as w:
            await w.good()
    assert "is not traced" in caplog.text


async def test_what_is_not_sampled_is_not_sent(tmp_path, exporter, monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "rack-staging")
    tracer = OpenTelemetryTracer(SimpleSpanProcessor(exporter), "1")
    assert tracer._provider.resource.attributes["service.name"] == "rack-staging"
    async with world(tmp_path, tracer=tracer) as w:
        await w.good()
        await told(w, tracer)
    assert exporter.get_finished_spans() == ()


async def test_json_logs_name_the_trace_where_there_are_traces():
    record = logging.LogRecord("convox", logging.INFO, __file__, 1, "x", (), None)
    assert "trace_id" not in json.loads(log_formatter("json", traces=True).format(record))
    log_about(promotion="PABCDEFGHIJ")
    assert json.loads(log_formatter("json", traces=True).format(record))["trace_id"] == trace_id(
        "PABCDEFGHIJ"
    )
    assert "trace_id" not in json.loads(log_formatter("json").format(record))


def test_nothing_of_opentelemetry_is_imported_unless_it_is_asked_for():
    script = (
        "import sys, bot.main; from bot.tracing.exporting import new_tracer; assert new_tracer('1', {}) is None;"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
