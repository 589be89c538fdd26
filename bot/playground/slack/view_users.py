"""What people do with modals and Home tabs: open, choose, press, search, submit, close."""

from typing import Any

from bot.playground.slack.context import WorkspaceContext
from bot.playground.slack.delivery import DeliveryResult, EnvelopeSender
from bot.playground.slack.elements import option
from bot.playground.slack.envelopes import (
    Envelope,
    closed_payload,
    event_payload,
    find_action,
    submission_payload,
    suggestion_payload,
    view_action_payload,
)
from bot.playground.slack.limits import view_problems
from bot.playground.slack.users import SimulatedUsers
from bot.playground.slack.webapi.views import home_id, kept

Json = dict[str, Any]
MOST_OPTIONS = 100


class ViewUsers:
    """Acts for a person who has a view before them, with the payloads that Slack would send."""

    def __init__(
        self,
        context: WorkspaceContext,
        sender: EnvelopeSender,
        users: SimulatedUsers,
        of_apps: "dict[str, ViewUsers]",
    ) -> None:
        """Act towards one application; `of_apps`, by their ids, are the same people towards all that are installed here."""
        self._context = context
        self._sender = sender
        self._users = users
        self.of_apps = of_apps
        of_apps[context.credentials.app_id] = self

    def home(self, user: str) -> Json | None:
        """Return what stands on a person's Home tab, None before anything was published there."""
        return self._context.store.views.get(home_id(self._context, self._users.user(user).id))

    def modal(self, user: str) -> Json | None:
        """Return the modal that a person has before them."""
        stack = self._context.store.opened.get(self._users.user(user).id)
        return self._context.store.views[stack[-1]] if stack else None

    def home_envelope(self, user: str) -> Envelope:
        """Return what Slack sends when somebody opens the application's Home tab."""
        person, store = self._users.user(user), self._context.store
        event: Json = {
            "type": "app_home_opened",
            "user": person.id,
            "channel": store.direct(person.id, self._context.credentials.bot_user).id,
            "tab": "home",
            "event_ts": store.next_ts(),
        }
        if shown := self.home(user):
            event["view"] = shown
        return Envelope(type="events_api", payload=event_payload(event))

    async def open_home(self, user: str) -> DeliveryResult:
        return await self._sender.deliver(self.home_envelope(user))

    def press_envelope(
        self, user: str, view_id: str, action_id: str, *, block_id: str = "", values: Json | None = None
    ) -> Envelope:
        """Return what Slack sends for a button of a view; one that is not there cannot be pressed."""
        view = self._view(user, view_id)
        action = find_action(view["blocks"], action_id, block_id)
        if action is None:
            raise LookupError(f"the view has no button {action_id}")
        return self._acted(user, view, action, values or {})

    async def press(
        self, user: str, view_id: str, action_id: str, *, block_id: str = "", values: Json | None = None
    ) -> DeliveryResult:
        """Press a button of a view: whose view it is hears of it, and no other application; so of all that is done to one."""
        if (owner := self._owner(view_id)) is not self:
            return await owner.press(user, view_id, action_id, block_id=block_id, values=values)
        envelope = self.press_envelope(user, view_id, action_id, block_id=block_id, values=values)
        return await self._sender.deliver(envelope)

    def _owner(self, view_id: str) -> "ViewUsers":
        view = self._context.store.views.get(view_id, {})
        return self.of_apps.get(view.get("app_id", ""), self)

    async def choose(self, user: str, view_id: str, block_id: str, values: Json) -> DeliveryResult | None:
        """Choose something in an input of a modal; the application hears of it if the input asked for that."""
        if (owner := self._owner(view_id)) is not self:
            return await owner.choose(user, view_id, block_id, values)
        view = self._view(user, view_id)
        block = next((each for each in view["blocks"] if each.get("block_id") == block_id), None)
        if block is None or block.get("type") != "input":
            raise LookupError(f"the view has no input {block_id}")
        if not block.get("dispatch_action"):
            return None
        element = block["element"]
        action = {
            "action_id": element["action_id"],
            "block_id": block_id,
            **values[block_id][element["action_id"]],
        }
        return await self._sender.deliver(self._acted(user, view, action, values))

    def _acted(self, user: str, view: Json, action: Json, values: Json) -> Envelope:
        person = self._users.user(user)
        payload = view_action_payload(
            user=person,
            view=view,
            values=values,
            action=action,
            ts=self._context.store.next_ts(),
            trigger=self._context.tickets.trigger(person.id),
        )
        return Envelope(type="interactive", payload=payload)

    async def suggest(self, user: str, view_id: str, block_id: str, typed: str = "") -> list[Json]:
        """Type into a menu and return the options that the application answers; Slack shows none that break its rules."""
        if (owner := self._owner(view_id)) is not self:
            return await owner.suggest(user, view_id, block_id, typed)
        view = self._view(user, view_id)
        element = _menu(view, block_id)
        payload = suggestion_payload(
            user=self._users.user(user),
            view=view,
            block_id=block_id,
            action_id=element["action_id"],
            typed=typed,
        )
        delivery = await self._sender.deliver(Envelope(type="interactive", payload=payload))
        groups = delivery.ack.get("option_groups") or [delivery.ack]
        found = [each for group in groups for each in group.get("options") or ()]
        wrong = [said for at, each in enumerate(found) for said in option(each, f"/options/{at}")]
        if len(found) > MOST_OPTIONS:
            wrong.append(f"{len(found)} options, Slack takes {MOST_OPTIONS}")
        self._context.violations.extend(f"block_suggestion: {said}" for said in wrong)
        return [] if wrong else found

    def submit_envelope(self, user: str, view_id: str, values: Json) -> Envelope:
        """Return what Slack would send for a submitted modal."""
        view, person = self._view(user, view_id), self._users.user(user)
        trigger = self._context.tickets.trigger(person.id)
        payload = submission_payload(user=person, view=view, values=values, trigger=trigger)
        return Envelope(type="interactive", payload=payload)

    async def submit(self, user: str, view_id: str, values: Json) -> DeliveryResult:
        """Submit a modal; what the ack says about it is done to it."""
        if (owner := self._owner(view_id)) is not self:
            return await owner.submit(user, view_id, values)
        delivery = await self._sender.deliver(self.submit_envelope(user, view_id, values))
        if delivery.ok:
            self._answered(self._users.user(user).id, view_id, delivery.ack)
        return delivery

    def _answered(self, user: str, view_id: str, ack: Json) -> None:
        """Do to a submitted modal what its acknowledgement says: without a word it is closed."""
        store, action = self._context.store, ack.get("response_action")
        if action in {"update", "push"}:
            self._context.violations.extend(
                f"response_action: {said}" for said in view_problems(ack.get("view") or {})
            )
        if action == "update":
            kept(self._context, ack["view"], view_id, user)
        elif action == "push":
            stack = store.opened.get(user, [])
            pushed = f"{view_id}P{len(stack)}"
            store.opened[user] = [*stack, pushed]
            kept(self._context, ack["view"], pushed, user, view_id)
        elif action != "errors":
            store.close_view(user, all_of_them=action == "clear")

    async def close(self, user: str, view_id: str) -> DeliveryResult | None:
        """Close the modal; the application is told if the view says so."""
        if (owner := self._owner(view_id)) is not self:
            return await owner.close(user, view_id)
        view, person = self._view(user, view_id), self._users.user(user)
        self._context.store.close_view(person.id)
        if not view.get("notify_on_close"):
            return None
        payload = closed_payload(user=person, view=view, is_cleared=False)
        return await self._sender.deliver(Envelope(type="interactive", payload=payload))

    def _view(self, user: str, view_id: str) -> Json:
        store = self._context.store
        if view_id not in store.views or store.view_holders[view_id] != self._users.user(user).id:
            raise LookupError(f"{user} has no view {view_id}")
        return store.views[view_id]


def _menu(view: Json, block_id: str) -> Json:
    """Return the menu of a block that asks for its options."""
    for block in view["blocks"]:
        found: Json = block.get("element") or block.get("accessory") or {}
        if block.get("block_id") == block_id and "external_select" in str(found.get("type")):
            return found
    raise LookupError(f"the view has no menu {block_id} that asks for its options")
