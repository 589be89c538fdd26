"""Commands that ask for what belongs into no line: a value that nobody else may read, or one of several lines.

Each asks by a form. Slack shows it as a modal, a terminal fills it from standard input; either then sends the command once more,
with what was entered beside its words. So what is entered is read, judged and answered as what is typed, and stands in no history.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from bot.command.commands import Command, EnvChange, EnvSet
from bot.command.lexer import oddities
from core.errors import Invalid
from core.records.environment import encoded_values
from core.records.environment_text import END, VariableLine, variable_lines
from core.sentence import Sentence

VALUE, VARIABLES, NAME = "value", "variables", "name"
SEVERAL_LINES = f"Of several lines: KEY<<{END}, the lines, {END}."


@dataclass(frozen=True, slots=True, kw_only=True)
class FormChoice:
    """One thing that can be chosen: what it means, how it is called, and more about it."""

    value: str
    label: str
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One thing that a form asks for.

    Attributes:
        name: what the answer calls it.
        kind: a value that nobody may read over a shoulder, lines of variables, a name, why something is done, a release
            that is searched for, or one of a few choices.
        text: what stands in it at first; never a value.
        choices: of a choice.
        chosen: what is chosen at first.
    """

    name: str
    label: str
    kind: Literal["secret", "lines", "name", "reason", "release", "choice"]
    hint: str = ""
    text: str = ""
    optional: bool = False
    choices: tuple[FormChoice, ...] = ()
    chosen: FormChoice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a person is asked for.

    Attributes:
        title, submit: the words above it and on its button; Slack takes 24 characters.
        seen: what it was made from, and what the command is sent again with: of an environment the release.
        notes: what the person should know before they go on, a line each.
    """

    title: str
    submit: str
    fields: tuple[FormField, ...]
    seen: str | None = None
    notes: tuple[str | Sentence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FormCommand(Command):
    """A command that asks by a form."""

    @abstractmethod
    def filled(self, entered: Mapping[str, str], seen: str | None) -> Command:
        """Return the command that was meant.

        Args:
            entered: name of each field → what was entered, verbatim.
            seen: of the form.

        Raises:
            Invalid: something in it cannot be used; values are not in the sentence.
        """

    def problem(self, entered: Mapping[str, str], offered: Mapping[str, str]) -> str:  # noqa: ARG002 - a form that offers something needs it
        """Return what is wrong as far as the form alone tells, or "": it is said at the form, where it can be mended.

        Args:
            entered: as of `filled`.
            offered: name of each field → what stood in it at first.
        """
        try:
            self.filled(entered, None)
        except Invalid as error:
            return f"{error.sentence}; {error.hint}" if error.hint else str(error.sentence)
        return ""

    def problems(self, entered: Mapping[str, str], offered: Mapping[str, str]) -> Mapping[str, str]:
        """Return what `problem` does, by the field where it is said."""
        wrong = self.problem(entered, offered)
        return {next(iter(entered), ""): wrong} if wrong else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvSetForm(FormCommand, EnvChange):
    """`env set` without a value. Attributes: key: whose value is asked for; None asks for variables, a line each."""

    key: str | None = None
    replace: bool = False

    @property
    def words(self) -> list[str]:
        key = [self.key] if self.key else []
        return ["env", "set", *key, *(["--replace"] if self.replace else []), *self.options]

    def form(self) -> Form:
        """Return what is asked for."""
        if self.key is None:
            lines = FormField(
                name=VARIABLES,
                label="Variables",
                kind="lines",
                hint=f"A line each: KEY=VALUE. {SEVERAL_LINES} Nobody else sees this.",
            )
            return Form(title=f"Set in {self.app}"[:24], submit="Set", fields=(lines,))
        hint = "It is taken as it is, several lines too. Nobody else sees this."
        value = FormField(name=VALUE, label=f"Value of {self.key}", kind="secret", hint=hint)
        return Form(title=f"Set in {self.app}"[:24], submit="Set", fields=(value,))

    def filled(self, entered: Mapping[str, str], seen: str | None) -> Command:  # noqa: ARG002 - whoever sets sees nothing
        if self.key is not None:
            pairs = [(self.key, entered.get(VALUE, ""))]
        else:
            lines = variable_lines(entered.get(VARIABLES, ""))
            if alone := [str(line.number) for line in lines if line.value is None]:
                raise Invalid(f"not KEY=VALUE: line {', '.join(alone[:10])}", hint=SEVERAL_LINES)
            pairs = [(line.key, line.value or "") for line in lines]
        if not pairs:
            raise Invalid("there is no variable in it", hint="write KEY=VALUE, a line each")
        encoded_values(dict(pairs))
        warnings = tuple(warning for key, value in pairs for warning in odd_value(key, value))
        return EnvSet(
            app=self.app,
            pairs=tuple(pairs),
            replace=self.replace,
            release=self.release,
            promote=self.promote,
            overwrite=self.overwrite,
            with_id=self.with_id,
            warnings=(*self.warnings, *warnings),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvEdit(FormCommand, EnvChange):
    """All variables at once.

    Attributes:
        lines: what was entered, key and value; None where a name alone keeps its value. None in all before anybody entered it.
        seen: of the form.
    """

    lines: tuple[VariableLine, ...] | None = field(default=None, repr=False)
    seen: str | None = None

    @property
    def words(self) -> list[str]:
        return ["env", "edit", *self.options]

    def form(self, names: tuple[str, ...], seen: str) -> Form:
        """Return what is asked for: the names that there are, of which no value is shown."""
        lines = FormField(
            name=VARIABLES,
            label="Variables",
            kind="lines",
            hint=f"A name alone keeps its value, KEY=VALUE sets one, a line that is gone unsets it. {SEVERAL_LINES}",
            text="".join(f"{name}\n" for name in names),
        )
        return Form(title=f"Variables of {self.app}"[:24], submit="Save", fields=(lines,), seen=seen)

    def filled(self, entered: Mapping[str, str], seen: str | None) -> Command:
        lines = tuple(variable_lines(entered.get(VARIABLES, "")))
        if not lines:
            raise Invalid(
                "nothing is left of it, so nothing was changed", hint="env unset KEY… removes variables"
            )
        given = {line.key: line.value for line in lines if line.value is not None}
        encoded_values(given)
        warnings = tuple(warning for key, value in given.items() for warning in odd_value(key, value))
        return replace(self, lines=lines, seen=seen, warnings=(*self.warnings, *warnings))

    def problem(self, entered: Mapping[str, str], offered: Mapping[str, str]) -> str:
        if wrong := FormCommand.problem(self, entered, offered):
            return wrong
        names = set(offered.get(VARIABLES, "").split())
        lines = variable_lines(entered.get(VARIABLES, ""))
        strange = [str(line.number) for line in lines if line.value is None and line.key not in names]
        return f"no such variable yet, so it needs a value: line {', '.join(strange[:10])}" if strange else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteApp(FormCommand):
    """Attributes: yes: the app's name once more; None before anybody has entered it."""

    app: str
    yes: str | None = None

    @property
    def words(self) -> list[str]:
        return ["apps", "delete", self.app, *(["--yes", self.yes] if self.yes else [])]

    def form(self) -> Form:
        """Return what is asked for."""
        name = FormField(
            name=NAME,
            label=f"Type {self.app} to delete it",
            kind="name",
            hint="What it runs is removed. Its releases and their variables stay in the records.",
        )
        return Form(title="Delete an app", submit="Delete", fields=(name,))

    def filled(self, entered: Mapping[str, str], seen: str | None) -> Command:  # noqa: ARG002 - a name is all of it
        if entered.get(NAME, "").strip() != self.app:
            raise Invalid(f"that is not the name of {self.app}, so nothing was deleted")
        return replace(self, yes=self.app)


def fill(command: Command, entered: Mapping[str, str] | None, seen: str | None) -> Command:
    """Return the command with what was entered into its form, if anything was.

    Raises:
        Invalid: it asks for nothing, or what was entered cannot be used.
    """
    if entered is None:
        return command
    if not isinstance(command, FormCommand):
        raise Invalid("this command asks for no input", hint="leave the input out")
    return command.filled(entered, seen)


def odd_value(key: str, value: str) -> list[str]:
    """Warn of a value that is perhaps not what was pressed; it names the key, never the value."""
    odd = " and ".join(oddities(value))
    kept = f"{key} holds {odd}, kept exactly as they came: if your keyboard made them, set it again with straight ones"
    return [kept] if odd else []
