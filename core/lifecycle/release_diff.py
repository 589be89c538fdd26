"""How two releases differ in what would run: without it an approver reads two manifests side by side. It holds no value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from core.records.build import Build
from core.records.bundle import Bundle, Ref
from core.records.environment import Difference, difference
from core.records.release import Release
from core.records.repository import compared
from core.sentence import EMPTY_SENTENCE, Hyperlink, Sentence

# Fields that are named of one object; a manifest that is written anew changes hundreds.
MOST_FIELDS = 20
# What holds values has them there, at its top.
OF_VALUES = frozenset({"data", "stringData"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSide:
    """One of the two: a release with its build and what it is rendered into; None where it has no build."""

    release: Release
    build: Build | None
    bundle: Bundle | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDiff:
    """What another release changes.

    Attributes:
        builds: of the two, None where a release has none.
        shas: the commits of both builds, "" where one is not known; `commits`: what changed in the source, with a link where there
            is a page of it.
        images: service → (before, after) where they differ; "" where there is none.
        environment: names of variables.
        manifest: the lines of a unified diff of both convox.yml.
        added: objects that only the other has; `removed`: that only the first has; secrets of variables are left out.
        changed: object → the fields that differ, by their path.
        pruned: objects that would be taken away once the other is verified.
    """

    builds: tuple[str | None, str | None]
    shas: tuple[str, str] = ("", "")
    commits: Sentence = EMPTY_SENTENCE
    images: Mapping[str, tuple[str, str]]
    environment: Difference
    manifest: tuple[str, ...]
    added: tuple[Ref, ...] = ()
    removed: tuple[Ref, ...] = ()
    changed: Mapping[Ref, tuple[str, ...]]
    pruned: tuple[Ref, ...] = ()

    @property
    def page(self) -> Hyperlink | None:
        """The page that shows what changed in the source, if there is one."""
        return next((part for part in self.commits.parts if isinstance(part, Hyperlink)), None)


def release_diff(before: ReleaseSide, after: ReleaseSide, pruned: tuple[Ref, ...] = ()) -> ReleaseDiff:
    """Compare two releases of an app."""
    old, new = _objects(before), _objects(after)
    new_build = before.release.build != after.release.build
    changed = {
        ref: tuple(_fields(old[ref], new[ref]))[:MOST_FIELDS] for ref in sorted(old.keys() & new.keys())
    }
    return ReleaseDiff(
        builds=(before.release.build, after.release.build),
        shas=(before.build.git_sha if before.build else "", after.build.git_sha if after.build else ""),
        commits=compared(before.build, after.build) if new_build else EMPTY_SENTENCE,
        images=_images(before.build, after.build),
        environment=difference(before.release.environment, after.release.environment),
        manifest=tuple(_manifest(before.build, after.build)),
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed={ref: fields for ref, fields in changed.items() if fields},
        pruned=pruned,
    )


def _images(before: Build | None, after: Build | None) -> dict[str, tuple[str, str]]:
    old, new = (dict(build.images) if build else {} for build in (before, after))
    return {
        name: (old.get(name, ""), new.get(name, ""))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    }


def _manifest(before: Build | None, after: Build | None) -> Iterator[str]:
    old, new = (build.manifest.splitlines() if build else [] for build in (before, after))
    lines = unified_diff(old, new, lineterm="", n=1)
    return (line for line in lines if not line.startswith(("---", "+++")))


def _objects(side: ReleaseSide) -> dict[Ref, Any]:
    """Return the objects by name, without what holds values, and without the release's own id."""
    if side.bundle is None:
        return {}
    own = side.release.id
    return {
        Ref(each["kind"], each["metadata"]["name"]): _without(each, own)
        for each in side.bundle.objects
        if not OF_VALUES & each.keys()
    }


def _without(value: Any, own: str) -> Any:
    """Return it with the id of its release left out wherever it stands."""
    match value:
        case Mapping():
            return {key: _without(each, own) for key, each in value.items()}
        case list() | tuple():
            return [_without(each, own) for each in value]
        case str():
            return value.replace(own, "").replace(own.lower(), "")
        case _:
            return value


def _fields(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of the fields that differ, in order."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            here = f"{path}.{key}" if path else key
            if key not in old or key not in new:
                yield here
            else:
                yield from _fields(old[key], new[key], here)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _fields(one, other, f"{path}[{number}]")
    elif old != new:
        yield path
