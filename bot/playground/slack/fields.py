"""Small checks that every Block Kit rule is made of, wording their complaints as Slack does."""

from collections.abc import Iterable, Iterator
from typing import Any

Json = dict[str, Any]
Problems = Iterator[str]


# With it a complaint stands in `response_metadata`, without it in `errors`.
MARK = "[ERROR] "


def complaint(what: str, pointer: str) -> str:
    return f"{MARK}{what} [json-pointer:{pointer}]"


def missing(pointer: str) -> str:
    """Complain about something required that is not there: Slack names the field, and points at what should have it."""
    parent, _, field = pointer.rpartition("/")
    return complaint(f"missing required field: {field}", parent)


def unknown_keys(thing: Json, allowed: Iterable[str], pointer: str) -> Problems:
    for key in thing:
        if key not in allowed:
            yield complaint(f"invalid additional property: {key}", pointer)


def length(value: Any, pointer: str, *, most: int, least: int = 1) -> Problems:
    """Check a required string's length."""
    if not isinstance(value, str):
        yield complaint("must be a string", pointer) if value is not None else missing(pointer)
    elif len(value) < least:
        yield complaint(f"must be more than {least - 1} characters", pointer)
    elif len(value) > most:
        yield complaint(f"must be less than {most + 1} characters", pointer)


def optional_length(thing: Json, key: str, pointer: str, *, most: int, least: int = 0) -> Problems:
    if key in thing:
        yield from length(thing[key], f"{pointer}/{key}", most=most, least=least)


def text_object(
    value: Any, pointer: str, *, most: int, kinds: tuple[str, ...] = ("mrkdwn", "plain_text")
) -> Problems:
    """Check a required text composition object."""
    if not isinstance(value, dict):
        yield complaint("must provide an object", pointer) if value is not None else missing(pointer)
        return
    kind = value.get("type")
    if kind not in kinds:
        yield complaint(f"unsupported type: {kind}, must be one of {', '.join(kinds)}", f"{pointer}/type")
        return
    allowed = {"type", "text", "verbatim"} if kind == "mrkdwn" else {"type", "text", "emoji"}
    yield from unknown_keys(value, allowed, pointer)
    yield from length(value.get("text"), f"{pointer}/text", most=most)


def plain_text(value: Any, pointer: str, *, most: int) -> Problems:
    yield from text_object(value, pointer, most=most, kinds=("plain_text",))


def count(values: Any, pointer: str, *, most: int, least: int = 1) -> Problems:
    """Check that a required list has an allowed number of members."""
    if not isinstance(values, list):
        yield complaint("must be a list", pointer) if values is not None else missing(pointer)
    elif len(values) < least:
        yield complaint(f"must have at least {least} items", pointer)
    elif len(values) > most:
        yield complaint(f"no more than {most} items allowed", pointer)


def each(values: Any, pointer: str) -> Iterator[tuple[Json, str]]:
    """Yield the members of a list that are objects, with where they stand."""
    for index, value in enumerate(values if isinstance(values, list) else []):
        if isinstance(value, dict):
            yield value, f"{pointer}/{index}"


def choice(thing: Json, key: str, pointer: str, allowed: Iterable[str]) -> Problems:
    if key in thing and thing[key] not in allowed:
        yield complaint(f"must be one of {', '.join(allowed)}", f"{pointer}/{key}")


def repeated(things: Any, key: str, pointer: str) -> Problems:
    """Check that an id stands once among some things; the second and each further one is complained about."""
    seen = set()
    for thing, where in each(things, pointer):
        if key in thing and (name := str(thing[key])) in seen:
            yield complaint(f'`{key}` "{name}" already exists', f"{where}/{key}")
        elif key in thing:
            seen.add(name)
