"""What an autoscaler says of itself, as a sentence."""

import pytest

from core.cluster.remarks import scaling_remark

MESSAGE = "the HPA was unable to compute the replica count: no metrics returned from resource metrics API"


def scaler(**active: str):
    return {"metadata": {"name": "web"}, "status": {"conditions": [{"type": "ScalingActive", **active}]}}


@pytest.mark.parametrize(
    ("live", "measured", "said"),
    [
        ({"metadata": {"name": "web"}}, True, ""),
        (scaler(status="True", reason="ValidMetricFound"), True, ""),
        (
            scaler(status="False", reason="FailedGetResourceMetric", message=MESSAGE),
            True,
            f"web is not scaled by its load: {MESSAGE}",
        ),
        (scaler(status="False", reason="Odd"), True, "web is not scaled by its load: Odd"),
        (scaler(status="False", reason="ScalingDisabled", message="the count is zero"), True, ""),
    ],
)
def test_what_is_said_where_the_load_is_measured(live, measured: bool, said: str):
    assert scaling_remark("web", live, measured=measured) == said


def test_a_cluster_that_measures_nothing_is_named_at_once():
    assert "metrics-server does that" in scaling_remark("web", {"metadata": {}}, measured=False)
