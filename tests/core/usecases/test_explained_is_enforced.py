"""What `explain` says of a deed is what the use case does: a property over policies, people, phases and freezes.

Buttons of Home, modals and ephemeral messages are drawn from these answers, so each stands there exactly when a click on it is not
refused. On a card, which all see alike, the click is checked by the same.
"""

import asyncio
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.actor import Actor, Caller
from core.errors import Conflict, UserError
from core.policy.authorization import VERBS, parse_policy
from core.promotion import Phase, Promotion
from core.records.freeze import Freeze
from core.usecases.asking import PromotionRequest
from core.usecases.explainer import DecisionKind
from tests.core.usecases.test_promoter import NOBODY
from tests.core.world import ALICE, BOB, CAROL, World, by, until, world
from tests.fakes import broken, progressing
from tests.soak import times

TOKEN = Actor("token", "ci")
WHO = ("U01ALICE", "U02BOB", "U03CAROL", "token:ci")
TWO = "apps: [{match: ['*'], approvals: {promote: {count: 2}}}]\n"
COUNTS_DOWN = "apps: [{match: ['*'], rollback_after: 10m}]\n"
DECISIONS: tuple[DecisionKind, ...] = get_args(DecisionKind)


@dataclass(frozen=True)
class Case:
    """One situation, and who would do something in it.

    Attributes:
        verbs: of each of `WHO`; `override`: Carol's role gets through a freeze.
        approvers: who is named in `from`; `requester`: whether whoever asked may approve.
        stage: what there is: nothing, what waits, is queued, rolls out, counts down or goes back.
        approved: Carol has approved it; `guest`: Bob is none of us any more.
        one: which of the deeds that may be done is done.
    """

    verbs: tuple[frozenset[str], ...]
    override: bool
    count: int
    approvers: tuple[str, ...]
    requester: bool
    stage: str
    frozen: str
    approved: bool
    guest: bool
    actor: Actor
    one: int

    @property
    def policy(self) -> str:
        roles = [f"  r{n}: [view, {', '.join(sorted(verbs))}]\n" for n, verbs in enumerate(self.verbs)]
        members = [f"  - {{who: ['{who}'], roles: [r{n}]}}\n" for n, who in enumerate(WHO)]
        window = "{from: '00:00', to: '23:59', reason: sale}" if self.frozen == "policy" else ""
        named = f", from: [{', '.join(self.approvers)}]" if self.approvers else ""
        return "".join(
            [
                *("roles:\n", *roles, "members:\n", *members),
                f"freezes: {{override: [{'r2' if self.override else ''}], windows: [{window}]}}\n",
                f"apps: [{{match: ['*'], approvals: {{promote: {{count: {self.count}{named}, ",
                f"requester: {str(self.requester).lower()}}}}}}}]\n",
            ]
        )


CASES = st.builds(
    Case,
    verbs=st.tuples(*[st.frozensets(st.sampled_from(VERBS[1:]), min_size=4)] * len(WHO)),
    override=st.booleans(),
    count=st.integers(0, 2),
    approvers=st.sampled_from([(), ("U02BOB", "U03CAROL"), ("U01ALICE", "'group:S01OPS'")]),
    requester=st.booleans(),
    stage=st.sampled_from(["nothing", "waits", "queued", "rolls", "counts", "back"]),
    frozen=st.sampled_from(["", "person", "policy"]),
    approved=st.booleans(),
    guest=st.booleans(),
    actor=st.sampled_from([ALICE, BOB, CAROL, TOKEN]),
    one=st.integers(0, 20),
)
# Of one stage many are looked at: what is refused changes nothing.
STAGES = st.lists(CASES, min_size=6, max_size=6)


async def begun(w: World, case: Case, release: str) -> Promotion | None:
    """Bring a promotion to the stage, and let nothing move any more but what a deed itself moves."""
    asked = None
    if case.stage in {"waits", "queued"}:
        w.policy = parse_policy(TWO, open_to_all=True)
        asked = (await w.ask(release, queue=case.stage == "queued")).promotion
        if case.approved:
            await w.decider.approve(by(CAROL), asked.id)
    elif case.stage != "nothing":
        counts = case.stage == "counts"
        w.policy = parse_policy(COUNTS_DOWN if counts else "apps: []\n", open_to_all=True)
        w.cluster.behaves[release] = lambda _: broken() if counts else progressing(started=1)
        asked = (await w.ask(release)).promotion
        await until(w, asked.id, Phase.COUNTDOWN if counts else Phase.UPDATING)
    await w.supervisor.stop()
    w.decider._runner = NOBODY
    if case.stage == "back" and asked is not None:
        await w.decider.cancel(by(ALICE), asked.id)
    return await w.store.read.promotion(asked.id) if asked else None


async def situation(w: World, case: Case) -> tuple[dict[str, PromotionRequest], Promotion | None]:
    """Return what may be asked for, by name, and the promotion that there is."""
    old, *_ = await w.good(), await w.good()
    release = (await w.build()).release.id
    asked = await begun(w, case, release)
    newest = (await w.build()).release.id
    requests = {
        "promote": PromotionRequest(app="myapp", release=newest),
        "the newest": PromotionRequest(app="myapp"),
        "the same": PromotionRequest(app="myapp", release=release),
        "an older one": PromotionRequest(app="myapp", release=old),
        "queue": PromotionRequest(app="myapp", release=newest, queue=True),
        "take over": PromotionRequest(app="myapp", release=newest, force=True),
        "break glass": PromotionRequest(app="myapp", release=newest, break_glass="it burns"),
        "roll back": PromotionRequest(app="myapp", kind="rollback", release=old),
        "roll back to what never ran": PromotionRequest(app="myapp", kind="rollback", release=newest),
        "restart": PromotionRequest(app="myapp", restart=()),
    }
    return requests, asked


async def rule(w: World, case: Case) -> None:
    """Let the policy, the freeze and the people be as the case has them."""
    async with w.store.transaction() as tx:
        await tx.remove_freeze("myapp")
        if case.frozen == "person":
            end = tx.now + timedelta(days=1)
            await tx.save_freeze(Freeze(app="myapp", by=BOB, since=tx.now, until=end, reason="sale"))
    w.policy = parse_policy(case.policy)
    w.directory.guests = frozenset({BOB.id} if case.guest else ())
    w.directory.groups = {"S01OPS": frozenset({CAROL.id})}


async def said(
    w: World, actor: Actor, deed: PromotionRequest | DecisionKind, asked: Promotion | None
) -> bool:
    """Return whether it is said that somebody may do it."""
    principal = await w.explainer.principal(actor)
    if isinstance(deed, PromotionRequest):
        return (await w.explainer.request(principal, deed)).allowed
    assert asked is not None
    return (await w.explainer.decision(principal, deed, asked)).allowed


async def enforced(
    w: World, actor: Actor, deed: PromotionRequest | DecisionKind, asked: Promotion | None
) -> bool:
    """Do it, and return whether it was done: an approval is given though what it decides is refused at once."""
    caller = Caller(actor=actor, source="slack" if actor.kind == "slack" else "http", channel="C1")
    try:
        if isinstance(deed, PromotionRequest):
            await w.promoter.request(caller, deed)
            return True
        assert asked is not None
        match deed:
            case "snooze":
                await w.decider.snooze(caller, asked.id, 60)
            case "stop":
                await w.decider.stop(caller, asked.id)
            case "approve":
                await w.decider.approve(caller, asked.id)
            case "decline":
                await w.decider.decline(caller, asked.id)
            case "cancel":
                await w.decider.cancel(caller, asked.id)
    except Conflict as refused:
        return asked is not None and str(refused.sentence).startswith(f"{asked.id} was refused: ")
    except UserError:
        return False
    return True


async def check(cases: list[Case], path: Path) -> None:
    async with world(path) as w:
        requests, asked = await situation(w, cases[0])
        for case in cases:
            await rule(w, case)
            may = await compared(w, case, requests, asked)
        if may:
            one = may[case.one % len(may)]
            assert await enforced(w, case.actor, one, asked), one


async def compared(
    w: World, case: Case, requests: dict[str, PromotionRequest], asked: Promotion | None
) -> list[PromotionRequest | DecisionKind]:
    """Hold what is said against Home and against each refusal; return what may be done."""
    deeds: list[PromotionRequest | DecisionKind] = [*requests.values(), *(DECISIONS if asked else ())]
    may = [deed for deed in deeds if await said(w, case.actor, deed, asked)]
    if case.actor.kind == "slack":
        seen = await w.overviews.of(case.actor)
        shown = {kind for item in (*seen.waiting, *seen.rolling) for kind in item.may}
        assert shown == {deed for deed in may if deed in {"approve", "decline", "cancel"}}
        assert all(("promote" in item.may) == (requests["promote"] in may) for item in seen.apps)
    for deed in deeds:
        assert deed in may or not await enforced(w, case.actor, deed, asked), deed
    return may


@given(STAGES)
@settings(max_examples=times(3, soak=300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_said_of_a_deed_is_what_is_done(cases: list[Case]):
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(check(cases, Path(folder)))
