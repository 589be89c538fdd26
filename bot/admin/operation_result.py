"""What a command of an operator has to say: a text for people, and facts for programs."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class OperationResult:
    """What a command has done.

    Attributes:
        text: for people.
        facts: the same for programs, by names that stay (docs/commands.md).
        good: whether all is as it should be; otherwise the command ends with 1.
    """

    text: str
    facts: Mapping[str, object] = field(default_factory=dict)
    good: bool = True

    @property
    def document(self) -> dict[str, object]:
        return {**self.facts, "text": self.text}
