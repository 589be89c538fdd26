"""Which images differ between two builds, in a few letters each: an approver reads `web v1 → v2`, not two references of a hundred."""

from collections.abc import Mapping
from dataclasses import dataclass

# As git and container tools shorten a digest.
_SHORT = 7


@dataclass(frozen=True, slots=True)
class _Image:
    """A reference in its parts; `tag` and `digest` are "" where it has none."""

    repository: str
    tag: str
    digest: str

    @property
    def short(self) -> str:
        """The digest as people tell two apart."""
        return self.digest.removeprefix("sha256:")[:_SHORT]


def image_changes(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[str, ...]:
    """Return one text for each change, with the services that have it: `web, worker v1 → v2`.

    Args:
        old: service → image reference, of the build that runs.
        new: the same of the build that replaces it.
    """
    by_change: dict[str, list[str]] = {}
    for service in sorted(old.keys() | new.keys()):
        before, after = old.get(service, ""), new.get(service, "")
        if before != after:
            by_change.setdefault(_change(before, after), []).append(service)
    return tuple(f"{', '.join(services)} {change}" for change, services in by_change.items())


def _change(before: str, after: str) -> str:
    if not after:
        return "gone"
    new = _parts(after)
    if not before:
        return f"new, {new.tag or new.short or _name(new)}"
    old = _parts(before)
    # A tag tells people most; where both have the same, the digest is what differs.
    by_tag = old.tag != new.tag and old.tag and new.tag
    one, other = (image.tag if by_tag else image.short or image.tag or "latest" for image in (old, new))
    if old.repository != new.repository:
        return f"{_name(old)}:{one} → {_name(new)}:{other}"
    return f"{one} → {other}"


def _name(image: _Image) -> str:
    return image.repository.rpartition("/")[2]


def _parts(reference: str) -> _Image:
    base, _, digest = reference.partition("@")
    repository, colon, tag = base.rpartition(":")
    # A colon before a slash is that of a port.
    return _Image(repository, tag, digest) if colon and "/" not in tag else _Image(base, "", digest)
