"""What is asked for before a release goes out, is gone back to, or is declined: which one, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from bot.command.commands import Command, Decline, Promote, Rollback
from bot.command.forms import Form, FormChoice, FormCommand, FormField
from core.errors import Invalid
from core.ids import normalise
from core.promotion import Promotion, PromotionKind
from core.sentence import Sentence

RELEASE, REASON, VARIABLES = "release", "reason", "variables"
THEN = FormChoice(value="then", label="Those of then", about="as the release ran when it was verified")
NOW = FormChoice(value="now", label="Those of now", about="the older build with the variables that run")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseForm(FormCommand):
    """Attributes: kind: what it asks for; release: what is chosen at first; None takes what is probably meant."""

    kind: ClassVar[PromotionKind]
    app: str
    release: str | None = None

    def choosing(self, release: str) -> "ReleaseForm":
        """Return what asks with this one chosen."""
        return replace(self, release=release)

    @property
    def _release_words(self) -> list[str]:
        return [self.release] if self.release else []


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteForm(ReleaseForm):
    """Attributes: force, overwrite: as of `Promote`."""

    kind = "promote"
    force: bool = False
    overwrite: bool = False

    @property
    def words(self) -> list[str]:
        switches = [f"--{name}" for name in ("force", "overwrite") if getattr(self, name)]
        return ["releases", "promote", *self._release_words, "-a", self.app, *switches, "--ask"]

    def form(self, chosen: FormChoice | None, notes: tuple[str | Sentence, ...], *, on_hold: bool) -> Form:
        """Return what is asked for: of a release on hold why it goes out all the same, too (engine rule 7)."""
        why = FormField(
            name=REASON,
            label="Why all the same?",
            kind="reason",
            hint="It stands on the card, for everybody to read.",
        )
        fields = (_menu("Newest first. Type to search.", chosen), *((why,) if on_hold else ()))
        return Form(title=f"Promote {self.app}"[:24], submit="Promote", fields=fields, notes=notes)

    def filled(self, entered: Mapping[str, str], seen: str | None) -> Command:  # noqa: ARG002 - what is so is looked at anew
        reason = " ".join(entered.get(REASON, "").split())
        return Promote(
            app=self.app,
            release=_release(entered),
            force=self.force,
            overwrite=self.overwrite,
            anyway=reason or None,
        )

    def problems(self, entered: Mapping[str, str], offered: Mapping[str, str]) -> Mapping[str, str]:
        if REASON in entered and not entered[REASON].strip():
            return {REASON: "say why, in a few words"}
        return FormCommand.problems(self, entered, offered)


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackForm(ReleaseForm):
    """A rollback of which is still to be said where it goes, and with which variables."""

    kind = "rollback"

    @property
    def words(self) -> list[str]:
        return ["releases", "rollback", *self._release_words, "-a", self.app, "--ask"]

    def form(self, chosen: FormChoice | None, notes: tuple[str | Sentence, ...]) -> Form:
        """Return what is asked for."""
        variables = FormField(
            name=VARIABLES, label="Variables", kind="choice", choices=(THEN, NOW), chosen=THEN
        )
        fields = (_menu("Those that ran well first. Type to search.", chosen), variables)
        return Form(title=f"Roll back {self.app}"[:24], submit="Roll back", fields=fields, notes=notes)

    def filled(self, entered: Mapping[str, str], seen: str | None) -> Command:  # noqa: ARG002 - what is so is looked at anew
        return Rollback(
            app=self.app,
            release=_release(entered),
            variables="now" if entered.get(VARIABLES) == NOW.value else "then",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineForm(FormCommand):
    """Attributes: app: what `-a` said, if anything."""

    promotion: str
    app: str | None = None

    @property
    def words(self) -> list[str]:
        return ["decline", self.promotion, *(["-a", self.app] if self.app else []), "--ask"]

    def form(self, promotion: Promotion) -> Form:
        """Return what is asked for."""
        hint = "It stands on the card and in the thread, for everybody to read."
        why = FormField(name=REASON, label="Why?", kind="reason", hint=hint, optional=True)
        note = Sentence.of(
            promotion.requested_by, f" asked to {promotion.kind} {promotion.release} of {promotion.app}. ",
            "Declined, it ends here; they may ask again.",
        )  # fmt: skip
        return Form(title="Decline", submit="Decline", fields=(why,), notes=(note,))

    def filled(self, entered: Mapping[str, str], seen: str | None) -> Command:  # noqa: ARG002 - a reason is all of it
        reason = " ".join(entered.get(REASON, "").split())
        return Decline(promotion=self.promotion, reason=reason, app=self.app)


def _menu(hint: str, chosen: FormChoice | None) -> FormField:
    return FormField(name=RELEASE, label="Release", kind="release", hint=hint, chosen=chosen)


def _release(entered: Mapping[str, str]) -> str:
    release = normalise("release", entered.get(RELEASE, ""))
    if release is None:
        raise Invalid("which release? Choose one")
    return release
