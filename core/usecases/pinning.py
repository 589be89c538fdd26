"""Tags become digests where the registry answers, so that what was registered is what runs (engine rule 9)."""

import asyncio
from collections.abc import Mapping, Sequence

from core.errors import Unreachable
from core.ports.registry import ImageRegistry
from core.records.build import is_pinned
from core.records.registry_account import RegistryAccount, host_of


async def pinned(
    registry: ImageRegistry | None, images: Mapping[str, str], logins: Sequence[RegistryAccount]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the images by digest, as far as their registries answer, and a sentence for each that stays as it is.

    Args:
        registry: whom to ask; None asks nobody.
        images: service → image.
        logins: of the app.
    """
    if registry is None:
        return dict(images), ()
    loose = sorted({image for image in images.values() if not is_pinned(image)})
    by_host = {login.host: login for login in logins}
    found = dict(
        zip(
            loose,
            await asyncio.gather(*(_digest(registry, i, by_host.get(host_of(i))) for i in loose)),
            strict=True,
        )
    )
    notes = [
        f"{service} is not pinned: {why}"
        for service, image in images.items()
        if image in found and (why := found[image][1])
    ]
    named = {image: f"{image}@{digest}" for image, (digest, why) in found.items() if not why}
    return {service: named.get(image, image) for service, image in images.items()}, tuple(notes)


async def _digest(registry: ImageRegistry, image: str, login: RegistryAccount | None) -> tuple[str, str]:
    """Return the digest, or why there is none."""
    try:
        return await registry.digest(image, login), ""
    except Unreachable as error:
        return "", str(error)
