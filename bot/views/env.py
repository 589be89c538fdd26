"""An environment as `env` lists it."""

from core.errors import NotFound
from core.records.environment import Environment


def env_list(environment: Environment, *, reveal: bool) -> str:
    """Return `KEY=VALUE` lines sorted as Convox sorts them; without `reveal` every value is `****`."""
    # By `KEY=`, so that `A1` stands before `A` and a value with newlines stays whole.
    pairs = sorted(environment.pairs, key=lambda pair: pair[0] + "=")
    return "\n".join(Environment(tuple(pairs)).text(reveal=reveal))


def env_value(environment: Environment, key: str) -> str:
    """Return one value, for the person who asked and nobody else.

    Raises:
        NotFound: there is no such variable.
    """
    value = environment.get(key)
    if value is None:
        raise NotFound(f"env not found: {key}")
    return value
