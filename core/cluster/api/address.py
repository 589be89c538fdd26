"""Where the API server keeps an object: by the table of kinds, else every request would begin with discovery."""

from dataclasses import dataclass, field
from urllib.parse import quote

from core.cluster.kinds import KINDS
from core.cluster.kinds.kind import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Names an object, a subresource or a whole collection.

    Attributes:
        name: empty for a collection.
        rack, app: whose namespace it is, so that a refusal can say what an administrator has to apply.
    """

    kind: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rack: str = ""
    app: str = ""

    @property
    def path(self) -> str:
        """The path of the request; raises KeyError for a kind that is not in `KINDS`."""
        resource = KINDS[self.kind].resource
        parts = [resource.root]
        if resource.namespaced:
            parts += ["namespaces", quote(self.namespace, safe="")]
        parts.append(resource.plural)
        parts += [quote(part, safe="") for part in (self.name, self.subresource) if part]
        return "/".join(parts)

    @property
    def resource(self) -> str:
        """The resource as a Role spells it, such as `deployments/scale`."""
        plural = KINDS[self.kind].resource.plural
        return f"{plural}/{self.subresource}" if self.subresource else plural

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" if self.name else self.resource


@dataclass(frozen=True, slots=True)
class _Readyz(Address):
    """The API server's word on itself, which is no object."""

    @property
    def path(self) -> str:
        return "/readyz"

    @property
    def resource(self) -> str:
        return "readyz"


READYZ = _Readyz(kind="")


@dataclass(frozen=True, slots=True)
class _Discovery(Address):
    """What the API server says of a version of an API group, which is no object; `kind` is unused."""

    of: Resource = field(kw_only=True)

    @property
    def path(self) -> str:
        return self.of.root

    @property
    def resource(self) -> str:
        return self.of.api_version


def discovery(resource: Resource) -> Address:
    """Return where the API server lists what is served beside this resource."""
    return _Discovery(kind="", of=resource)


@dataclass(frozen=True, slots=True)
class _Path(Address):
    """An object of a kind that is not in the table, by its whole path."""

    whole: str = field(kw_only=True)

    @property
    def path(self) -> str:
        return self.whole

    @property
    def resource(self) -> str:
        collection = self.whole.rpartition("/")[0].rpartition("/")[2]
        # What lies at the root, such as /version, is in no collection: a ClusterRole allows it by its path.
        return collection or self.whole

    def __str__(self) -> str:
        return self.whole


def path_of(path: str) -> Address:
    """Return the address of an object that is only looked at."""
    return _Path(kind="", name=path.rpartition("/")[2], whole=path)


VERSION = path_of("/version")
