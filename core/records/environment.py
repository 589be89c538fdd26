"""An environment: an ordered map of variables, with Convox's rules of text and of difference."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from core.errors import Invalid
from core.records.environment_text import KEY, variable_text

MASK = "****"
# Kubernetes' MaxSecretSize, over all values of one Secret, and its limit of a key.
SECRET_LIMIT = 1024 * 1024
LONGEST_KEY = 253  # characters
# Linux' MAX_ARG_STRLEN: one `KEY=VALUE` with its end; beyond it no process starts ("argument list too long").
VARIABLE_LIMIT = 128 * 1024
ELSEWHERE = "keep large values in files or in a store of their own"


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

    def replaced_by(self, pairs: Iterable[tuple[str, str]]) -> "Environment":
        """Return these and no others; what was there keeps its place."""
        wanted = dict(pairs)
        return self.with_pairs(wanted.items()).without(set(self) - wanted.keys())

    def without(self, keys: Iterable[str]) -> "Environment":
        gone = set(keys)
        return Environment(tuple((k, v) for k, v in self.pairs if k not in gone))

    def masked(self) -> "Environment":
        """Return it as whoever may not see values is shown it: each is `****`."""
        return Environment(tuple((key, MASK) for key, _ in self.pairs))

    @property
    def lines(self) -> list[str]:
        """The variables in stored order, each as `core.records.environment_text` reads it again."""
        return [variable_text(key, value) for key, value in self.pairs]


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


def check_size(environment: Environment, changed: Iterable[str]) -> None:
    """Refuse variables that could not run, where they are set: at a promote nobody would know which one it was.

    Args:
        environment: with the change.
        changed: the names that were set; what was there before is judged when it is promoted.

    Raises:
        Invalid: a name or a value that no process can be given, or all together more than a Secret holds; it names the
            largest of those that were set.
    """
    values = dict(environment.pairs)
    encoded = encoded_values({key: values[key] for key in changed})
    if not encoded:
        return
    rest = sum(
        len(value.encode("utf-8", "surrogatepass")) for key, value in values.items() if key not in encoded
    )
    if (size := rest + sum(map(len, encoded.values()))) > SECRET_LIMIT:
        largest = max(encoded, key=lambda key: len(encoded[key]))
        raise Invalid(
            f"with {largest}, which has {len(encoded[largest]):,} bytes, the environment has {size:,};"
            f" Kubernetes takes {SECRET_LIMIT:,} in one Secret",
            hint=ELSEWHERE,
        )


def encoded_values(values: Mapping[str, str]) -> dict[str, bytes]:
    """Return the values in UTF-8, in the order of their keys.

    Raises:
        Invalid: no process could be started with one of them; names its key, never a value.
    """
    return {key: _encoded(key, values[key]) for key in sorted(values)}


def _encoded(key: str, value: str) -> bytes:
    if not KEY.fullmatch(key):
        raise Invalid(f"{key[:40]!r} is no name of a variable", hint="unset it")
    if len(key) > LONGEST_KEY:
        raise Invalid(
            f"the name {key[:40]}… has {len(key)} characters; Kubernetes takes {LONGEST_KEY}",
            hint="give it a shorter name",
        )
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        raise Invalid(f"the value of {key} is not valid Unicode", hint=f"set {key} anew") from None
    if b"\0" in encoded:
        raise Invalid(
            f"the value of {key} has a NUL byte, and no variable can hold one", hint=f"set {key} anew"
        )
    if (size := len(key) + len(encoded) + 2) > VARIABLE_LIMIT:
        raise Invalid(
            f"{key} has {size:,} bytes; Linux takes {VARIABLE_LIMIT:,} in one variable", hint=ELSEWHERE
        )
    return encoded
