"""Words that the sentences of several kinds share."""


def number_of(number: int, noun: str) -> str:
    """Return `1 new pod`, `2 new pods`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
