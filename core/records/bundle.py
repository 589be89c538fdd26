"""The rendered objects of a release, and the names by which objects are known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """Names one object of an app's namespace."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleService:
    """What the verdict must know of one service of a bundle.

    Attributes:
        workload: the object that runs its pods.
        count: pods that the manifest asks for.
        settle: seconds that it must stay healthy after its last pod became ready (engine rule 33).
    """

    name: str
    workload: Ref
    count: int
    settle: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The fully rendered objects of one release, in apply order; rendered once, then only stored and applied.

    Attributes:
        objects: Kubernetes objects as JSON documents, without status, without `spec.replicas`.
        digest: SHA-256 of the canonical JSON; never shown as it is, since values could be guessed from it.
        render_version: version of the code that rendered it; a stored bundle is never rendered anew.
    """

    release: str
    app: str
    objects: tuple[Mapping[str, Any], ...]
    services: tuple[BundleService, ...]
    digest: str
    render_version: int = 1

    @property
    def refs(self) -> tuple[Ref, ...]:
        return tuple(Ref(o["kind"], o["metadata"]["name"]) for o in self.objects)
