"""How the images of a convox.yml are built: what `build:` says, read as strictly as a build needs it.

Apart from the rest of the manifest, which is read again with every promotion: what was registered with images that were
made elsewhere may say here whatever it likes.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from core.errors import Invalid
from core.manifest.keys import BUILD_IGNORED
from core.records.environment import Environment
from core.yaml.fields import FieldReader, node_kind
from core.yaml.problems import Problems
from core.yaml.source import cut, interpolate
from core.yaml.tree import MappingNode, Node, ScalarNode, compose

DOCKERFILE = "Dockerfile"
ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The digests of all images are told in the 4,096 bytes that a container may say at its end.
MOST_IMAGES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBuild:
    """One image, for every service that is built in the very same way.

    Attributes:
        path: the folder that is built, in the source; `.` is all of it.
        dockerfile: in that folder.
        args: name → value, in the order of the names.
        copied: an image that exists, which is copied as it is: nothing else of these is said of it. "" for what is built.
    """

    services: tuple[str, ...]
    path: str = "."
    dockerfile: str = DOCKERFILE
    args: tuple[tuple[str, str], ...] = ()
    copied: str = ""


def check_argument_names(build_args: Iterable[str]) -> None:
    """Raise Invalid where one of these is no name of a build argument."""
    wrong = sorted(name for name in build_args if not ARGUMENT.fullmatch(name))
    if wrong:
        raise Invalid(f"no name of a build argument: {', '.join(name[:63] for name in wrong)}")


def read_image_builds(
    text: str, environment: Environment, services: Sequence[str], build_args: Mapping[str, str]
) -> tuple[ImageBuild, ...]:
    """Return the images to be built.

    Args:
        text: a convox.yml that `parse_manifest` takes.
        environment: with which it is read.
        services: those whose image is to be built, in the order of the manifest.
        build_args: given to every image, over what the manifest says.

    Raises:
        Invalid: what `build:` says cannot be used, one problem a line, or there are too many images.
    """
    problems = Problems("convox.yml", hint="mend the file and build again")
    check_argument_names(build_args)
    root = compose(interpolate(text, dict(environment.pairs), problems), problems)
    read = FieldReader(problems)
    found: dict[ImageBuild, list[str]] = {}
    for name in services:
        said = _build(read, _keys(_keys(_keys(root).get("services")).get(name)).get("build"), name)
        args = tuple(sorted((dict(said.args) | dict(build_args)).items()))
        found.setdefault(
            ImageBuild(services=(), path=said.path, dockerfile=said.dockerfile, args=args), []
        ).append(name)
    problems.finish()
    return tuple(
        ImageBuild(services=tuple(names), path=each.path, dockerfile=each.dockerfile, args=each.args)
        for each, names in found.items()
    )


def image_copies(images: Mapping[str, str]) -> tuple[ImageBuild, ...]:
    """Return the images to be copied, service → reference, each once."""
    found: dict[str, list[str]] = {}
    for service, reference in images.items():
        found.setdefault(reference, []).append(service)
    return tuple(ImageBuild(services=tuple(names), copied=reference) for reference, names in found.items())


def _keys(node: Node | None) -> dict[str, Node]:
    return {entry.key.text: entry.value for entry in node.entries} if isinstance(node, MappingNode) else {}


def _build(read: FieldReader, node: Node | None, service: str) -> ImageBuild:
    what = f"build of service {service}"
    if node is None or isinstance(node, ScalarNode):
        return ImageBuild(services=(), path=_inside(read, node, what, "."))
    entries = read.entries_of(node, what, ("args", "manifest", "path", *BUILD_IGNORED))
    value = {key: entry.value for key, entry in entries.items()}
    args = _arguments(read, value["args"], f"args of {what}") if "args" in value else ()
    return ImageBuild(
        services=(),
        path=_inside(read, value.get("path"), f"path of {what}", "."),
        dockerfile=_inside(read, value.get("manifest"), f"manifest of {what}", DOCKERFILE),
        args=args,
    )


def _inside(read: FieldReader, node: Node | None, what: str, default: str) -> str:
    """Return a path in the source, without `..` and as short as it can be written."""
    given = read.text(node, what) if node is not None else ""
    path = PurePosixPath(given or default)
    if path.is_absolute() or ".." in path.parts:
        assert node is not None, "the default is inside"
        read.problems.add(node.line, f"{what} must stay inside the source: {node_kind(node)}")
        return default
    return str(path)


def _name(said: Node) -> str:
    """Return what stands before the value, which may be a secret, of an argument that is a text."""
    shown = said.shown[1:-1] if isinstance(said, ScalarNode) else ""
    return cut(shown.partition("=")[0])


def _arguments(read: FieldReader, node: Node, what: str) -> tuple[tuple[str, str], ...]:
    """Return `NAME=value` and `NAME: value`; a name alone takes what the build is given for it, so it says nothing here."""
    pairs: list[tuple[str, str, Node]]
    if isinstance(node, MappingNode):
        pairs = [
            (entry.key.text, read.text(entry.value, f"{entry.key.shown} in {what}"), entry.key)
            for entry in node.entries
        ]
    else:
        texts = [(read.text(item, what), item) for item in read.items(node, what)]
        pairs = [(*text.partition("=")[::2], item) for text, item in texts if "=" in text]
    for name, _, said in pairs:
        if not ARGUMENT.fullmatch(name):
            read.problems.add(said.line, f"{what}: no name of a build argument: {_name(said)}")
    return tuple((name, value) for name, value, _ in pairs)
