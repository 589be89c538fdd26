"""What an adoption makes of the records, and what forbids it: by values alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.actor import BOT
from core.errors import Busy, Conflict
from core.lifecycle.adoption import check_admissible, plan_adoption, settled_release
from core.records.anchor import ADOPTED, Anchor, AuditHead
from core.records.app import App
from core.records.bundle import Ref
from core.records.namespace_state import LiveObject, NamespaceState
from core.records.release import ReleaseEntry
from tests.storage.making import make_promotion

NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)
OURS, THEIRS = "0" * 32, "f" * 32
WEB, WORKER = Ref("Deployment", "web"), Ref("Deployment", "worker")
HEAD = AuditHead(rows=9, hash="e" * 64)


def app(**more):
    return App(**{"name": "myapp", "created_at": NOW, "created_by": BOT, "token": 3, **more})


def state(*objects, token=7, owner=OURS, quiet=86400.0, **more):
    anchor = Anchor(installation=owner, token=token, promotion="PNEWEST", namespace_uid="uid")
    fields = {"anchor": anchor, "refused": "a newer number", "now": NOW, **more}
    written = None if quiet is None else NOW - timedelta(seconds=quiet)
    return NamespaceState(namespace="convox-myapp", uid="uid", objects=objects, written_at=written, **fields)


def runs(release, ref=WEB, token=0):
    return LiveObject(ref=ref, release=release, token=token, images=(("main", "registry.example/web:1"),))


def entry(release, **more):
    return ReleaseEntry(
        id=release, app="myapp", sequence=1, build=None, description="", created_at=NOW, **more
    )


def planned(found, of=None, *, known=(), lost=None):
    return plan_adoption(of or app(), found, OURS, known={each.id: each for each in known}, lost=lost)


@pytest.mark.parametrize(("ours", "anchor", "objects", "token"), [(3, 7, 2, 8), (9, 7, 2, 10), (3, 0, 7, 8)])
def test_the_number_rises_above_every_one_that_was_ever_written_with(ours, anchor, objects, token):
    plan = planned(state(runs("R1", token=objects), token=anchor), app(token=ours))
    assert plan.after.token == token


def test_nothing_is_adopted_where_nothing_keeps_from_writing():
    assert not planned(state(runs("R1", token=3), refused="", token=3)).needed
    assert not planned(state(anchor=None, refused="")).needed


def test_objects_that_are_newer_than_a_missing_anchor_say_is_a_reason():
    (why,) = planned(state(runs("R1", token=5), refused="", anchor=None)).why
    assert "were written with a newer number (5) than this database knows (3)" in why
    assert not planned(state(runs("R1", token=4), refused="", anchor=None)).needed


def test_an_audit_that_the_cluster_remembers_longer_is_a_reason():
    (why,) = planned(state(refused="", token=3), lost=HEAD).why
    assert "the audit had 9 rows" in why


def test_only_another_namespace_is_forgotten():
    assert planned(state(), app(namespace_uid="gone")).after.namespace_uid == "uid"
    assert planned(state(), app(namespace_uid="uid")).after.namespace_uid == "uid"
    assert planned(state()).after.namespace_uid is None


@pytest.mark.parametrize(
    ("objects", "known", "active", "words"),
    [
        ([runs("ROLD")], [entry("ROLD")], "ROLD", "ROLD runs, and is what the records have as active"),
        ([runs("R1")], [entry("R1", verified=True)], "R1", "has seen healthy before, becomes active; the records had ROLD"),
        ([runs("R1")], [entry("R1")], None, "what runs was not rolled out by this database (R1)"),
        ([runs("R1")], [], None, "which asks for approvals as any other; the records had ROLD as active"),
        ([runs("ROLD"), runs("R1", WORKER)], [entry("ROLD", verified=True)], None, "(R1, ROLD)"),
        ([], [], None, "no release runs, so none is active from now on; the records had ROLD as active"),
    ],
    ids=["as believed", "an earlier one", "never verified here", "unknown", "half and half", "nothing"],
)  # fmt: skip
def test_what_runs_is_active_only_where_this_database_has_made_it_so(objects, known, active, words):
    plan = planned(state(*objects), app(active_release="ROLD"), known=known)
    assert plan.after.active_release == active
    assert words in plan.active


def test_a_database_that_believed_nothing_says_no_more():
    assert settled_release(None, state(), {}) == (None, "no release runs, so none is active from now on")


def test_what_runs_and_is_unknown_is_named_with_its_images_and_a_hold_is_said():
    plan = planned(state(runs("R1"), runs("R2", WORKER)), known=[entry("R2", held=True)])
    hold, unknown = plan.notes
    assert hold.startswith("R2 is on hold here, and stays so: `releases info R2 -a myapp`")
    assert unknown == (
        "Deployment/web runs R1, which this database does not know: main=registry.example/web:1"
    )


def test_nobody_adopts_while_something_rolls_out():
    with pytest.raises(Busy) as caught:
        check_admissible(planned(state()), "", make_promotion("R1"))
    assert "`convox-bot adopt myapp`" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("found", "given", "words", "command"),
    [
        (state(owner=THEIRS), "", f"belongs to another installation of convox-bot, {THEIRS}", f"`convox-bot adopt myapp --from {THEIRS}`"),
        (state(owner=THEIRS), OURS, f"does not belong to installation {OURS}, but to {THEIRS}", f"--from {THEIRS}`"),
        (state(anchor=None), THEIRS, f"does not belong to installation {THEIRS}, but to nobody", "`convox-bot adopt myapp`"),
        (state(owner=THEIRS, quiet=599.0), THEIRS, "599 s ago: that of installation", "1 s from now"),
        (state(owner=THEIRS, quiet=3599.0, anchor=Anchor(installation=THEIRS, promotion="PB", settled="PA")), THEIRS, "promotion PB of installation", "1 s from now"),
        (state(owner=THEIRS, quiet=None), THEIRS, "does not tell when something in namespace convox-myapp was changed", f"--from {THEIRS} --stopped`"),
        (replace(state(owner=THEIRS), now=None), THEIRS, "does not tell when", "--stopped`"),
    ],
    ids=["not named", "another named", "nobody's", "writes", "in the middle", "no times", "no time of now"],
)  # fmt: skip
def test_a_foreign_installation_is_named_and_quiet_or_nobody_adopts(found, given, words, command):
    with pytest.raises(Conflict) as caught:
        check_admissible(planned(found), given, None)
    assert words in str(caught.value.sentence)
    assert command in str(caught.value.hint)


@pytest.mark.parametrize(
    ("found", "given"),
    [
        (state(), ""),
        (state(quiet=1.0), ""),
        (state(), THEIRS),
        (state(owner=THEIRS, quiet=600.0), THEIRS),
        (state(owner=THEIRS, quiet=3600.0, anchor=Anchor(installation=THEIRS, promotion="PB", settled="PA")), THEIRS),
        (state(anchor=None), ""),
    ],
    ids=["ours", "ours just now", "taken from it already", "quiet", "given up", "no anchor"],
)  # fmt: skip
def test_what_is_ours_or_quiet_is_adopted(found, given):
    check_admissible(planned(found), given, None)


def test_whoever_vouches_is_believed_where_the_cluster_tells_nothing_and_nowhere_else():
    check_admissible(planned(state(owner=THEIRS, quiet=None)), THEIRS, None, stopped=True)
    with pytest.raises(Conflict, match="still works"):
        check_admissible(planned(state(owner=THEIRS, quiet=1.0)), THEIRS, None, stopped=True)


@pytest.mark.parametrize(
    ("anchor", "under_way"),
    [
        (Anchor(promotion="PB", settled="PA"), True),
        (Anchor(promotion="PB", settled="PB"), False),
        (Anchor(promotion="PB"), False),
        (Anchor(promotion=ADOPTED, settled="PA"), False),
    ],
)
def test_an_anchor_tells_whether_its_promotion_has_ended(anchor, under_way):
    assert anchor.under_way is under_way


def test_how_long_it_was_quiet_is_told_by_one_clock_alone():
    assert state(quiet=30.0).quiet_for == 30.0
    assert state(quiet=-30.0).quiet_for == 0.0
    assert state(quiet=None).quiet_for is None
    assert replace(state(), now=None).quiet_for is None
