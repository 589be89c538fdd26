"""How a timestamp, an actor and a set of references are written in a column."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from core.actor import Actor
from core.records.bundle import Ref
from core.sentence import Channel, CommandLine, Hyperlink, Part, Sentence, TimeOfDay, UserGroup

Columns = dict[str, Any]


def timestamp(at: datetime) -> str:
    """Return RFC 3339 in UTC with six digits of a second, which sorts as it is.

    Raises:
        ValueError: the datetime has no time zone: nobody could tell which moment it is.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def timestamp_or_none(at: datetime | None) -> str | None:
    return None if at is None else timestamp(at)


def datetime_or_none(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def json(document: Any) -> str:
    """Return compact JSON; dataclasses and read-only mappings are written as objects."""
    return json_bytes(document).decode()


def json_bytes(document: Any) -> bytes:
    return orjson.dumps(document, default=plain)


def plain(value: Any) -> Any:
    """Give orjson what it does not know by itself."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no place in a column")


def actor_text(actor: Actor) -> str:
    return json({"kind": actor.kind, "id": actor.id, "name": actor.name})


def actor_of(text: str) -> Actor:
    return Actor(**orjson.loads(text))


def actor_text_or_none(actor: Actor | None) -> str | None:
    return None if actor is None else actor_text(actor)


def actor_or_none(text: str | None) -> Actor | None:
    return None if text is None else actor_of(text)


def sentence_document(sentence: Sentence) -> list[Any]:
    """Return a sentence for a sealed column: texts as they are, each other part as an object that says its kind."""
    return [part if isinstance(part, str) else _part_document(part) for part in sentence.parts]


def _part_document(part: Actor | Channel | UserGroup | TimeOfDay | CommandLine | Hyperlink) -> dict[str, Any]:
    match part:
        case Actor():
            return {"actor": {"kind": part.kind, "id": part.id, "name": part.name}}
        case Channel():
            return {"channel": part.id}
        case UserGroup():
            return {"group": part.id}
        case TimeOfDay():
            return {"time": timestamp(part.at), "seconds": part.seconds}
        case CommandLine():
            return {"command": part.words}
        case Hyperlink():
            return {"link": part.url, "words": part.words}


def sentence_of(document: list[Any]) -> Sentence:
    return Sentence.of(*(part if isinstance(part, str) else _part_of(part) for part in document))


def _part_of(document: dict[str, Any]) -> Part:
    match document:
        case {"actor": actor}:
            return Actor(**actor)
        case {"channel": channel}:
            return Channel(channel)
        case {"group": group}:
            return UserGroup(group)
        case {"command": words}:
            return CommandLine(words)
        case {"link": url, "words": words}:
            return Hyperlink(url, words)
        case {"time": at, "seconds": seconds}:
            return TimeOfDay(datetime.fromisoformat(at), seconds)
        case _:
            raise ValueError(f"{', '.join(document)} is no part of a sentence")


def refs_text(refs: Iterable[Ref]) -> str:
    return json([[ref.kind, ref.name] for ref in refs])


def refs_of(text: str) -> tuple[Ref, ...]:
    return tuple(Ref(kind, name) for kind, name in orjson.loads(text))
