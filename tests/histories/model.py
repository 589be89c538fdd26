"""What must be true at the end of any history, by the contract alone: this page knows no phase's table and no code."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bot.playground.slack import Message, SlackWorkspace
from core.records.approval import Approval
from core.records.bundle import Bundle
from storage.store import SqliteStore
from tests.chain import first_broken
from tests.histories.cluster import HistoryCluster, Write
from tests.histories.steps import BOB, CAROL, History, Lost, SlackAway
from tests.histories.virtual import START

ENDINGS = {
    "Running": ("OK",),
    "Reverted": ("ERROR: rolled back to ", "ERROR: cancelled by ", "ERROR: removed, "),
    "Failure": ("ERROR: rollback failed, a person is needed", "ERROR: cancelled by "),
    "Refused": ("ERROR: refused, nothing was changed", "ERROR: cancelled by "),
    "Superseded": ("ERROR: superseded by ",),
    "Declined": ("ERROR: declined by ",),
    "Stopped": ("ERROR: stopped by ",),
    "Expired": ("ERROR: approval expired",),
}
# Who may approve; the policy excludes the one who asked.
APPROVERS = {BOB, CAROL}
ASKING = ("releases promote", "releases rollback", "env set COLOUR=blue --promote")


@dataclass(frozen=True)
class Delivered:
    """Something that Slack handed over; `words` are what was typed, or the button and what it holds."""

    kind: Any
    user: str
    words: str
    payload: dict[str, Any]
    acked: bool = False

    @property
    def key(self) -> str:
        return str(self.payload["trigger_id"])


@dataclass(frozen=True)
class Account:
    """What is left behind: the records, what Slack shows, what the cluster took, what people did."""

    promotions: Sequence[Any]
    approvals: dict[str, list[Approval]]
    bundles: dict[str, Bundle]
    active: str | None
    broken_audit: int | None
    cards: dict[str, Any]
    threads: dict[str, list[Message]]
    shown: Sequence[Message]
    answers: Counter[str]
    writes: Sequence[Write]
    live: dict[Any, str]
    delivered: Sequence[Delivered]

    @classmethod
    async def of(
        cls,
        store: SqliteStore,
        slack: SlackWorkspace,
        cluster: HistoryCluster,
        delivered: Sequence[Delivered],
        app: str,
        channel: str,
    ) -> "Account":
        """Collect it."""
        promotions = list(reversed(await store.read.promotions(app, 1000)))
        cards = {each.id: await store.read.card(each.id) for each in promotions}
        return cls(
            promotions=promotions,
            approvals={each.id: await store.read.approvals(each.id) for each in promotions},
            bundles={each.release: await store.read.bundle(each.release) for each in promotions},
            active=(await store.read.app(app)).active_release,
            broken_audit=await first_broken(store),
            cards=cards,
            threads={id_: slack.thread(channel, card.ts) for id_, card in cards.items() if card and card.ts},
            shown=[each for each in slack.messages(channel) if each.bot_id and not each.is_reply],
            answers=Counter(str(each.visible_to) for each in slack.store.ephemerals)
            + Counter(user for user, key in {(d.user, d.key) for d in delivered} if key in _opened(slack)),
            writes=cluster.writes,
            live=cluster.live,
            delivered=delivered,
        )


def _opened(slack: SlackWorkspace) -> set[str]:
    """Return the trigger ids that opened a dialog: it is the answer to what asks for more."""
    calls = [call for call in slack.calls if call.method == "views.open" and call.answer["ok"]]
    return {str(call.args["trigger_id"]) for call in calls}


def faults(account: Account, history: History) -> list[str]:
    """Return every promise that was not kept."""
    return [
        *_one_rollout_at_a_time(account),
        *_said_once(account),
        *_one_ending_each(account),
        *_asked_for(account),
        *_approved(account, history),
        *_what_was_approved_ran(account),
        *_the_way_back(account),
        *_answered(account, history),
        *([f"audit row {account.broken_audit} is broken"] if account.broken_audit else []),
    ]


def _writes(account: Account, promotion: Any) -> list[Write]:
    """Return what was written in its name: by its number, while it was on its way."""
    if promotion.started_at is None:
        return []
    began, ended = ((at - START).total_seconds() for at in (promotion.started_at, promotion.settled_at))
    # The database keeps microseconds.
    return [w for w in account.writes if w.token == promotion.token and began - 1e-5 <= w.at <= ended + 1e-5]


def _one_rollout_at_a_time(account: Account) -> Iterator[str]:
    """Whoever has begun to write is not interrupted by the one before, and each write is somebody's."""
    tokens = [write.token for write in account.writes]
    if tokens != sorted(tokens):
        yield f"an older promotion wrote after a newer one: {tokens}"
    owners = Counter(id(write) for p in account.promotions for write in _writes(account, p))
    if strange := [write for write in account.writes if owners[id(write)] != 1]:
        yield f"not in the name of exactly one promotion: {strange}"


def _said_once(account: Account) -> Iterator[str]:
    """No message comes twice, whatever was lost on the way: each carries a number of its own."""
    for id_, thread in account.threads.items():
        numbers = [str(message.metadata) for message in thread]
        if len(set(numbers)) != len(numbers):
            yield f"the thread of {id_} says something twice: {[message.text for message in thread]}"
    if len(account.shown) != len(account.threads):
        yield f"{len(account.shown)} cards are in the channel, of {len(account.threads)} promotions"


def _one_ending_each(account: Account) -> Iterator[str]:
    for p in account.promotions:
        if p.id not in account.threads:
            if account.cards[p.id] is None or not account.cards[p.id].failed:
                yield f"{p.id} has no card and no reason for that"
            continue
        texts = [message.text for message in account.threads[p.id]]
        endings = [text for text in texts if text.startswith(("OK", "ERROR:"))]
        if len(endings) != 1 or texts[-1] != endings[0]:
            yield f"{p.id} ended {p.phase} and its thread says {endings}, last {texts[-1:]}"
        elif not endings[0].startswith(ENDINGS[p.phase]):
            yield f"{p.id} ended {p.phase} and was told {endings[0]}"


def _asked_for(account: Account) -> Iterator[str]:
    """Every promotion was asked for by somebody who may, and what is delivered twice is carried out once."""
    asked = Counter({d.key: 1 for d in account.delivered if d.words.startswith(ASKING)})
    if len(account.promotions) > asked.total():
        yield f"{len(account.promotions)} promotions from {asked.total()} requests"
    by = {d.user for d in account.delivered if d.words.startswith(ASKING)}
    for p in account.promotions:
        if p.requested_by.id not in by & {"U01ALICE", "U02BOB"}:
            yield f"{p.id} was asked for by {p.requested_by}"


def _approved(account: Account, history: History) -> Iterator[str]:
    for p in account.promotions:
        given = [a.actor.id for a in account.approvals[p.id] if a.decision == "approve"]
        said = {d.user for d in account.delivered if "approve" in d.words and p.id in d.words}
        if len(given) != len(set(given)) or not set(given) <= (said & APPROVERS) - {p.requested_by.id}:
            yield f"{p.id} of {p.requested_by.id} was approved by {given}, and {said} have said so"
        again = p.kind == "rollback" or any(e.release == p.release and e is not p for e in account.promotions)
        if _writes(account, p) and len(given) < history.approvals and not again:
            yield f"{p.id} began with {len(given)} of {history.approvals} approvals"


def _what_was_approved_ran(account: Account) -> Iterator[str]:
    for write in account.writes:
        if write.verb == "apply" and account.bundles[write.release].digest != write.digest:
            yield f"{write.release} was applied otherwise than it was stored"
    for p in account.promotions:
        strange = {w.release for w in _writes(account, p)} - {"", p.release, p.back_to}
        if strange:
            yield f"{p.id} of {p.release}, back to {p.back_to}, applied {strange}"
        if _writes(account, p) and p.phase in {"Refused", "Declined", "Expired"}:
            yield f"{p.id} ended {p.phase} and has written"


def _the_way_back(account: Account) -> Iterator[str]:
    """It leads to a release that ran well before, once; and what the last one left is what runs."""
    good: set[str] = set()
    for p in account.promotions:
        back = [w for w in _writes(account, p) if w.release and w.release != p.release]
        if back and (p.kind == "rollback" or p.back_to not in good):
            yield f"{p.id} went back to {p.back_to}, which never ran well"
        forward = [w.at for w in _writes(account, p) if w.release == p.release]
        if back and forward and back[0].at < forward[-1]:
            yield f"{p.id} went forward again after it had begun to go back"
        good |= {p.release} if p.phase == "Running" and not p.nothing_ran else set()
    touched = [p for p in account.promotions if _writes(account, p)]
    if touched and touched[-1].phase in {"Running", "Reverted"}:
        runs = {release for ref, release in account.live.items() if ref.kind == "Deployment"}
        wanted = {account.active} - {None}
        if runs != wanted:
            yield f"{runs} runs after {touched[-1].id} ended {touched[-1].phase}, and {wanted} is active"


def _answered(account: Account, history: History) -> Iterator[str]:
    """Where nothing was lost on the way, whatever was acknowledged has been answered to its sender."""
    if any(isinstance(step, (Lost, SlackAway)) for step in history.steps):
        return
    owed = Counter(user for user, _ in {(d.user, d.key) for d in account.delivered if d.acked})
    for user, count in owed.items():
        if account.answers[user] < count:
            yield f"{user} asked {count} times and was answered {account.answers[user]} times"
