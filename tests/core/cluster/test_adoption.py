"""Looking at a namespace and taking it over, on the simulated cluster."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.cluster.adoption import NamespaceAdopter, last_written
from core.cluster.anchor import objection
from core.cluster.kinds.config_map import ANCHOR
from core.errors import Rejected, Unreachable
from core.records.anchor import ADOPTED, Anchor, AuditHead
from core.records.bundle import Ref
from core.records.claim import Claim
from tests.core.cluster.live import MANIFEST, WEB, Live, app, claim, live

SERVICE = Ref("Service", "web")
ADOPTING = Claim(installation="two", token=8, promotion=ADOPTED)
RESOURCE = MANIFEST + "resources:\n  main:\n    type: postgres\n"


def adopter(on: Live) -> NamespaceAdopter:
    return NamespaceAdopter(on.cluster._client, rack="convox")


async def data_of(on: Live) -> dict[str, str]:
    found: dict[str, str] = (await on.get(ANCHOR))["data"]
    return found


async def test_a_look_tells_the_anchor_what_runs_and_with_which_numbers():
    async with live() as on:
        await on.cluster.claim_anchor(app(), claim("one", 5))
        bundle = on.bundle("web:7", manifest=RESOURCE)
        await on.apply(bundle, token=5)
        await on.make(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "theirs"},
                "spec": {"ports": [{"port": 80}]},
            }
        )
        state = await adopter(on).look(app(), claim("one", 3), [*bundle.refs, Ref("Service", "theirs"), Ref("Service", "gone")])  # fmt: skip

        assert state.anchor == Anchor(installation="one", token=5, promotion="P5", namespace_uid=state.uid)
        assert "newer number (5)" in state.refused
        assert {each.token for each in state.objects} == {5}
        assert [(each.ref, each.images) for each in state.objects if each.release == bundle.release] == [
            (WEB, (("main", "registry.example/web:7"),))
        ]
        assert SERVICE in {each.ref for each in state.objects}
        assert "theirs" not in {each.ref.name for each in state.objects}
        assert state.quiet_for is not None
        assert state.quiet_for < timedelta(minutes=10).total_seconds()


async def test_a_namespace_without_anything_is_refused_to_nobody():
    async with live() as on:
        state = await adopter(on).look(app(), claim("one", 1), [])
        assert (state.anchor, state.refused, state.objects, state.quiet_for) == (None, "", (), None)
        assert await adopter(on).anchor("myapp") is None
        assert await adopter(on).anchor("nobody") is None


async def test_adopted_it_is_ours_and_the_bot_of_before_is_kept_out():
    async with live() as on:
        await on.cluster.claim_anchor(app(), claim("one", 5))
        state = await adopter(on).look(app(), claim("two", 1), [])
        await adopter(on).adopt(app(), state, ADOPTING)
        assert (await adopter(on).anchor("myapp")) == Anchor(
            installation="two", token=8, promotion=ADOPTED, namespace_uid=state.uid
        )
        with pytest.raises(
            Rejected, match=r"belongs to another installation.*`convox-bot adopt myapp --from two`"
        ):
            await on.cluster.claim_anchor(app(), claim("one", 9))
        await on.cluster.claim_anchor(app(), claim("two", 9))
        assert (await data_of(on))["promotion"] == "P9"


async def test_what_has_changed_since_it_was_shown_is_not_adopted():
    async with live() as on:
        await on.cluster.claim_anchor(app(), claim("one", 5))
        state = await adopter(on).look(app(), claim("two", 1), [])
        await on.cluster.claim_anchor(app(), claim("one", 6))
        with pytest.raises(Rejected, match="has changed since it was looked at"):
            await adopter(on).adopt(app(), state, ADOPTING)
        assert (await data_of(on))["token"] == "6"


async def test_an_anchor_that_is_missing_is_made():
    async with live() as on:
        state = await adopter(on).look(app(), claim("two", 1), [])
        await adopter(on).adopt(app(), state, ADOPTING)
        assert (await data_of(on))["installation"] == "two"
        with pytest.raises(Rejected, match="has changed since it was looked at"):
            await adopter(on).adopt(app(), state, ADOPTING)


async def test_an_anchor_that_was_made_between_the_look_and_the_write_is_no_ones_to_take(monkeypatch):
    async with live() as on:
        mine = adopter(on)
        state = await mine.look(app(), claim("two", 1), [])

        async def lost(*_: object) -> None:
            return None

        monkeypatch.setattr(mine._anchors, "_write", lost)
        with pytest.raises(Rejected, match="has changed since it was looked at"):
            await mine.adopt(app(), state, ADOPTING)


async def test_between_an_adoption_and_a_promotion_single_objects_are_left_alone():
    """What touched the cluster last, in the records, is older than what runs: a scale in its name would be a guess."""
    async with live() as on:
        state = await adopter(on).look(app(), claim("two", 1), [])
        await adopter(on).adopt(app(), state, ADOPTING)
        with pytest.raises(Rejected, match="was adopted, and nothing was promoted there since"):
            await on.cluster.check_anchor(app(), claim("two", 3, touched=True))
        with pytest.raises(Rejected, match="newer number"):
            await on.cluster.check_anchor(app(), claim("two", 3))


async def test_the_head_of_the_audit_is_kept_once_by_whose_it_is():
    async with live() as on:
        head = AuditHead(rows=12, hash="a" * 64)
        await adopter(on).keep_head(app(), claim("one", 1), head)
        assert await adopter(on).anchor("myapp") is None, "the next claim makes it"
        assert await on.cluster.audit_head("myapp", claim("one", 1)) is None
        await on.cluster.claim_anchor(app(), claim("one", 1))
        await adopter(on).keep_head(app(), claim("one", 1), head)
        version = (await on.get(ANCHOR))["metadata"]["resourceVersion"]
        await adopter(on).keep_head(app(), claim("one", 1), head)
        found = await adopter(on).anchor("myapp")
        assert found is not None
        assert (found.head, found.settled, found.token) == (head, "P1", 1)
        assert await on.cluster.audit_head("myapp", claim("one", 2)) == head
        assert await on.cluster.audit_head("myapp", claim("two", 2)) is None, "that is another audit"
        assert (await on.get(ANCHOR))["metadata"]["resourceVersion"] == version
        with pytest.raises(Rejected, match="another installation"):
            await adopter(on).keep_head(app(), claim("two", 1), head)


async def test_a_head_that_loses_every_race_is_unreachable_not_a_loop(monkeypatch):
    async with live() as on:
        await on.cluster.claim_anchor(app(), claim("one", 1))
        mine = adopter(on)

        async def lost(*_: object) -> None:
            return None

        monkeypatch.setattr(mine._anchors, "_write", lost)
        with pytest.raises(Unreachable, match="changes faster than it can be claimed"):
            await mine.keep_head(app(), claim("one", 1), AuditHead(rows=1, hash="a" * 64))


async def test_what_people_have_written_into_an_anchor_is_taken_for_missing():
    async with live() as on:
        body = {"token": "9" * 30, "audit-rows": "many", "audit-head": "x", "promotion": "P1"}
        await on.make(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": ANCHOR.name}, "data": body}
        )
        assert await adopter(on).anchor("myapp") == Anchor(promotion="P1")
        await on.cluster.check_anchor(app(), claim("one", 1))


def test_only_what_bots_have_written_tells_when_one_was_there():
    def written(manager: str, at: str) -> dict[str, object]:
        return {"metadata": {"managedFields": [{"manager": manager, "time": at}, {"manager": "convox-bot"}]}}

    early, late = "2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z"
    found = last_written([written("convox-bot-scale", early), written("kubectl", late), {"metadata": {}}])
    assert found is not None
    assert found.isoformat() == "2027-01-01T00:00:00+00:00"


def test_a_namespace_that_was_made_anew_by_another_installation_is_adopted_from_it():
    before = replace(app(), namespace_uid="before")
    asking = Claim(installation="ours", token=2, promotion="P")
    for owner, command in (
        ("theirs", "convox-bot adopt myapp --from theirs"),
        ("ours", "convox-bot adopt myapp"),
    ):
        said = objection("convox-myapp", {"installation": owner, "token": "1"}, "now", before, asking)
        assert said.endswith(f"if that is meant: `{command}`"), (
            "without the owner, adopting would be refused in its turn"
        )
