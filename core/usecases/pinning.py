"""Tags become digests where the registry answers, so that what was registered is what runs (engine rule 9)."""

import asyncio
from collections.abc import Mapping, Sequence

from core.errors import Unauthenticated, Unreachable
from core.ports.registry import ImageRegistry
from core.records.build import is_pinned
from core.records.registry_account import RegistryAccount, host_of
from core.sentence import EMPTY_SENTENCE, CommandLine, Sentence


async def pinned(
    registry: ImageRegistry | None, app: str, images: Mapping[str, str], logins: Sequence[RegistryAccount]
) -> tuple[dict[str, str], tuple[Sentence, ...]]:
    """Return the images by digest, as far as their registries answer, and a sentence for each that stays as it is.

    Args:
        registry: whom to ask; None asks nobody.
        app: whose build it is.
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
            await asyncio.gather(*(_digest(registry, app, i, by_host.get(host_of(i))) for i in loose)),
            strict=True,
        )
    )
    notes = [
        Sentence.of(f"{service} is not pinned: ", why)
        for service, image in images.items()
        if image in found and (why := found[image][1])
    ]
    named = {image: f"{image}@{digest}" for image, (digest, why) in found.items() if not why}
    return {service: named.get(image, image) for service, image in images.items()}, tuple(notes)


async def _digest(
    registry: ImageRegistry, app: str, image: str, login: RegistryAccount | None
) -> tuple[str, Sentence]:
    """Return the digest, or why there is none."""
    try:
        return await registry.digest(image, login), EMPTY_SENTENCE
    except Unauthenticated as error:
        return "", Sentence.of(f"{error}: ", CommandLine(f"registries add {host_of(image)} USER -a {app}"))
    except Unreachable as error:
        return "", Sentence.of(str(error))
