"""`releases diff` as a block of facts."""

from bot.views.release_diff import MOST_LINES, release_diff_text
from core.lifecycle.release_diff import ReleaseDiff
from core.records.bundle import Ref
from core.records.environment import Difference

NOTHING = Difference(added=(), changed=(), removed=())


def diff(**changes: object) -> ReleaseDiff:
    plain: dict[str, object] = {
        "builds": ("B1", "B1"),
        "images": {},
        "environment": NOTHING,
        "manifest": (),
        "changed": {},
    }
    return ReleaseDiff(**{**plain, **changes})  # type: ignore[arg-type]


def test_each_kind_of_change_has_its_row():
    text = release_diff_text(
        diff(
            builds=("B1", "B2"),
            shas=("", "0123abc"),
            images={"web": ("a", "b"), "job": ("", "c")},
            environment=Difference(added=("A",), changed=(), removed=()),
            manifest=("-x", "+y"),
            added=(Ref("Service", "job"),),
            removed=(Ref("Service", "old"),),
            changed={Ref("Deployment", "web"): ("spec.a", "spec.b")},
            pruned=(Ref("Service", "old"),),
        ),
        "R1",
        "R2",
    )
    assert text.splitlines() == [
        "Releases      R1 → R2",
        "Build         B1 → B2",
        "Commit        unknown → 0123abc",
        "Images        web: a → b",
        "              job: none → c",
        "Env           add:A",
        "Manifest      -x",
        "              +y",
        "Objects       + Service/job",
        "              - Service/old",
        "              ~ Deployment/web: spec.a, spec.b",
        "Then removed  Service/old",
    ]


def test_no_difference_is_said_with_what_happens_all_the_same():
    assert release_diff_text(diff(), "R1", "R2").splitlines()[-1] == (
        "Difference  none but its id: every pod is started anew"
    )
    assert "none" not in release_diff_text(diff(manifest=("+y",)), "R1", "R2")
    assert "Build     none → B2" in release_diff_text(diff(builds=(None, "B2")), "R1", "R2")


def test_a_long_manifest_is_cut_and_says_how_much_is_left():
    text = release_diff_text(diff(manifest=tuple("+x" for _ in range(MOST_LINES + 5))), "R1", "R2")
    assert "… 5 more lines" in text
