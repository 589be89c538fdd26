"""The manifest of a build: convox.yml, read strictly, so that nothing a team wrote is left out in silence.

Load order as in Convox: `${VAR}` from the release's environment only, then YAML, defaults, environment, labels.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import Invalid
from core.manifest.images import image_problem
from core.manifest.reader import NAME, NAME_RULE, read_manifest
from core.manifest.service import EnvironmentDeclaration, Service
from core.records.environment import Environment
from core.yaml.problems import Problems
from core.yaml.tree import compose, cut, interpolate

__all__ = ["EnvironmentDeclaration", "Manifest", "Service", "images_needed", "load", "resolve_images"]

MAX_NAME_CHARS = 63  # a Service's name and a label's value end there


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A loaded convox.yml.

    Attributes:
        services: in the order of the file.
        environment: the declarations at the top; each service has them before its own.
    """

    services: tuple[Service, ...] = ()
    environment: tuple[EnvironmentDeclaration, ...] = ()


def load(text: str, environment: Environment) -> Manifest:
    """Read a convox.yml with the environment of a release.

    Raises:
        Invalid: everything that is wrong, one problem a line: first what cannot be read (with line numbers),
            then `required env: A, B`, then Convox's `validation errors:`.
    """
    problems = Problems("convox.yml", hint="mend the file and register a new build")
    root = compose(interpolate(text, dict(environment.pairs)), problems)
    declared, services = read_manifest(root, problems)
    problems.finish()
    if missing := required(services, environment):
        raise Invalid(
            f"required env: {', '.join(missing)}",
            hint=f"set what is missing: env set {' '.join(f'{key}=…' for key in missing)}",
        )
    if wrong := [sentence for service in services for sentence in _validate(service)]:
        raise Invalid(
            "validation errors:\n" + "\n".join(wrong), hint="mend the file and register a new build"
        )
    return Manifest(services=services, environment=declared)


def required(services: tuple[Service, ...], environment: Environment) -> list[str]:
    """Return the names, sorted, that a service declares without a default and the release does not set.

    Convox names those of the first failing service only; here it is all of them, so that one answer is enough.
    """
    given = set(environment)
    return sorted(
        {
            d.key
            for service in services
            for d in service.environment
            if d.default is None and d.key not in given
        }
    )


def _validate(service: Service) -> list[str]:
    """Return Convox's texts for what can be read but cannot run."""
    name, deployment = service.name, service.deployment
    wrong = []
    if not NAME.fullmatch(name) or name.endswith("-") or len(name) > MAX_NAME_CHARS:
        why = NAME_RULE
        if NAME.fullmatch(name):
            why = f"must not end with a dash and have at most {MAX_NAME_CHARS} characters"
        wrong.append(f"service name {cut(name)[1:-1]} invalid, {why}")
    for key, percent, low, high in (
        ("minimum", deployment.minimum, 0, 100),
        ("maximum", deployment.maximum, 100, 200),
    ):
        if percent < low:
            wrong.append(f"service {name} deployment {key} can not be less than {low}")
        if percent > high:
            wrong.append(f"service {name} deployment {key} can not be greater than {high}")
    return wrong


def images_needed(manifest: Manifest) -> tuple[str, ...]:
    """Return the services whose image CI must register, in the order of the manifest."""
    return tuple(service.name for service in manifest.services if service.image is None)


def resolve_images(manifest: Manifest, images: Mapping[str, str]) -> dict[str, str]:
    """Return service → image for every service: the registered one, else the manifest's own.

    Raises:
        Invalid: services without an image, names that are no services, references that are none; all at once.
    """
    names = [service.name for service in manifest.services]
    missing = [name for name in images_needed(manifest) if not images.get(name)]
    unknown = [name for name in images if name not in names]
    bad = [
        f"image of {name} is no image reference ({why}): {reference[:80]!r}"
        for name, reference in images.items()
        if name in names and reference and (why := image_problem(reference))
    ]
    sentences = [
        *(["no image for " + ", ".join(missing)] if missing else []),
        *([f"no such service: {', '.join(repr(n[:63]) for n in unknown)}"] if unknown else []),
        *bad,
    ]
    if sentences:
        hint = f"the manifest has {', '.join(names)}; give --image SERVICE=REFERENCE for each that has build:"
        raise Invalid("\n".join(sentences), hint=hint)
    own = {service.name: service.image or "" for service in manifest.services}
    return {name: images.get(name) or own[name] for name in names}
