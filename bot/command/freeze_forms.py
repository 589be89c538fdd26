"""What is asked for before an app is frozen: which one, why, from when and until when."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.command.commands import Command, FreezeApp
from bot.command.forms import Form, FormChoice, FormCommand, FormField
from core.errors import Invalid
from core.policy.calendar import ZonedTime, parse_time
from core.records.freeze import EVERY_APP, MAX_REASON_CHARS

APP, REASON, BEGINS, UNTIL = "app", "reason", "from", "until"
TIMES = "18:00, Mon 08:00, 12-20 18:00 or 2026-12-20 18:00"
EVERYTHING = FormChoice(value=EVERY_APP, label="Every app", about="needs the right for all of them")


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeForm(FormCommand):
    """Attributes: app: the one that is chosen at first; the other choice is every app."""

    app: str

    @property
    def words(self) -> list[str]:
        return ["freeze", "-a", self.app]

    def form(self, zone: str) -> Form:
        """Return what is asked for; `zone` is the time zone that who asks has set."""
        fields = (
            self._which(),
            FormField(
                name=REASON, label="Why?", kind="reason", hint="Whoever is refused reads it, and the channel."
            ),
            _time(BEGINS, "From", "Left empty: from now on."),
            _time(UNTIL, "Until", "Left empty: until somebody ends it."),
        )
        notes = (f"Times are in {zone}, the time zone that you have set in Slack.",)
        return Form(title="Freeze", submit="Freeze", fields=fields, seen=zone, notes=notes)

    def _which(self) -> FormField:
        own = FormChoice(value=self.app, label=self.app)
        return FormField(name=APP, label="App", kind="choice", choices=(own, EVERYTHING), chosen=own)

    def filled(self, entered: Mapping[str, str], seen: str | None) -> Command:
        if wrong := next(iter(self.problems(entered, {}).values()), ""):
            raise Invalid(wrong)
        return FreezeApp(
            app=entered[APP],
            reason=" ".join(entered[REASON].split()),
            begins=_read(entered, BEGINS, seen),
            until=_read(entered, UNTIL, seen),
        )

    def problems(self, entered: Mapping[str, str], offered: Mapping[str, str]) -> Mapping[str, str]:  # noqa: ARG002 - nothing that was offered is wrong
        wrong: dict[str, str] = {}
        if entered.get(APP) not in {self.app, EVERY_APP}:
            wrong[APP] = "which app? Choose one"
        if not 0 < len(" ".join(entered.get(REASON, "").split())) <= MAX_REASON_CHARS:
            wrong[REASON] = f"say why, in at most {MAX_REASON_CHARS} characters"
        for name in (BEGINS, UNTIL):
            said = entered.get(name, "").strip()
            if said and parse_time(said) is None:
                wrong[name] = f"not a time; write it as {TIMES}"
        return wrong


def _time(name: str, label: str, empty: str) -> FormField:
    return FormField(name=name, label=label, kind="name", optional=True, hint=f"As in {TIMES}. {empty}")


def _read(entered: Mapping[str, str], name: str, zone: str | None) -> ZonedTime | None:
    time = parse_time(entered.get(name, "").strip())
    return ZonedTime(time=time, zone=zone or "") if time else None
