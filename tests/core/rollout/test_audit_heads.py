"""After each verdict the cluster remembers how far the audit was, and no verdict waits for that (engine rule 14)."""

import pytest

from core.errors import Rejected, Unreachable
from core.promotion import Phase
from core.records.anchor import AuditHead
from tests.core.world import World


async def kept(w: World) -> AuditHead | None:
    anchor = w.cluster.anchors.get("myapp", {})
    if "audit-head" not in anchor:
        return None
    return AuditHead(rows=int(anchor["audit-rows"]), hash=anchor["audit-head"])


async def test_an_end_is_remembered_with_its_own_row(w: World):
    await w.good()
    first = await kept(w)
    assert first is not None
    assert await w.store.read.audit_has(first)
    await w.good()
    second = await kept(w)
    assert second is not None
    assert second.rows > first.rows
    assert second == await w.store.read.audit_head()


async def test_what_never_touched_the_cluster_writes_nothing_there(w: World):
    def refuse(request: str) -> None:
        if request.startswith("preflight"):
            raise Rejected("no")

    w.cluster.refuse = refuse
    promotion = await w.promote((await w.build()).release.id)
    assert promotion.phase is Phase.REFUSED
    assert w.cluster.anchors == {}


@pytest.mark.parametrize(
    "error", [Unreachable("away"), Rejected("not ours"), RuntimeError("a fault of ours")]
)
async def test_no_verdict_changes_by_it_and_the_next_start_brings_it(w: World, error: Exception):
    w.cluster.head_error = error
    await w.good()
    assert await kept(w) is None

    w.cluster.head_error = None
    await w.supervisor.resume()
    await w.idle()
    assert await kept(w) == await w.store.read.audit_head()

    # Kept once: a start later, with more in the audit, leaves it alone.
    before = await kept(w)
    await w.build()
    await w.supervisor.resume()
    await w.idle()
    assert await kept(w) == before


async def test_a_head_that_the_database_does_not_have_is_kept_and_said_until_somebody_adopts(
    w: World, caplog
):
    """Else the next promotion would wipe out the only proof that the audit was cut back."""
    await w.good()
    before = await kept(w)
    assert before is not None
    lost = AuditHead(rows=before.rows + 100, hash="d" * 64)
    w.cluster.anchors["myapp"] |= {"audit-rows": str(lost.rows), "audit-head": lost.hash}
    await w.good()
    await w.idle()
    assert await kept(w) == lost
    assert f"the cluster keeps row {lost.rows} of the audit that it remembers for myapp" in caplog.text
    assert "`convox-bot adopt myapp`" in caplog.text
