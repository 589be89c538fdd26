"""What `/metrics` says: text that both parsers of Prometheus take, with labels whose number has an end."""

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from bot.api.app_metrics import known_reason
from bot.api.delivery_tracker import DeliveryTracker
from bot.api.metrics import exposition, wants_openmetrics
from core.lifecycle.delivery_stats import DeliveryStats
from core.lifecycle.measuring import REASONS
from core.promotion import SETTLED, Phase
from storage.timing import DatabaseTask, DatabaseTimes
from tests.bot.api.metric_facts import DELIVERED, metric_facts
from tests.core.world import manifest
from tests.fakes import START, broken

OPENMETRICS = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"


def samples(facts):
    """Return (name, *values of its labels) → value."""
    text = exposition(facts)[0].decode()
    return {(each.name, *each.labels.values()): each.value for found in plain(text) for each in found.samples}


def test_prometheus_is_answered_as_openmetrics_where_it_asks_so_and_units_are_told():
    assert wants_openmetrics(OPENMETRICS)
    body, content_type = exposition(metric_facts(), openmetrics=True)
    assert content_type.startswith("application/openmetrics-text")

    families = {family.name: family for family in openmetrics(body.decode())}

    for name, family in families.items():
        assert family.documentation.endswith("."), name
        unit = name.rpartition("_")[2]
        assert family.unit == (unit if unit in {"seconds", "bytes", "ratio"} else ""), name
    text, text_type = exposition(metric_facts())
    assert text_type.startswith("text/plain; version=0.0.4")
    assert {f.name for f in plain(text.decode())} >= families.keys() - {"convox_bot"}


@pytest.mark.parametrize(
    "accept", ["", "*/*", "text/plain;version=9", "application/openmetrics-text;version=x", ";;,"]
)
def test_whatever_is_asked_for_is_answered_with_text_that_parses(accept):
    body, content_type = exposition(metric_facts(), openmetrics=wants_openmetrics(accept))
    parser = openmetrics if "openmetrics" in content_type else plain
    assert list(parser(body.decode()))


def test_a_reason_that_is_not_known_here_is_no_label_of_its_own():
    found = samples(
        metric_facts(endings={(Phase.REVERTED, "of a later version"): 2, (Phase.REVERTED, "unknown"): 1})
    )
    assert found["convox_promotions_settled_total", "Reverted", "unknown"] == 3
    reasons = {key[2] for key in found if key[0] == "convox_promotions_settled_total"}
    assert reasons == {reason for known in REASONS.values() for reason in known} | {"unknown"}
    assert REASONS.keys() == SETTLED
    assert known_reason(Phase.PENDING, "crash") == "unknown"


def test_a_median_of_nothing_is_not_told():
    none = DeliveryStats(
        since=START, until=START, deployments=0, failed=0, lead_seconds=None, restored=0, restore_seconds=None
    )
    found = samples(metric_facts(delivered={"none": none, "myapp": DELIVERED}))
    assert found["convox_app_deployments", "none"] == 0
    assert ("convox_app_lead_time_seconds", "none") not in found
    assert ("convox_app_restore_time_seconds", "none") not in found
    assert found["convox_app_deployments_failed", "myapp"] == 2
    assert found["convox_app_lead_time_seconds", "myapp"] == 7800
    assert found["convox_app_restore_time_seconds", "myapp"] == 72


def test_the_work_of_the_database_is_counted_by_its_kind_however_it_ends():
    moments = iter([1.0, 1.002, 5.0, 9.0])
    times = DatabaseTimes(lambda: next(moments))
    with times.measured(DatabaseTask.READ):
        pass
    with pytest.raises(ZeroDivisionError), times.measured(DatabaseTask.RECORDS):
        raise ZeroDivisionError
    found = samples(metric_facts(database=times.kinds))
    assert found["convox_database_seconds_bucket", "read", "0.001"] == 0
    assert found["convox_database_seconds_bucket", "read", "0.0025"] == 1
    assert found["convox_database_seconds_sum", "records"] == 4
    assert {key[1] for key in found if key[0] == "convox_database_seconds_count"} == set(DatabaseTask)


async def test_which_release_failed_last_stays_though_the_next_one_went_live(api):
    await api.world.good()
    bad = (await api.world.build(text=manifest(digit="1"))).release.id
    api.world.cluster.behaves[bad] = lambda _: broken()
    await api.world.promote(bad)
    good = (await api.world.build(text=manifest(digit="2"))).release.id
    await api.world.promote(good)
    figures = DeliveryTracker(api.store.read)
    assert figures.of_apps == {}, "before the first look nothing is told"

    await figures.look(api.world.clock.now())

    found = samples(
        metric_facts(delivered=figures.of_apps, last=await figures.last(0, api.world.clock.now()))
    )
    assert (found["convox_app_deployments", "myapp"], found["convox_app_deployments_failed", "myapp"]) == (
        3,
        1,
    )
    live, failed = (
        [key[1:] for key in found if key[0] == f"convox_app_last_{kind}_timestamp_seconds"]
        for kind in ("promotion", "failure")
    )
    assert [(app, release, *why) for app, *why, release in _without_id(live)] == [
        ("myapp", good, "Running", "verified")
    ]
    assert _without_id(failed) == [("myapp", "Reverted", "image", bad)]


def _without_id(ends):
    """Return (app, ending, reason, release): labels come in the order of their names."""
    return [(app, ending, reason, release) for app, ending, _, reason, release in ends]
