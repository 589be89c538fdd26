"""The manifest of a build: convox.yml, read strictly, so that nothing a team wrote is left out in silence.

Load order as in Convox: `${VAR}` from the release's environment only, then YAML, defaults, environment, labels.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from core.errors import Invalid
from core.manifest.autoscaling import scaling_faults
from core.manifest.configs import Config, ConfigMount, missing_configs
from core.manifest.images import image_problem
from core.manifest.names import NAME, NAME_RULE
from core.manifest.reader import MAX_SERVICES, read_manifest
from core.manifest.resources import AppResource, validate_resources
from core.manifest.service import EnvironmentDeclaration, Service
from core.manifest.timers import Timer
from core.records.environment import Environment
from core.sentence import CommandLine, Sentence
from core.yaml.problems import Problems
from core.yaml.source import interpolate, word_of
from core.yaml.tree import compose

__all__ = [
    "EnvironmentDeclaration",
    "Manifest",
    "Service",
    "images_needed",
    "parse_manifest",
    "resolve_images",
]

MAX_NAME_CHARS = 63  # a Service's name and a label's value end there
# Characters of all copies of the environment, one a service: a bundle is rendered, sealed and sent as a whole.
LARGEST_COPIES = 16 * 1024 * 1024
MOST_NAMES = MAX_SERVICES  # names that one sentence repeats: all of them (contract 4), unless they are no services at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A loaded convox.yml.

    Attributes:
        services: in the order of the file.
        environment: the declarations at the top; each service has them before its own.
        timers: in the order of the file; each names a service.
        resources: what its services link to, overlaid ones too; `configs`: files that they mount.
        notes: sentences on keys of which nothing comes here and on data that lasts, in the order of the file.
    """

    services: tuple[Service, ...] = ()
    environment: tuple[EnvironmentDeclaration, ...] = ()
    timers: tuple[Timer, ...] = ()
    resources: tuple[AppResource, ...] = ()
    configs: tuple[Config, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def made(self) -> tuple[AppResource, ...]:
        """The resources that are made, by name."""
        return tuple(sorted((r for r in self.resources if not r.overlaid), key=lambda each: each.name))


def parse_manifest(
    text: str, environment: Environment, *, complete: bool = True, stored: bool = False
) -> Manifest:
    """Read a convox.yml with the environment of a release.

    Args:
        text: the file.
        environment: what the release sets.
        complete: refuse it where variables are missing, as a promote does; a build is registered without them.
        stored: it is of a build that was taken before: what is doubted since then is noted, lest nobody could go back to it.

    Raises:
        Invalid: everything that is wrong, one problem a line: first what cannot be read (with line numbers),
            then `required env: A, B`, then Convox's `validation errors:`.
    """
    problems = Problems("convox.yml", hint="mend the file and register a new build")
    root = compose(interpolate(text, dict(environment.pairs), problems), problems)
    declared, services, timers, resources, configs, notes = read_manifest(
        root, problems, environment, stored=stored
    )
    problems.finish()
    if complete and (missing := required(services, environment)):
        raise Invalid(
            f"required env: {', '.join(missing)}",
            hint=Sentence.of(
                "set what is missing: ", CommandLine(f"env set {' '.join(f'{key}=…' for key in missing)}")
            ),
        )
    _check_copies(len(services), environment)
    shown = partial(word_of, text)
    wrong = validate_resources(resources, [(service.name, service.links) for service in services], shown)
    wrong += [sentence for service in services for sentence in _validate(service, shown)]
    mounts = (mount for service in services for mount in _configs_of(service))
    wrong += missing_configs(configs, mounts, shown)
    if wrong:
        raise Invalid(
            "validation errors:\n" + "\n".join(wrong), hint="mend the file and register a new build"
        )
    return Manifest(
        services=services,
        environment=declared,
        timers=timers,
        resources=resources,
        configs=configs,
        notes=notes,
    )


def _check_copies(services: int, environment: Environment) -> None:
    size = sum(len(key) + len(value) for key, value in environment.pairs)
    if services * size > LARGEST_COPIES:
        raise Invalid(
            f"{services} services with a copy of all {size:,} characters of the environment each would be more than the "
            f"limit of {LARGEST_COPIES:,}",
            hint="keep large values in a file of the image, or split the app",
        )


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


def _name_problem(name: str) -> str | None:
    if not NAME.fullmatch(name):
        return NAME_RULE
    if name.endswith("-") or len(name) > MAX_NAME_CHARS:
        return f"must not end with a dash and have at most {MAX_NAME_CHARS} characters"
    return None


def _validate(service: Service, shown: Callable[[str], str]) -> list[str]:
    """Return Convox's texts for what can be read but cannot run."""
    name, deployment = shown(service.name), service.deployment
    wrong = _mounts(service, shown)
    if (why := _name_problem(service.name)) is not None:
        wrong.append(f"service name {name} invalid, {why}")
    for key, percent, low, high in (
        ("minimum", deployment.minimum, 0, 100),
        ("maximum", deployment.maximum, 100, 200),
    ):
        if percent < low:
            wrong.append(f"service {name} deployment {key} can not be less than {low}")
        if percent > high:
            wrong.append(f"service {name} deployment {key} can not be greater than {high}")
    if service.internal and service.route.internal_router:
        wrong.append(f"service {name} can not have both internal and internalRouter set as true")
    return [*wrong, *scaling_faults(name, service.scale.count, service.scale.autoscaler)]


def _configs_of(service: Service) -> tuple[ConfigMount, ...]:
    return service.configs + (service.before.configs if service.before else ())


def _mounts(service: Service, shown: Callable[[str], str]) -> list[str]:
    """Return what the API server would refuse only when a pod is to be made."""
    paths = [volume.path.rstrip("/") for volume in service.volumes] + [each.path for each in service.configs]
    twice = sorted({path for path in paths if paths.count(path) > 1})
    return [
        f'service {shown(service.name)} mounts "{"/".join(map(shown, path.split("/")))}" twice'
        for path in twice
    ]


def images_needed(manifest: Manifest) -> tuple[str, ...]:
    """Return the services whose image CI must register, in the order of the manifest."""
    return tuple(service.name for service in manifest.services if service.image is None)


def resolve_images(manifest: Manifest, images: Mapping[str, str]) -> dict[str, str]:
    """Return service → image for every service: the registered one, else the manifest's own.

    Raises:
        Invalid: services without an image, names that are no services, references that are none; all at once.
    """
    names = {service.name: None for service in manifest.services}
    missing = [name for name in images_needed(manifest) if not images.get(name)]
    unknown = [repr(name[:63]) for name in images if name not in names]
    bad = [
        f"image of {name} is no image reference ({why}): {reference[:80]!r}"
        for name in names
        if (reference := images.get(name)) and (why := image_problem(reference))
    ]
    sentences = [
        *([f"no image for {_listed(missing)}"] if missing else []),
        *([f"no such service: {_listed(unknown)}"] if unknown else []),
        *bad,
    ]
    if sentences:
        hint = f"the manifest has {_listed(list(names))}; give --image SERVICE=REFERENCE for each that has build:"
        raise Invalid("\n".join(sentences), hint=hint)
    own = {service.name: service.image or "" for service in manifest.services}
    return {name: images.get(name) or own[name] for name in names}


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")
