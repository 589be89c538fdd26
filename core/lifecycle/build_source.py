"""What a build makes of its source: which images, and by which token its pod fetches it, or tells what it has cloned."""

import hmac

from core.build_run import BuildRequest, BuildRun
from core.errors import Invalid
from core.lifecycle.patience import check_times
from core.manifest.convox_yml import images_needed, parse_manifest, resolve_images
from core.manifest.image_builds import MOST_IMAGES, ImageBuild, image_copies, read_image_builds
from core.policy.rules import Rules
from core.ports.store import StoreReader
from core.records.build import BuildStatus
from core.records.environment import Environment

# What stands in for an image that is still to be built, where the others are checked.
_BUILT = "built/here:now"


def wanted_images(request: BuildRequest, environment: Environment) -> tuple[ImageBuild, ...]:
    """Return the images that are to be built: of each service with `build:` for which none was given, then those to be copied.

    Copied into the registry of the rack is what `image:` names, where that was asked for: so a release lives on when whoever
    made it takes it away. None of either while only a clone can tell the manifest, and no copies where nothing is built.

    Raises:
        Invalid: the manifest cannot be read, says of `build:` what cannot be used, or has too many images.
    """
    if request.awaits_clone:
        return ()
    manifest = parse_manifest(request.manifest, environment, complete=False)
    services = [name for name in images_needed(manifest) if not request.images.get(name)]
    built = read_image_builds(request.manifest, environment, services, request.build_args)
    own = {
        each.name: each.image
        for each in manifest.services
        if each.image and not request.images.get(each.name)
    }
    wanted = (*built, *(image_copies(own) if built and request.copy_images else ()))
    if len(wanted) > MOST_IMAGES:
        raise Invalid(f"more than {MOST_IMAGES} images in one build", hint="register some with --image")
    return wanted


def check_request(request: BuildRequest, environment: Environment, rules: Rules) -> None:
    """Say now what would else be said when its images are pushed.

    Raises:
        Invalid: the manifest cannot be used, there is nothing to build in it, or an image is unknown.
    """
    loaded = parse_manifest(request.manifest, environment, complete=False)
    check_times(loaded.services, rules)
    wanted = wanted_images(request, environment)
    if not wanted:
        raise Invalid(
            "there is nothing to build: each service has its image",
            hint="register them without a source",
        )
    built = {service: _BUILT for image in wanted for service in image.services}
    resolve_images(loaded, {**request.images, **built})


async def source_token(read: StoreReader, build: str) -> str:
    """Return the token with which the pod of a build fetches its source; it is stored nowhere, and good for that alone."""
    return await read.keyed_digest("the source of a build", build)


async def may_fetch(read: StoreReader, run: BuildRun, token: str) -> bool:
    """Tell whether a token opens the source of a build: while that is running, and not a moment longer."""
    expected = await source_token(read, run.id)
    return run.status is BuildStatus.RUNNING and hmac.compare_digest(expected.encode(), token.encode())
