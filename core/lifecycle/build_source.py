"""What a build makes of its source: which images, and by which token its pod fetches it."""

import hmac

from core.build_run import BuildRequest, BuildRun
from core.manifest.convox_yml import images_needed, parse_manifest
from core.manifest.image_builds import ImageBuild, read_image_builds
from core.ports.store import StoreReader
from core.records.build import BuildStatus
from core.records.environment import Environment


def wanted_images(request: BuildRequest, environment: Environment) -> tuple[ImageBuild, ...]:
    """Return the images that are to be built: of each service with `build:` for which none was given.

    None while only a clone can tell the manifest.

    Raises:
        Invalid: the manifest cannot be read, or says of `build:` what cannot be used.
    """
    if request.awaits_clone:
        return ()
    manifest = parse_manifest(request.manifest, environment, complete=False)
    services = [name for name in images_needed(manifest) if not request.images.get(name)]
    return read_image_builds(request.manifest, environment, services, request.build_args)


async def source_token(read: StoreReader, build: str) -> str:
    """Return the token with which the pod of a build fetches its source; it is stored nowhere, and good for that alone."""
    return await read.keyed_digest("the source of a build", build)


async def may_fetch(read: StoreReader, run: BuildRun, token: str) -> bool:
    """Tell whether a token opens the source of a build: while that is running, and not a moment longer."""
    expected = await source_token(read, run.id)
    return run.status is BuildStatus.RUNNING and hmac.compare_digest(expected.encode(), token.encode())
