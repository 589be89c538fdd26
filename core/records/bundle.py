"""The rendered objects of a release, and the names by which objects are known."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
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
        settle: seconds that each new pod must stay ready (engine rule 55). Bundles of before rule 55 have their whole
            settle window here and no `soak`, and keep it so.
        soak: seconds that a new pod must have run to speak for all pods of its template.
        patience: seconds without progress that a good start may take by its own checks; the policy may allow more.
        autoscaler: the object that sets its count, which lies at `count` or above then; None where nothing but the manifest and
            people do.
        recreates: its old pods go before its new ones come, so it is down for as long as those take (engine rule 29).
        resource: of the workload of a resource, its name; "" for a service.
    """

    name: str
    workload: Ref
    count: int
    settle: float
    soak: float = 0.0
    patience: float = 0.0
    autoscaler: Ref | None = None
    recreates: bool = False
    resource: str = ""

    @property
    def window(self) -> float:
        """The settle window as it is told: the longer of the two times."""
        return max(self.settle, self.soak)


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

    def part(self, refs: Collection[Ref]) -> "Bundle":
        """Return what of it these objects are, with the services that they run; its digest stays that of the whole."""
        return replace(
            self,
            objects=tuple(o for o, ref in zip(self.objects, self.refs, strict=True) if ref in refs),
            services=tuple(service for service in self.services if service.workload in refs),
        )
