"""A build: the manifest and the images that CI has made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from core.actor import Actor

# CI registers what it has built; Convox has `running` and `failed` besides.
BuildStatus = Literal["complete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildEntry:
    """A build as lists need it, without its manifest, which is stored sealed.

    Attributes:
        images: service name → image reference, for every service of the manifest.
        release: the one release that this build made.
    """

    id: str
    app: str
    images: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    description: str = ""
    git_sha: str = ""
    status: BuildStatus = "complete"
    release: str
    started_at: datetime
    ended_at: datetime
    created_by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Build(BuildEntry):
    """What CI registered; it never changes.

    Attributes:
        manifest: the text of convox.yml, as given.
    """

    manifest: str


def is_pinned(image: str) -> bool:
    """Tell whether a reference names its content (`…@sha256:…`) and so cannot be re-pushed."""
    return "@sha256:" in image
