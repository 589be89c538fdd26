"""The questions that every kind of object has to answer; none has a default that could be wrong unseen."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.cluster.documents import Document
from core.cluster.ownership import Path
from core.cluster.rendering.input import RenderInput
from core.manifest.service import Service
from core.records.bundle import Bundle
from core.records.observation import Diagnosis
from core.records.route_state import RouteState
from core.records.traits import Traits

Json = dict[str, Any]
Verbs = frozenset[str]

GET: Verbs = frozenset({"get"})
LOOK: Verbs = frozenset({"list", "watch"})
# An apply of what is not there yet asks for `create` besides `patch`.
APPLY: Verbs = GET | {"create", "patch"}
MANAGE: Verbs = APPLY | {"delete"}


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind as the API server's paths and roles spell it; the core group is the empty string."""

    group: str
    version: str
    plural: str
    namespaced: bool = True

    @property
    def root(self) -> str:
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """How the watch of a namespace follows a kind.

    Attributes:
        judged: a verdict rests on it, so none is given while its watch is broken.
        fresh: it is read anew just before a verdict.
        selected: only what carries the labels of the app is followed; one that lost them looks deleted.
    """

    judged: bool
    fresh: bool
    selected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind that the bot talks about with the API server.

    Attributes:
        name: as a document spells it.
        resource: where it is kept.
        rights: subresource, "" for the object itself → the verbs that the bot needs in the namespace of an app, where
            `deploy/rbac.yaml` grants them.
        provisioning: the verbs with which it makes the namespace of a new app; `deploy/self-service.yaml` grants them,
            where an administrator wants that.
        follow: None where no watch follows it.
        optional: of a kind that not every cluster has, what to do where it is missing; "" for those of every cluster.
    """

    name: str
    resource: Resource
    rights: Mapping[str, Verbs]
    provisioning: Verbs = frozenset()
    follow: Follow | None = None
    optional: str = ""

    def __str__(self) -> str:
        return self.name


def as_rendered(_live: Document, wanted: Mapping[str, Any], _force: bool) -> Mapping[str, Any]:
    """Apply the whole object."""
    return wanted


def as_applied(_wanted: Document, _live: Document) -> tuple[Path, ...]:
    """Trust that the object is as it was applied."""
    return ()


def nothing_more(_object: Document, _bundle: Bundle) -> str:
    """Say no more of an object than its kind and its name."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedKind(Kind):
    """A kind that bundles hold: rendered, applied, and one day pruned. A rollout waits for workloads only.

    Attributes:
        traits: whether it has a count, is pruned, is removed, and when it is applied.
        render: yields its objects of a release, in order: those of services (`each_service`), then those that belong to the
            manifest as a whole, each by name. The same input always gives the same objects.
        onto: what of a rendered object is applied onto a live one, which is told whether by force; raises Rejected for what
            can never be.
        route: of an object that leads from outside to a service, how that stands: given what is in the bundle and what is
            live; None for one that leads nowhere. Without it no object of the kind does.
        changed: given what is in the bundle and what is live, which fields by which the app is reached somebody has given
            another value since it was applied.
        brief: what is worth knowing of an object of a bundle beside its kind and its name, as it stands behind them.
    """

    traits: Traits
    render: Callable[[RenderInput], Iterable[Json]]
    onto: Callable[[Document, Mapping[str, Any], bool], Mapping[str, Any]] = as_rendered
    route: Callable[[Document, Document], RouteState | None] | None = None
    changed: Callable[[Document, Document], tuple[Path, ...]] = as_applied
    brief: Callable[[Document, Bundle], str] = nothing_more


def each_service(
    render: Callable[[Service, RenderInput], Iterable[Json]],
) -> Callable[[RenderInput], Iterable[Json]]:
    """Return how a kind is rendered that has objects for services only, from how it is rendered for one."""

    def render_all(given: RenderInput) -> Iterator[Json]:
        for service in given.services:
            yield from render(service, given)

    return render_all


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadKind(ManagedKind):
    """A kind whose objects run the pods of a service, under the name of the service.

    It is rendered with the services that run as it only.

    Attributes:
        runs: whether a service of the manifest runs as this kind.
        released: its pods belong to a release, whose label they bear; else they change with their own definition only.
        unready: says what a live object of a release still lacks, or "" once it is ready. It is given the object as
            it was seen after our change, the pods of that release which nobody takes away, and how many it may lack.
        desired_replicas: how many pods a live object asks for now; with a count, that count.
        per_node: there is one pod on every node; where none was ready before, none need be (engine rule 29).
        revision: the kind that keeps a pod template beside the object, so that pods can be told by what they were made from.
        owns_pods: whether its pods are its own; else those of its revisions.
        made_from: whether a pod was made from the template of a revision.
        owns_pod: whether a pod was made for the object of a name, told without the object, which may be gone.
        diagnosis: who keeps a live object from rolling out, told of the service of a name; None where nobody does.
    """

    runs: Callable[[Service], bool]
    released: bool
    unready: Callable[[Document, Sequence[Document], int], str]
    desired_replicas: Callable[[Document], int]
    per_node: bool
    revision: Kind
    owns_pods: bool
    made_from: Callable[[Document, Document], bool]
    owns_pod: Callable[[str, Document], bool]
    diagnosis: Callable[[str, Document], Diagnosis | None]

    @property
    def pod_owner(self) -> Kind:
        """The kind that is the controller of its pods."""
        return self if self.owns_pods else self.revision
