"""How often something that only repeats is repeated: often enough to prove it, or as long as it takes to look for luck."""

import os

# Set by `make soak`; an environment variable, since it decides on parameters before pytest has read its options.
SOAKING = os.environ.get("SOAK") == "1"


def times(enough: int, *, soak: int) -> int:
    """Return `enough` in `make test` and `soak` in `make soak`; whoever asks carries the marker `soak`."""
    return soak if SOAKING else enough
