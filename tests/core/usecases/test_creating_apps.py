"""An app is made even where its namespace cannot be: whoever asked is told what is missing, not that all failed."""

import pytest

from core.errors import Rejected, Unavailable, Unreachable
from tests.core.world import ALICE, World, by


@pytest.mark.parametrize("error", [Unreachable("connection refused"), Rejected("quota says no")])
async def test_an_app_without_a_cluster_is_made_and_the_rest_is_said(w: World, error: Exception):

    async def create_namespace(app: str) -> str | None:
        raise error

    w.cluster.create_namespace = create_namespace
    with pytest.raises(
        Unavailable, match="^other is created, but its namespace could not be made"
    ) as refusal:
        await w.registrar.create_app(by(ALICE), "other")
    assert "convox-bot app-manifest other" in str(refusal.value.hint)
    assert (await w.store.read.app("other")).name == "other"
