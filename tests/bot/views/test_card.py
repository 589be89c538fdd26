"""The card in every state: word first, complete in `text`, buttons that are legal, nothing that Slack refuses."""

import json
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.playground.slack.limits import problems
from bot.views.buttons import ButtonContext, gone, shown
from bot.views.pings import known
from bot.views.states import state, symbol
from core.actor import Actor
from core.lifecycle.outlook import Outlook
from core.lifecycle.release_diff import ReleaseDiff
from core.policy.authorization import ApprovalRule, Rules
from core.promotion import GOING_BACK, Phase, Promotion
from core.records.binding import Binding
from core.records.bundle import Ref
from core.records.countdown import Countdown
from core.records.environment import Difference
from core.records.progress import Completion, Progress, Settling
from core.records.waits_for import WaitsFor
from core.sentence import Sentence
from tests.bot.views.samples import ANA, APP, BO, BUILD, NEW, NOW, OLD, WAITING, YES, card_of, golden, listed

STARTED = replace(WAITING, started_at=NOW - timedelta(minutes=2), touched_at=NOW - timedelta(minutes=2))
GOING = replace(STARTED, progress=Progress(watched=95, moved=20, services={"web": (1, 2), "worker": (1, 1)}))
ENDED = replace(GOING, settled_at=NOW + timedelta(seconds=14))


SOURCE = "https://github.com/shop/web"
OLD_BUILD = replace(BUILD, id="BAAAAAAAAAA", git_sha="0" * 40, repository=SOURCE)
NEW_BUILD = replace(BUILD, git_sha="1" * 40, repository=SOURCE)


def scheduled(waits_for):
    return replace(WAITING, phase=Phase.SCHEDULED, approvals_needed=0, expires_at=None, waits_for=waits_for)


CAUSE = "container main of web-745f845dc-rzl2q exits 1 (CrashLoopBackOff ×4)"

STATES = {
    "waiting": ("Waiting for approval 1/2", WAITING),
    "cautious": (
        "Waiting for approval 1/2",
        replace(
            WAITING, cautions=("db is down from when the rest is verified until its new process is ready",)
        ),
    ),
    "scheduled": ("Scheduled", scheduled(WaitsFor(what="time", at=NOW + timedelta(hours=2)))),
    "queued": ("Queued", scheduled(WaitsFor(what="free"))),
    "frozen": (
        "Waiting for the freeze to end",
        scheduled(WaitsFor(what="window", at=NOW + timedelta(days=2))),
    ),
    "starting": ("Starting", replace(STARTED, phase=Phase.PENDING, touched_at=None)),
    "rolling": (
        "Rolling out",
        replace(
            GOING,
            phase=Phase.UPDATING,
            progress=replace(GOING.progress, waiting="web: 1 of 2 new pods are ready"),
        ),
    ),
    "watching": (
        "Watching",
        replace(
            GOING,
            phase=Phase.UPDATING,
            progress=replace(GOING.progress, services={"web": (2, 2), "worker": (1, 1)}).awaiting(
                "web is complete, watching for 20 s",
                Settling(service="web", seconds=20.0, until=NOW + timedelta(seconds=18)),
            ),
        ),
    ),
    "watching-less": (
        "Watching",
        replace(
            GOING,
            phase=Phase.UPDATING,
            progress=replace(
                GOING.progress,
                complete={"web": Completion(at=60, pods=2), "worker": Completion(at=61, pods=1)},
                waiting="web: 1 of 2 new pods are ready",
            ),
        ),
    ),
    "live": ("Live", replace(ENDED, phase=Phase.RUNNING)),
    "clearing": (
        "Live",
        replace(
            ENDED,
            phase=Phase.RUNNING,
            progress=Progress(clearing="no longer part of the app, removed: Deployment/worker"),
        ),
    ),
    "remarked": (
        "Live",
        replace(
            ENDED,
            phase=Phase.RUNNING,
            cautions=("db is down from when the rest is verified until its new process is ready",),
            progress=Progress(remarks=("web is not scaled by its load: no metrics",)),
        ),
    ),
    "vacuous": (
        "Live, not verified: nothing ran",
        replace(
            ENDED,
            phase=Phase.RUNNING,
            nothing_ran=True,
            progress=Progress(services={"web": (0, 0), "worker": (0, 0)}),
        ),
    ),
    "partly-idle": (
        "Live",
        replace(ENDED, phase=Phase.RUNNING, progress=Progress(services={"web": (2, 2), "worker": (0, 0)})),
    ),
    "proved-later": (
        "Live",
        replace(
            ENDED,
            phase=Phase.RUNNING,
            nothing_ran=True,
            progress=Progress(
                services={"web": (2, 2)},
                proved=True,
                first_pods="its first pods have started and stood: it is verified",
            ),
        ),
    ),
    "failed-later": (
        "Live, not verified",
        replace(
            ENDED,
            phase=Phase.RUNNING,
            nothing_ran=True,
            progress=Progress(
                services={"web": (0, 2)},
                first_pods=f"its first pods failed: {CAUSE}; nothing was undone, for a person has started them",
            ),
        ),
    ),
    "countdown": (
        "Failed, about to roll back",
        replace(
            GOING,
            phase=Phase.COUNTDOWN,
            cause=Sentence.of(CAUSE),
            countdown=Countdown(until=155, at=NOW + timedelta(minutes=1)),
        ),
    ),
    "stopped": (
        "Stopped, needs a person",
        replace(ENDED, phase=Phase.STOPPED, stopped_by=BO, cause=Sentence.of(CAUSE)),
    ),
    "error": ("Rolling back", replace(GOING, phase=Phase.ERROR, cause=Sentence.of(CAUSE))),
    "deadline": (
        "Rolling back",
        replace(GOING, phase=Phase.DEADLINE, cause=Sentence.of("no progress for 600 s")),
    ),
    "cancelling": ("Rolling back", replace(GOING, phase=Phase.CANCELLED, cancelled_by=BO)),
    "rollback": ("Rolling back", replace(GOING, phase=Phase.ROLLBACK, cause=Sentence.of(CAUSE))),
    "removing": (
        "Removing",
        replace(GOING, phase=Phase.ROLLBACK, back_to=None, removed=True, cause=Sentence.of(CAUSE)),
    ),
    "stopping": ("Stopping", replace(GOING, phase=Phase.ERROR, kind="rollback", cause=Sentence.of(CAUSE))),
    "reverted": ("Rolled back", replace(ENDED, phase=Phase.REVERTED, cause=Sentence.of(CAUSE))),
    "removed": (
        "Removed",
        replace(ENDED, phase=Phase.REVERTED, back_to=None, removed=True, cause=Sentence.of(CAUSE)),
    ),
    "cancelled": ("Cancelled, rolled back", replace(ENDED, phase=Phase.REVERTED, cancelled_by=BO)),
    "failure": ("Needs a person", replace(ENDED, phase=Phase.FAILURE, cause=Sentence.of(CAUSE))),
    "failed-rollback": (
        "Needs a person",
        replace(ENDED, phase=Phase.FAILURE, kind="rollback", cause=Sentence.of(CAUSE)),
    ),
    "restarting": (
        "Rolling out",
        replace(GOING, phase=Phase.UPDATING, release="RABCDEFGHIJ", back_to="RABCDEFGHIJ", restarts=("web",)),
    ),
    "restarted": (
        "Live",
        replace(ENDED, phase=Phase.RUNNING, back_to="RABCDEFGHIJ", restarts=("web", "worker")),
    ),
    "restart-going-back": (
        "Rolling back",
        replace(GOING, phase=Phase.ERROR, back_to="RABCDEFGHIJ", restarts=("web",), cause=Sentence.of(CAUSE)),
    ),
    "restart-reverted": (
        "Rolled back",
        replace(
            ENDED, phase=Phase.REVERTED, back_to="RABCDEFGHIJ", restarts=("web",), cause=Sentence.of(CAUSE)
        ),
    ),
    "restart-refused": (
        "Refused",
        replace(
            WAITING,
            phase=Phase.REFUSED,
            back_to="RABCDEFGHIJ",
            restarts=("web", "worker"),
            reason=Sentence.of("a Deployment is paused"),
            settled_at=NOW,
        ),
    ),
    "refused": (
        "Refused",
        replace(
            WAITING, phase=Phase.REFUSED, reason=Sentence.of("the policy of web changed"), settled_at=NOW
        ),
    ),
    "untouched": ("Cancelled", replace(WAITING, phase=Phase.REFUSED, cancelled_by=BO, settled_at=NOW)),
    "superseded": (
        "Superseded",
        replace(
            WAITING, phase=Phase.SUPERSEDED, superseded_by="RNEWERONEXX", taken_over_by=BO, settled_at=NOW
        ),
    ),
    "by-hand": (
        "Superseded",
        replace(ENDED, phase=Phase.SUPERSEDED, cause=Sentence.of("kubectl-set changed the image of web")),
    ),
    "along": (
        "Waiting for approval 1/2",
        replace(
            WAITING,
            along=(
                Sentence.of("also: build BABCDEFGHIJ by ", BO, ", never promoted"),
                *(
                    Sentence.of(f"also: env add:K{n} of R{n:010} by ", ANA, ", never promoted")
                    for n in range(6)
                ),
            ),
        ),
    ),
    "overwriting": ("Waiting for approval 1/2", replace(WAITING, overwrite=True)),
    "blameless": (
        "Rolled back",
        replace(ENDED, phase=Phase.REVERTED, blameless=True, cause=Sentence.of("somebody deleted web")),
    ),
    "declined": (
        "Declined",
        replace(
            WAITING,
            phase=Phase.DECLINED,
            declined_by=BO,
            reason=Sentence.of("not on a Friday"),
            settled_at=NOW,
        ),
    ),
    "expired": ("Expired", replace(WAITING, phase=Phase.EXPIRED, settled_at=NOW)),
}


FAILED = {
    "error",
    "deadline",
    "rollback",
    "removing",
    "stopping",
    "reverted",
    "removed",
    "failure",
    "failed-rollback",
}
LOG_ROW = "KeyError: 'STRIPE_KEY' in <module> *not bold*"


def shown_in(name: str, *, plans: bool = False) -> dict:
    """The card in this state, with what the records know then; `plans`: in a workspace that takes them."""
    promotion = STATES[name][1]
    live = replace(APP, active_release=promotion.release) if promotion.phase is Phase.RUNNING else APP
    return card_of(promotion, app=live, last_log=LOG_ROW if name in FAILED else "", plans=plans)


OBJECTS = ReleaseDiff(
    builds=("BAAAAAAAAAA", "BABCDEFGHIJ"), images={}, environment=Difference((), (), ()), manifest=(),
    added=(Ref("Ingress", "web"),), removed=(Ref("Deployment", "old"),),
    changed={Ref("Deployment", name): ("spec",) for name in ("web", "worker", "mailer")},
)  # fmt: skip
BINDING = Binding(
    bundle="00", active="RAAAAAAAAAA", namespace=None,
    prune=tuple(Ref("Deployment", f"old-{n}") for n in range(6)),
)  # fmt: skip
TRIED = replace(ENDED, id="PEARLIEROXX", phase=Phase.REVERTED, cause=Sentence.of(CAUSE))
WENT_WELL = replace(TRIED, release="RAAAAAAAAAA", phase=Phase.RUNNING, cause=Sentence.of(""))
SEEN = Outlook(
    objects=OBJECTS, opened=("https://web.example.com",), closed=("https://www.example.com",), earlier=TRIED
)
KNOWN: dict[str, Any] = {
    "old_build": replace(
        OLD_BUILD, images={"web": "registry.host/web:0", "worker": "registry.host/worker:0"}
    ),
    "build": NEW_BUILD,
    "outlook": SEEN,
}
# What an approver is told beside the promotion itself.
APPROVALS: dict[str, tuple[Promotion, dict[str, Any]]] = {
    "approver-knows": (replace(WAITING, binding=BINDING), KNOWN),
    "approver-first": (replace(WAITING, back_to=None), {"previous": None, "outlook": Outlook(opened=SEEN.opened)}),
    "approver-glass": (
        replace(
            WAITING, phase=Phase.PENDING, approvals_needed=0, expires_at=None, break_glass="checkout is down",
            through=(
                Sentence.of("web is frozen until Mon 08:00 (Europe/Berlin), by ", BO, ": “launch”"),
                Sentence.of("2 approvals are missing"),
            ),
        ),
        {"approvals": []},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", APPROVALS)
def test_what_an_approver_needs_is_on_the_reviewed_card(name):
    promotion, given = APPROVALS[name]
    payload = card_of(promotion, plans=True, **given)

    golden(f"card-{name}.txt", payload["text"])
    golden(f"card-{name}.json", json.dumps(payload["blocks"], indent=1, ensure_ascii=False))
    for method in ("chat.postMessage", "chat.update"):
        assert problems(payload, method=method) == []
    for line in words_of(payload["blocks"][1:]):
        assert line.strip("*").lower() in payload["text"].lower().replace("&lt;", "<").replace("&gt;", ">")


def test_what_is_to_come_is_told_in_a_line_each():
    text = card_of(replace(WAITING, binding=BINDING), **KNOWN)["text"]

    assert "images: web 0 → 1, worker 0 → aaaaaaa\n" in text
    assert "objects: 3 changed, 1 new (Diff names them)\n" in text
    assert (
        "then removed: Deployment/old-0, Deployment/old-1, Deployment/old-2, Deployment/old-3 and 2 more\n"
        in text
    )
    assert "opens to the outside: https://web.example.com\n" in text
    assert "no longer reached: https://www.example.com\n" in text
    assert "*tried before*: `RABCDEFGHIJ` was rolled back <!date^" in text
    assert f"after 2 min 14 s: {CAUSE}\n" in text
    question = buttons_of(WAITING, **KNOWN)[0]["confirm"]["text"]["text"]
    assert "build BABCDEFGHIJ, 2 images changed, 3 variables changed" in question


@pytest.mark.parametrize(
    ("earlier", "said"),
    [
        (WENT_WELL, "last rollout: `RAAAAAAAAAA` went live <!date"),
        (replace(WENT_WELL, release="RABCDEFGHIJ"), "last rollout: `RABCDEFGHIJ` went live <!date"),
        (replace(TRIED, release="RAAAAAAAAAA"), "last rollout: `RAAAAAAAAAA` was rolled back <!date"),
        (replace(TRIED, removed=True), "*tried before*: `RABCDEFGHIJ` was removed <!date"),
        (replace(TRIED, back_to=None), "*tried before*: `RABCDEFGHIJ` was removed <!date"),
        (replace(TRIED, phase=Phase.STOPPED), "`RABCDEFGHIJ` was stopped by hand <!date"),
        (replace(TRIED, phase=Phase.FAILURE), "`RABCDEFGHIJ` failed and was not rolled back <!date"),
        (replace(TRIED, phase=Phase.FAILURE, settled_at=None), f"failed and was not rolled back: {CAUSE}\n"),
    ],
)
def test_how_it_went_last_time_is_told(earlier, said):
    assert said in card_of(WAITING, outlook=Outlook(earlier=earlier))["text"]


def test_what_is_to_come_is_no_news_once_it_has_begun_and_of_a_restart_never():
    plain = card_of(WAITING)["text"]
    nothing = replace(OBJECTS, added=(), changed={})

    assert card_of(WAITING, outlook=Outlook(objects=nothing))["text"] == plain
    for other in (replace(STARTED, phase=Phase.PENDING), replace(WAITING, restarts=("web",))):
        assert card_of(other, outlook=SEEN) == card_of(other)


def test_a_rollback_says_what_it_goes_back_to():
    text = card_of(replace(WAITING, kind="rollback"), source=listed(OLD))["text"]
    assert "`RAAAAAAAAAA` is “build 0000000000 first”" in text
    assert "is “" not in card_of(WAITING)["text"]


@pytest.mark.parametrize("name", STATES)
def test_the_card_in_this_state_is_the_reviewed_one(name):
    payload = shown_in(name, plans=True)

    golden(f"card-{name}.txt", payload["text"])
    golden(f"card-{name}.json", json.dumps(payload["blocks"], indent=1, ensure_ascii=False))


@pytest.mark.parametrize("name", STATES)
def test_the_state_stands_first_as_a_symbol_and_in_words(name):
    word, promotion = STATES[name]

    assert state(promotion, [YES]) == word
    assert card_of(promotion)["text"].startswith(f"{symbol(promotion)} {word} · web · RABCDEFGHIJ\n")
    first = card_of(promotion)["blocks"][0]["text"]["text"]
    assert first == f"{symbol(promotion)} *{word}* · web · `RABCDEFGHIJ`"


def test_each_phase_has_the_symbol_of_its_kind():
    symbols = {phase.value: symbol(replace(WAITING, phase=phase)) for phase in Phase}

    assert {phase for phase, shown in symbols.items() if shown == "⏳"} == {"AwaitingApproval", "Scheduled"}
    moving = {"Pending", "Updating", "Error", "Deadline", "Cancelled", "Rollback"}
    assert {phase for phase, shown in symbols.items() if shown == "🔄"} == moving
    assert {phase for phase, shown in symbols.items() if shown == "✅"} == {"Running"}
    assert {phase for phase, shown in symbols.items() if shown == "↩️"} == {"Reverted"}
    assert {phase for phase, shown in symbols.items() if shown == "🛑"} == {"Failure", "Countdown", "Stopped"}
    over = {"Refused", "Superseded", "Declined", "Expired"}
    assert {phase for phase, shown in symbols.items() if shown == "⚪"} == over


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("plans", [True, False])
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
def test_slack_takes_the_card_in_this_state(name, method, plans):
    assert problems(shown_in(name, plans=plans), method=method) == []


def words_of(part) -> list[str]:
    """Every text that somebody sees, a line each, in its order."""
    if isinstance(part, list):
        return [line for each in part for line in words_of(each)]
    if isinstance(part, dict) and "user_id" in part:
        return [f"<@{part['user_id']}>"]
    if isinstance(part, dict):
        shown = [each for key, each in part.items() if key in {"text", "fields", "elements", "blocks"}]
        return [line for each in shown for line in words_of(each)]
    return str(part).split("\n")


@pytest.mark.parametrize("name", STATES)
def test_the_text_alone_tells_everything_that_the_blocks_tell(name):
    payload = shown_in(name)
    spoken = payload["text"].lower().replace("&lt;", "<").replace("&gt;", ">").replace("∗", "*")
    shown = [line.strip("*") for line in words_of(payload["blocks"][1:])]

    assert [line for line in shown if line.lower() not in spoken] == []


@pytest.mark.parametrize("name", sorted(FAILED))
def test_a_failed_card_shows_its_cause_in_bold_and_the_row_of_the_log_that_proves_it(name):
    payload = shown_in(name)
    (failure,) = [block for block in payload["blocks"] if block["type"] == "rich_text"]
    cause, log = failure["elements"]

    assert cause["elements"] == [
        {"type": "text", "text": str(STATES[name][1].cause), "style": {"bold": True}}
    ]
    assert log["type"] == "rich_text_preformatted"
    assert log["elements"] == [{"type": "text", "text": LOG_ROW}]
    assert payload["text"].split("\n")[1].startswith("cause: ")
    assert payload["text"].split("\n")[2].startswith("last log line: KeyError")


def test_the_two_columns_hold_who_asked_what_is_new_how_far_it_is_and_when():
    def columns(payload) -> list[str]:
        (fields,) = [block["fields"] for block in payload["blocks"] if "fields" in block]
        return [field["text"].split("\n")[0] for field in fields]

    assert columns(shown_in("waiting")) == ["*Asked for by*", "*Build*", "*Expires*"]
    assert columns(shown_in("rolling")) == ["*Asked for by*", "*Build*", "*Services ready*", "*Started*"]
    assert columns(shown_in("live")) == ["*Asked for by*", "*Build*", "*Services ready*", "*Ended*"]
    assert columns(shown_in("failed-rollback"))[0] == "*Rollback asked for by*"
    assert columns(shown_in("restarting"))[0] == "*Restart of web asked for by*"
    assert "build `BAAAAAAAAAA` → `BABCDEFGHIJ`" in shown_in("live")["text"]
    unbuilt = card_of(WAITING, release=replace(NEW, build=None), build=None)
    assert columns(unbuilt) == ["*Asked for by*", "*Release*", "*Expires*"]


def test_a_window_ends_at_a_time_of_day_and_a_pod_that_is_lost_in_it_brings_no_earlier_word_back():
    watching = shown_in("watching")["text"]
    end = int((NOW + timedelta(seconds=18)).timestamp())

    assert f"`web` is complete, watching until <!date^{end}^{{time_secs}}|14:05:18 UTC>" in watching
    assert "20 s" not in watching
    assert "web: 1 of 2 new pods are ready" in shown_in("watching-less")["text"]
    idle = replace(STATES["rolling"][1], progress=Progress(services={"web": (0, 0)}))
    assert state(idle, []) == "Rolling out"


def test_a_card_that_would_be_too_long_says_how_much_is_left_out():
    """What stands on it grows with the app; Slack refuses the whole message for one character too many."""
    many = replace(
        WAITING,
        cautions=tuple(f"service{n} is down while {'x' * 200}" for n in range(40)),
        along=tuple(Sentence.of("also: ", BO, " " + "y" * 280) for _ in range(9)),
    )
    payload = card_of(many, notes=["z" * 300] * 20)

    assert problems(payload, method="chat.update") == []
    assert len(payload["text"]) <= 4000
    assert " more lines\nButtons: Approve, Decline, Remind, Diff, Cancel." in payload["text"]
    assert "or type: `/convox approve PABCDEFGHIJ`" in payload["text"]


def test_every_phase_has_a_reviewed_card():
    assert {promotion.phase for _, promotion in STATES.values()} == set(Phase)


def actions_in(payload) -> list[dict]:
    return [e for b in payload["blocks"] if b["type"] == "actions" for e in b["elements"]]


def buttons_of(promotion, **given) -> list[dict]:
    return actions_in(card_of(promotion, **given))


@pytest.mark.parametrize(
    ("name", "actions"),
    [
        ("waiting", ["approve", "decline", "remind", "diff", "cancel"]),
        ("scheduled", ["diff", "cancel"]),
        ("starting", ["cancel"]),
        ("rolling", ["cancel"]),
        ("watching", ["cancel"]),
        ("error", []),
        ("deadline", []),
        ("cancelling", []),
        ("rollback", []),
        ("live", ["rollback"]),
        ("vacuous", ["rollback"]),
        ("restarted", []),
        ("reverted", ["logs", "promote_anyway"]),
        ("removed", ["logs", "promote_anyway"]),
        ("cancelled", ["logs", "promote_anyway"]),
        ("stopped", ["logs", "rollback", "promote_anyway"]),
        ("failure", ["logs", "rollback", "promote_anyway"]),
        ("failed-rollback", ["logs", "rollback_elsewhere"]),
        ("blameless", ["logs", "promote_again"]),
        ("restart-reverted", ["logs", "promote_again"]),
        ("refused", ["ask_again"]),
        ("untouched", ["ask_again"]),
        ("restart-refused", ["ask_again"]),
        ("declined", ["ask_again"]),
        ("expired", ["ask_again"]),
        ("superseded", []),
        ("by-hand", ["logs", "rollback", "promote_over"]),
    ],
)
def test_buttons_are_what_may_be_done_next(name, actions):
    buttons = actions_in(shown_in(name))

    assert [button["action_id"] for button in buttons] == [f"promotion.{action}" for action in actions]
    for button in buttons:
        assert {"title", "text", "confirm", "deny"} <= button.get("confirm", DONE_AT_ONCE).keys()
        assert len(button["accessibility_label"]) > len(button["text"]["text"])
        assert "web" in button["accessibility_label"]


DONE_AT_ONCE = dict.fromkeys(("title", "text", "confirm", "deny"))


def test_the_first_button_of_a_failed_card_changes_nothing_and_asks_nothing():
    for name in (
        "reverted",
        "stopped",
        "failure",
        "by-hand",
        "failed-rollback",
        "blameless",
        "restart-reverted",
    ):
        first = actions_in(shown_in(name))[0]
        assert first["value"].endswith("logs -a web --of PABCDEFGHIJ")
        assert "confirm" not in first
        assert "style" not in first


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("waiting", "3 approve PABCDEFGHIJ"),
        ("rolling", "3 cancel PABCDEFGHIJ"),
        ("live", "3 releases rollback RAAAAAAAAAA -a web"),
        ("stopped", "3 releases rollback RAAAAAAAAAA -a web"),
        ("failure", "3 releases rollback RAAAAAAAAAA -a web"),
        ("failed-rollback", "3 releases rollback -a web --ask"),
        ("declined", "3 releases promote RABCDEFGHIJ -a web"),
        ("restart-refused", "3 restart -a web"),
        ("restart-reverted", "3 restart web -a web"),
        ("blameless", "3 releases promote RABCDEFGHIJ -a web"),
    ],
)
def test_a_button_says_what_would_be_typed(name, typed):
    assert typed in [button["value"] for button in actions_in(shown_in(name))]


def test_a_rollback_that_came_to_nothing_is_asked_for_again_as_one():
    declined = replace(STATES["declined"][1], kind="rollback")

    (again,) = buttons_of(declined, source=listed(OLD))
    assert again["value"] == "3 releases rollback RAAAAAAAAAA -a web"
    (lost,) = buttons_of(declined)
    assert lost["value"] == "3 releases promote RABCDEFGHIJ -a web"


def test_the_way_back_is_offered_while_the_release_is_live_and_there_is_one_to_go_to():
    live = STATES["live"][1]
    on = replace(APP, active_release="RABCDEFGHIJ")
    (back,) = buttons_of(live, app=on)

    assert back["text"]["text"] == "Roll back to RAAAAAAAAAA"
    assert back["confirm"]["title"]["text"] == "Roll back for web?"
    assert "from RABCDEFGHIJ to RAAAAAAAAAA" in back["confirm"]["text"]["text"]
    for other in (
        replace(live, back_to=None),
        replace(live, back_to="RABCDEFGHIJ"),
        replace(live, kind="rollback"),
    ):
        assert buttons_of(other, app=on) == []
    assert buttons_of(live, app=replace(APP, active_release="RNEWERONEXX")) == []


@pytest.mark.parametrize("name", ["stopped", "failure", "by-hand"])
def test_what_was_left_as_it_was_goes_back_while_nothing_else_went_live(name):
    left = STATES[name][1]
    before = ButtonContext(promotion=left, active="RAAAAAAAAAA")

    assert not gone("promotion.rollback", before)
    for moved_on in (
        replace(before, active="RNEWERONEXX"),
        replace(before, promotion=replace(left, back_to=None), active=None),
        replace(before, promotion=replace(left, kind="rollback")),
        replace(before, promotion=replace(left, restarts=("web",))),
    ):
        assert gone("promotion.rollback", moved_on)


def test_a_click_on_what_follows_an_ending_counts_while_it_stands_there_and_a_decision_is_judged_by_itself():
    live = ButtonContext(promotion=STATES["live"][1], live=True)

    assert not gone("promotion.rollback", live)
    assert gone("promotion.rollback", replace(live, live=False))
    assert not gone("promotion.approve", live)
    assert not gone("something.else", live)


@pytest.mark.parametrize("name", [n for n, (_, p) in STATES.items() if p.phase in GOING_BACK])
def test_a_card_that_goes_back_has_no_buttons(name):
    assert buttons_of(STATES[name][1]) == []
    assert shown(ButtonContext(promotion=STATES[name][1])) == []


def test_a_new_revision_has_buttons_of_its_own():
    blocks = [card_of(replace(WAITING, revision=revision))["blocks"][-2] for revision in (3, 4)]

    assert [block["block_id"] for block in blocks] == ["promotion:PABCDEFGHIJ:3", "promotion:PABCDEFGHIJ:4"]


def test_the_buttons_are_named_in_the_text_with_the_commands_that_do_the_same():
    text = card_of(WAITING)["text"]

    assert "Buttons: Approve, Decline, Remind, Diff, Cancel." in text
    assert "`/convox approve PABCDEFGHIJ`" in text
    assert "`/convox decline PABCDEFGHIJ REASON`" in text
    assert "`/convox apps cancel web`" in card_of(STATES["rolling"][1])["text"]


def test_who_approves_is_told_what_changes_by_name_and_never_by_value():
    text = card_of(WAITING)["text"]

    assert "variables: add:ADDED change:LOG remove:GONE" in text
    assert "*not pinned*: web (" in text
    assert "debug" not in text
    assert "3 variables changed" in buttons_of(WAITING)[0]["confirm"]["text"]["text"]


def test_pinned_images_need_no_caution():
    pinned = replace(BUILD, images={"web": "registry.host/web@sha256:" + "b" * 64})

    assert "not pinned" not in card_of(WAITING, build=pinned)["text"]


def test_without_a_release_to_compare_with_nothing_is_said_of_changes():
    assert "variables" not in card_of(WAITING, previous=None)["text"]


def test_approvers_are_named_and_the_seats_that_are_left():
    text = card_of(WAITING)["text"]

    assert "approved by <@U02BO> <!date^" in text
    assert (
        "needs 1 more approval, by one of <@U02BO>, <!subteam^S01DEVS>, not by the person who asked" in text
    )
    anybody = card_of(WAITING, rules=Rules(promote=ApprovalRule(count=2, requester=True)), approvals=[])[
        "text"
    ]
    assert "needs 2 more approvals, by somebody who may approve\n" in anybody


def test_seats_that_are_left_are_named_and_a_seat_that_is_taken_is_not():
    seats = (("group:S01DEVS", "U03CY"), ("U02BO",), ("group:S02SRE",))
    rule = ApprovalRule(count=3, seats=seats, people=("group:S01DEVS", "U03CY", "U02BO", "group:S02SRE"))
    waiting = replace(WAITING, approvals_needed=3)
    rules = Rules(promote=rule)
    text = card_of(waiting, rules=rules)["text"]
    assert (
        "needs 2 more approvals, by one each of <!subteam^S01DEVS>/<@U03CY>, <!subteam^S02SRE>, not" in text
    )
    # Who sits twice in one seat fills it once, in the first line as below.
    again = [YES, replace(YES, actor=Actor("slack", "U03CY")), replace(YES, actor=Actor("slack", "U09X"))]
    groups = {"S01DEVS": frozenset({"U09X"})}
    twice = card_of(waiting, rules=rules, approvals=again, groups=groups)["text"]
    assert "Waiting for approval 2/3" in twice
    assert "needs 1 more approval, by one of <!subteam^S02SRE>, not" in twice
    more = [YES, replace(YES, actor=Actor("slack", "U09X"))]
    assert (
        "needs 1 more approval, by one of <!subteam^S02SRE>, not"
        in card_of(waiting, rules=rules, approvals=more, groups=groups)["text"]
    )


def test_what_is_queued_behind_a_rollout_says_over_what_it_may_go_out():
    bound = Binding(bundle="00ff", active="RAAAAAAAAAA", prune=(), namespace=None, follows=("RBBBBBBBBBB",))
    waiting = replace(WAITING, waits_for=WaitsFor(what="free"), binding=bound)
    said = "goes out over whichever is active by then: `RAAAAAAAAAA` or `RBBBBBBBBBB`"
    assert said in card_of(waiting)["text"]
    assert said not in card_of(replace(waiting, binding=replace(bound, follows=())))["text"]
    first = replace(bound, active=None)
    assert "by then: nothing or `RBBBBBBBBBB`" in card_of(replace(waiting, binding=first))["text"]


def test_a_rollback_that_needs_its_own_approvals_asks_its_own_people():
    rules = Rules(
        promote=ApprovalRule(count=2, people=("U02BO",)), rollback=ApprovalRule(count=1, people=("U03CY",))
    )
    own = replace(WAITING, kind="rollback", approvals_needed=1)
    as_promote = replace(WAITING, kind="rollback", approvals_needed=2)

    assert "needs 1 more approval, by one of <@U03CY>" in card_of(own, rules=rules, approvals=[])["text"]
    assert (
        "needs 2 more approvals, by one of <@U02BO>" in card_of(as_promote, rules=rules, approvals=[])["text"]
    )


def test_a_rolled_back_release_says_what_is_on_hold_and_how_to_go_on():
    text = card_of(STATES["reverted"][1])["text"]

    assert f"cause: {CAUSE}" in text
    assert "web runs `RAAAAAAAAAA` again" in text
    assert (
        "is on hold, and its build with it unless that was good before; Promote again… on its card asks why"
        in text
    )
    assert "--anyway" not in text
    assert "not undone" in text


def test_the_same_state_is_the_same_card_a_minute_later():
    rolling = STATES["rolling"][1]

    assert card_of(rolling, now=NOW) == card_of(rolling, now=NOW + timedelta(minutes=1))


def test_what_takes_over_or_was_on_hold_is_said():
    text = card_of(replace(WAITING, force=True, anyway="registry is back"))["text"]

    assert "takes over whatever is rolling out" in text
    assert "promoted anyway: “registry is back”" in text


def test_a_token_is_named_without_a_mention():
    from core.actor import Actor

    text = card_of(replace(WAITING, requested_by=Actor("token", "ci")), approvals=[])["text"]

    assert "asked for by token:ci " in text


def test_a_release_without_a_build_has_a_card_too():
    payload = card_of(WAITING, release=replace(NEW, build=None, description=""), build=None)

    assert "build" not in payload["text"]
    assert problems(payload, method="chat.postMessage") == []


def test_cancelling_says_in_its_dialog_where_the_app_goes():
    def dialog(promotion) -> str:
        return buttons_of(promotion)[-1]["confirm"]["text"]["text"]

    rolling = STATES["rolling"][1]

    assert dialog(WAITING) == "Nothing was changed so far, and nothing will be."
    assert dialog(rolling) == "web goes back to RAAAAAAAAAA."
    assert "not undone by itself" in dialog(replace(rolling, kind="rollback"))
    assert "no verified release" in dialog(replace(rolling, back_to=None))


def test_another_build_links_what_changed_in_the_source():
    page = f"{SOURCE}/compare/{'0' * 40}...{'1' * 40}"
    (columns,) = [
        b["fields"] for b in card_of(WAITING, old_build=OLD_BUILD, build=NEW_BUILD)["blocks"] if "fields" in b
    ]

    assert columns[1]["text"].endswith(f"<{page}|compare 0000000 → 1111111>")
    same = card_of(WAITING, old_build=NEW_BUILD, build=NEW_BUILD, previous=replace(OLD, build=NEW_BUILD.id))
    assert SOURCE not in same["text"]
    hostile = replace(NEW_BUILD, repository="https://github.com/a/b|<!channel>")
    shown_text = card_of(WAITING, old_build=OLD_BUILD, build=hostile)["text"]
    assert "commits 0000000 → 1111111" in shown_text
    assert "channel" not in shown_text


def test_many_approvals_are_counted_and_not_listed():
    many = [replace(YES, actor=replace(ANA, id=f"U{at:04}")) for at in range(12)]

    assert "and 7 more" in card_of(replace(WAITING, approvals_needed=12), approvals=many)["text"]


def test_a_window_that_is_only_watched_is_no_lack_of_progress():
    assert "no progress" not in card_of(STATES["watching"][1])["text"]
    assert "no progress for 1 min, at most 10 min" in card_of(STATES["rolling"][1])["text"]


def test_a_card_says_the_patience_that_a_start_really_has():
    rolling = STATES["rolling"][1]
    slow = replace(rolling, progress=replace(rolling.progress, patience=900.0))
    assert "no progress for 1 min, at most 15 min" in card_of(slow)["text"]


def test_words_of_others_about_watching_are_no_settle_window():
    """A webhook's refusal may quote whatever it likes: what a card says of the state is never read out of it."""
    said = "pods of web are refused by the webhook policy.example: quota is watching for 30 s"
    quoting = replace(STATES["rolling"][1], progress=replace(GOING.progress, waiting=said))

    text = card_of(quoting)["text"]

    assert text.startswith("🔄 Rolling out · ")
    assert f"{said} (no progress for 1 min, at most 10 min)" in text


def test_who_is_named_in_a_reason_is_named_in_the_card_while_words_of_others_stay_text():
    gone = Sentence.of("an approval no longer counts: ", BO, " (guests may not do this)")
    refused = card_of(replace(WAITING, phase=Phase.REFUSED, reason=gone, settled_at=NOW))["text"]
    typed = replace(STATES["declined"][1], reason=Sentence.of("ask <@U02BO>"))

    assert "nothing was changed: an approval no longer counts: <@U02BO> (guests may not do this)" in refused
    assert "“ask &lt;@U02BO&gt;”" in card_of(typed)["text"]


def test_approvers_are_told_what_lasts_and_what_does_nothing_and_nobody_later():
    notes = [f"key {number} is without effect: this rack has no router" for number in range(10)]
    payload = card_of(WAITING, notes=notes)
    assert "note: key 0 is without effect: this rack has no router" in payload["text"]
    assert payload["text"].count("note:") == 8
    assert "more on the manifest: `/convox releases info RABCDEFGHIJ -a web`" in payload["text"]
    assert problems(payload, method="chat.postMessage") == []
    assert "more on the manifest" not in card_of(WAITING, notes=notes[:8])["text"]
    assert "note:" not in card_of(WAITING)["text"]


def test_everybody_whom_a_promotion_names_is_known_by_name():
    """Else a card shows the id of whoever has stopped it."""
    people = [field.name for field in fields(Promotion) if field.type in (Actor, Actor | None)]
    assert {"requested_by", "stopped_by", "cancelled_by", "declined_by"} <= {*people}
    for name in people:
        who = Actor("slack", "U09NAMED", "named")
        changed: dict[str, Any] = {name: who}
        assert who in known(replace(WAITING, **changed), ()), name
