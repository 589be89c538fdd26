"""An environment: an ordered map of variables, with Convox's rules of text and of difference."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# `\Z`, since `$` would let a line end pass, and such a variable could be set but neither run nor unset.
KEY = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*\Z")
MASK = "****"


@dataclass(frozen=True, slots=True)
class Environment:
    """Variables in the order in which they were set; values verbatim, never shown by `repr`."""

    pairs: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"Environment({', '.join(self)})"

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in self.pairs)

    def get(self, key: str) -> str | None:
        return dict(self.pairs).get(key)

    def with_pairs(self, pairs: Iterable[tuple[str, str]]) -> "Environment":
        """Return it with these set: a known key keeps its place, a new one goes to the end, the last wins."""
        return Environment(tuple((dict(self.pairs) | dict(pairs)).items()))

    def without(self, keys: Iterable[str]) -> "Environment":
        gone = set(keys)
        return Environment(tuple((k, v) for k, v in self.pairs if k not in gone))

    def masked(self) -> "Environment":
        """Return it as whoever may not see values is shown it: each is `****`."""
        return Environment(tuple((key, MASK) for key, _ in self.pairs))

    @property
    def lines(self) -> list[str]:
        """`KEY=VALUE` in stored order; a value with newlines is one of them."""
        return [f"{key}={value}" for key, value in self.pairs]


@dataclass(frozen=True, slots=True)
class Difference:
    """The variables that two environments have not in common, each group by name; values never shown."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.added) + len(self.changed) + len(self.removed)

    def __str__(self) -> str:
        """Return Convox's `add:A change:B remove:C`, "" where nothing differs."""
        groups = (("add", self.added), ("change", self.changed), ("remove", self.removed))
        return " ".join(f"{what}:{key}" for what, keys in groups for key in keys)


def difference(old: Environment, new: Environment) -> Difference:
    """Return what has changed from one environment to another."""
    before, after = dict(old.pairs), dict(new.pairs)
    return Difference(
        added=tuple(sorted(after.keys() - before.keys())),
        changed=tuple(sorted(k for k in before.keys() & after.keys() if before[k] != after[k])),
        removed=tuple(sorted(before.keys() - after.keys())),
    )
