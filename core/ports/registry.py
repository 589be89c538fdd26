"""What a registry says of an image."""

from typing import Protocol

from core.records.registry_account import RegistryAccount


class ImageRegistry(Protocol):
    """Registries, asked for what a tag names now."""

    async def digest(self, image: str, login: RegistryAccount | None) -> str:
        """Return `sha256:…` of an image by tag.

        Raises:
            Unauthenticated: it asks for a login, and there is none.
            Unreachable: nobody says so in time; the text says why, as the end of "… is not pinned: ".
        """
        ...
