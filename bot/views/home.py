"""The Home tab of one person: what waits for them, what rolls out, what is live and on hold, and what they asked for last."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from bot.command.button_value import value_of
from bot.command.commands import Approve, Cancel, Command
from bot.command.release_forms import DeclineForm, PromoteForm, RollbackForm
from bot.prefixes import typed
from bot.views.card_text import asked_beside
from bot.views.mrkdwn import clip, date, inline, mention, plain, prose, shortened
from bot.views.states import state, symbol
from core.promotion import Promotion
from core.records.approval import Approval
from core.sentence import Channel, Sentence
from core.usecases.overview import AppItem, HeldItem, Overview, PromotionItem

# A click on any of them means the command that it holds; Slack wants each named once in its block.
HOME_ACTION = "home"
_MOST_LABEL, _MOST_TEXT, _MOST_QUESTION = 75, 2900, 300
_NOTHING = "Nothing."
Block = dict[str, Any]


def home_view(overview: Overview) -> dict[str, Any]:
    """Return the view; it holds no moment of now, so that what has not changed is the same view."""
    return {"type": "home", "blocks": list(_blocks(overview))}


def _blocks(overview: Overview) -> Iterator[Block]:
    if overview.refused:
        yield _section(prose(overview.refused))
        return
    yield from _part("Waits for me", [_waiting(item) for item in overview.waiting])
    yield from _part("Rolling out now", [_rolling(item) for item in overview.rolling])
    yield from _part("Live now", [_app(item) for item in overview.apps])
    if overview.more_apps:
        yield _context(
            f"{overview.more_apps} more apps are not shown; `{typed('apps', 'slack')}` lists them."
        )
    if overview.frozen:
        yield from _part("Frozen", [[_section(f"❄️ {clip(each.sentence, 600)}")] for each in overview.frozen])
    yield from _part("On hold", [_held(item) for item in overview.held])
    yield from _part("What I asked for last", [[_section(_line(p, ()))] for p in overview.mine])


def _part(title: str, items: Sequence[Sequence[Block]]) -> Iterator[Block]:
    yield {"type": "header", "text": plain(title, 150)}
    if not items:
        yield _context(_NOTHING)
    for blocks in items:
        yield from blocks


def _waiting(item: PromotionItem) -> list[Block]:
    p = item.promotion
    about = [
        _line(p, item.approvals),
        f"Asked for by {mention(p.requested_by)}, {date(p.requested_at)}{_where(p)}",
    ]
    if p.expires_at:
        about.append(f"Expires {date(p.expires_at)}")
    about += [*(clip(each, 300) for each in p.along[:5]), *asked_beside(p)]
    buttons = []
    if "approve" in item.may:
        what = f"It starts to roll out {p.release} to {p.app} once nobody else must approve."
        buttons.append(
            _button("approve", "Approve", Approve(promotion=p.id), p.release, "primary", what, p.revision)
        )
    if "decline" in item.may:
        buttons.append(_button("decline", "Decline…", DeclineForm(promotion=p.id), p.release, "danger"))
    if "cancel" in item.may:
        buttons.append(_cancel(p))
    return [_section("\n".join(about)), *_actions(p.id, buttons)]


def _rolling(item: PromotionItem) -> list[Block]:
    p = item.promotion
    text = f"{_line(p, item.approvals)}\nAsked for by {mention(p.requested_by)}, {date(p.requested_at)}{_where(p)}"
    return [_section(text), *_actions(p.id, [_cancel(p)] if "cancel" in item.may else [])]


def _app(item: AppItem) -> list[Block]:
    app, active = item.app, item.active
    runs = f"{inline(active.id)} {prose(active.description)}" if active else "no release yet"
    text = f"*{prose(app.name)}*  {runs}"
    buttons = []
    if "promote" in item.may:
        buttons.append(_button("promote", "Promote…", PromoteForm(app=app.name), app.name))
    if "rollback" in item.may:
        buttons.append(_button("rollback", "Roll back…", RollbackForm(app=app.name), app.name))
    return [_section(text), *_actions(f"app:{app.name}", buttons)]


def _held(item: HeldItem) -> list[Block]:
    release = item.release
    text = f"✕ On hold: *{prose(release.app)}* {inline(release.id)}\n{clip(item.why, 500)}"
    command = PromoteForm(app=release.app, release=release.id)
    again = [_button("again", "Promote again…", command, release.id)] if "promote" in item.may else []
    return [_section(text), *_actions(f"held:{release.id}", again)]


def _line(promotion: Promotion, approvals: Sequence[Approval]) -> str:
    """Return symbol, word, app and release, as a card begins."""
    p = promotion
    return f"{symbol(p)} {state(p, approvals)}  *{prose(p.app)}*  {inline(p.release)}"


def _where(promotion: Promotion) -> str:
    # A sentence begins and ends with a word: the space before it is ours.
    return " " + prose(Sentence.of("in ", Channel(promotion.channel))) if promotion.channel else ""


def _cancel(p: Promotion) -> dict[str, Any]:
    what = (
        "Nothing was changed so far, and nothing will be." if p.untouched else "What was changed goes back."
    )
    return _button("cancel", "Cancel", Cancel(promotion=p.id), p.release, None, what)


def _button(
    name: str,
    label: str,
    command: Command,
    of: str,
    style: Literal["primary", "danger"] | None = None,
    question: str = "",
    revision: int = 0,
) -> dict[str, Any]:
    element: dict[str, Any] = {
        "type": "button",
        "action_id": f"{HOME_ACTION}.{name}",
        "text": plain(label, _MOST_LABEL),
        "value": value_of(command, revision),
        "accessibility_label": f"{label} {of}"[:_MOST_LABEL],
    }
    if question:
        element["confirm"] = {
            "title": plain(f"{label} {of}?", 100),
            "text": plain(question, _MOST_QUESTION),
            "confirm": plain(label, 30),
            "deny": plain("Not now", 30),
        }
    return element | ({"style": style} if style else {})


def _actions(name: str, buttons: Sequence[dict[str, Any]]) -> list[Block]:
    return [{"type": "actions", "block_id": f"home:{name}", "elements": list(buttons)}] if buttons else []


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": shortened(text, _MOST_TEXT)}}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}
