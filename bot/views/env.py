"""An environment as `env` lists it."""

from core.records.environment import Environment


def env_list(environment: Environment) -> str:
    """Return `KEY=VALUE` lines sorted as Convox sorts them."""
    # By `KEY=`, so that `A1` stands before `A` and a value with newlines stays whole.
    pairs = sorted(environment.pairs, key=lambda pair: pair[0] + "=")
    return "\n".join(Environment(tuple(pairs)).lines)
