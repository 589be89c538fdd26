"""What an application offers in the menu of a message."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageShortcut:
    """A shortcut of the app's manifest, of the type message: `name` is what people choose, of at most 24 characters."""

    name: str
    callback_id: str
