"""Databases and caches that an app brings along: `resources` at the top, and what services link to.

The types that run in containers, their images, options and variables are Convox's (`provider/k8s/template/resource`). What
a cloud account would have to make is refused, unless the environment says where it is.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.manifest.images import image_problem
from core.records.environment import Environment
from core.records.environment_text import KEY
from core.yaml.fields import FieldReader, node_kind
from core.yaml.source import cut
from core.yaml.tree import MappingEntry, Node, ScalarNode

MOST_RESOURCES = 50  # each is a process and perhaps a disk of its own
# `resource-<name>-<hash of its revision>` is the value of a label, which ends at 63 characters.
MAX_NAME_CHARS = 43
LARGEST_STORAGE = 65_536  # GiB; the largest disk that a cloud sells
DEFAULT_STORAGE = 10  # GiB, Convox's


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceType:
    """A kind of database or cache that runs in a container.

    Attributes:
        image: its repository; `version`: the tag where the manifest names none, Convox's.
        port: where it listens.
        scheme: of its URL; `query` is what follows the name of the database there.
        user, database: of its URL; "" where it has none, and then no password either.
        settings: variable of the container → its value.
        password: the variable of the container that holds the password, "" where it takes none.
        folder: where it keeps its data; `sub_path`: the folder of the disk that is mounted there.
        durable: it has a disk though nobody asks for one.
    """

    image: str
    version: str
    port: int
    scheme: str
    user: str = ""
    database: str = ""
    query: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    password: str = ""
    folder: str = ""
    sub_path: str = ""
    durable: bool = False


def _postgres(image: str, version: str) -> ResourceType:
    return ResourceType(
        image=image,
        version=version,
        port=5432,
        scheme="postgres",
        user="app",
        database="app",
        query="?sslmode=disable",
        settings=(
            ("PGDATA", "/var/lib/postgresql/data/data"),
            ("POSTGRES_DB", "app"),
            ("POSTGRES_USER", "app"),
        ),
        password="POSTGRES_PASSWORD",  # noqa: S106 — the name of a variable
        folder="/var/lib/postgresql/data",
        durable=True,
    )


def _mysql(image: str, version: str) -> ResourceType:
    return ResourceType(
        image=image,
        version=version,
        port=3306,
        scheme="mysql",
        user="root",
        database="app",
        settings=(("MYSQL_DATABASE", "app"),),
        password="MYSQL_ROOT_PASSWORD",  # noqa: S106 — the name of a variable
        folder="/var/lib/mysql",
        sub_path="mysql",
        durable=True,
    )


RESOURCE_TYPES = {
    "mariadb": _mysql("mariadb", "10.6.0"),
    "memcached": ResourceType(image="memcached", version="1.4.34", port=11211, scheme="memcached"),
    "mysql": _mysql("mysql", "5.7.23"),
    "postgis": _postgres("postgis/postgis", "10-3.2"),
    "postgres": _postgres("postgres", "10.5"),
    "redis": ResourceType(image="redis", version="4.0.10", port=6379, scheme="redis", folder="/data"),
}
# Made by a cloud account, on Convox 3 or on an older one.
CLOUD_PREFIXES = ("rds-", "elasticache-")
CLOUD_TYPES = frozenset({"efs", "s3", "sns", "sqs", "syslog"})
OPTIONS = ("cpu", "mem", "storage", "version")
NAME = re.compile(r"[a-z][a-z0-9-]*")
_CLOUD_OPTION = "it is an option of a database that a cloud makes"
OPTIONS_IGNORED = dict.fromkeys(
    (
        *("autoMinorVersionUpgrade", "backupRetentionPeriod", "class", "deletionProtection", "durable"),
        *("encrypted", "import", "iops", "nodes", "parameterGroup", "path", "port"),
        *("preferredBackupWindow", "preferredMaintenanceWindow", "readSourceDB", "snapshot", "storageType"),
    ),
    _CLOUD_OPTION,
)
RESOURCE_IGNORED = {"plan": "it is of an older Convox, and Convox 3 ignores it too"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AppResource:
    """One resource of a manifest.

    Attributes:
        type: as the file says it; one of `RESOURCE_TYPES` where it is made.
        image: what runs it; `storage`: GiB of its disk, None for none; `cpu`, `memory`: millicores and MiB, 0 for what
            the node has.
        overlaid: the environment says where it is, so nothing is made.
    """

    name: str
    type: str
    image: str = ""
    storage: int | None = None
    cpu: int = 0
    memory: int = 0
    overlaid: bool = False

    @property
    def kind(self) -> ResourceType:
        """What it is as a container; only of a resource that is made."""
        return RESOURCE_TYPES[self.type]

    @property
    def object_name(self) -> str:
        """The name of all its objects, as in Convox."""
        return f"resource-{self.name}"


@dataclass(frozen=True, slots=True)
class ResourceLink:
    """A resource whose variables a service gets; with a `variable`, its URL under that name alone."""

    resource: str
    variable: str = ""


def variable_of(resource: str, part: str = "URL") -> str:
    """Return the name of a variable of a resource: `DATABASE_URL`."""
    return f"{resource.upper().replace('-', '_')}_{part}"


def read_resources(
    read: FieldReader, node: Node, what: str, environment: Environment
) -> tuple[AppResource, ...]:
    """Read a mapping of name → type, image and options."""
    listed = read.mapping(node, what)
    if len(listed) > MOST_RESOURCES:
        read.problems.fail(
            listed[MOST_RESOURCES].line, f"it has {len(listed):,} resources; {MOST_RESOURCES} are the limit"
        )
    values = dict(environment.pairs)
    found = [_resource(read, entry, values) for entry in listed]
    return tuple(each for each in found if each is not None)


def _resource(read: FieldReader, entry: MappingEntry, values: dict[str, str]) -> AppResource | None:
    name, what = entry.key.text, f"resource {entry.key.shown[1:-1]}"
    if entry.key.shown != cut(name) and not NAME.fullmatch(name):
        read.problems.add(entry.line, f"{what}: a resource's name cannot come out of the environment")
        return None
    entries = read.entries_of(entry.value, what, ("image", "options", "type", *RESOURCE_IGNORED))
    _ignored(read, entries, RESOURCE_IGNORED, what)
    type_ = read.text(entries["type"].value, f"type of {what}").strip() if "type" in entries else ""
    variable = variable_of(name)
    if values.get(variable, "").strip():
        read.notes.append(f"{what} is not made: {variable} is set")
        return AppResource(name=name, type=type_, overlaid=True)
    if not type_:
        return AppResource(name=name, type="")  # Convox's sentence follows, among the validation errors
    if type_ not in RESOURCE_TYPES:
        shown = (
            cut(entries["type"].value.shown)[1:-1] if isinstance(entries["type"].value, ScalarNode) else ""
        )
        read.problems.add(entries["type"].line, _refusal(type_, shown, what, variable))
        return None
    resource = _made(read, entries, name, what, RESOURCE_TYPES[type_], type_)
    read.notes.append(_said(resource, what))
    return resource


def _refusal(type_: str, shown: str, what: str, variable: str) -> str:
    if type_.startswith(CLOUD_PREFIXES) or type_ in CLOUD_TYPES:
        return f"type {shown} of {what} is made in a cloud account, which convox-bot has none of: make it there and set {variable}"
    return (
        f"type {shown} of {what} is none of {', '.join(RESOURCE_TYPES)}: take one of these, or set {variable}"
    )


def _made(
    read: FieldReader,
    entries: dict[str, MappingEntry],
    name: str,
    what: str,
    kind: ResourceType,
    type_: str,
) -> AppResource:
    options = (
        read.entries_of(entries["options"].value, f"options of {what}", (*OPTIONS, *OPTIONS_IGNORED))
        if "options" in entries
        else {}
    )
    _ignored(read, options, OPTIONS_IGNORED, f"options of {what}")
    version = read.text(options["version"].value, f"version of {what}") if "version" in options else ""
    image = read.text(entries["image"].value, f"image of {what}") if "image" in entries else ""
    image = image or f"{kind.image}:{version or kind.version}"
    if why := image_problem(image):
        said = entries.get("image") or options.get("version") or entries["type"]
        read.problems.add(
            said.line, f"image of {what} is no image reference ({why}): {node_kind(said.value)}"
        )
    storage = _amount(read, options, "storage", f"storage of {what}", LARGEST_STORAGE)
    if storage and not kind.folder:
        read.notes.append(f"storage of {what} is without effect: {type_} keeps nothing on a disk")
    return AppResource(
        name=name,
        type=type_,
        image=image,
        storage=(storage or (DEFAULT_STORAGE if kind.durable else None)) if kind.folder else None,
        cpu=_amount(read, options, "cpu", f"cpu of {what}", 1_000_000),
        memory=_amount(read, options, "mem", f"mem of {what}", 16_777_216),
    )


def _amount(read: FieldReader, options: dict[str, MappingEntry], key: str, what: str, high: int) -> int:
    """Return a number, 0 where none is given: a variable that is not set leaves nothing behind."""
    if key not in options or (
        isinstance(options[key].value, ScalarNode) and not read.text(options[key].value, what).strip()
    ):
        return 0
    return read.integer(options[key].value, what, low=0, high=high)


def _said(resource: AppResource, what: str) -> str:
    """Say what becomes of its data, once, where everything that is to be known of a manifest is said."""
    if resource.storage is not None:
        return (
            f"{what} is {resource.type} on a disk of {resource.storage} GiB: no promotion and no rollback removes or"
            " changes what is stored there"
        )
    return f"{what} is {resource.type} without a disk: what it holds is gone whenever its pod is replaced"


def _ignored(read: FieldReader, entries: dict[str, MappingEntry], ignored: dict[str, str], what: str) -> None:
    for key, entry in entries.items():
        if key in ignored:
            read.notes.append(f"{entry.key.text} of {what} is without effect: {ignored[key]}")


def read_links(read: FieldReader, node: Node, what: str) -> tuple[ResourceLink, ...]:
    """Read a list of `name` and `name:VARIABLE`."""
    found: dict[ResourceLink, None] = {}
    for item in read.items(node, what):
        name, colon, variable = (part.strip() for part in read.text(item, what).partition(":"))
        hidden = isinstance(item, ScalarNode) and item.shown != cut(item.text)
        if (colon and not KEY.fullmatch(variable)) or (hidden and not NAME.fullmatch(name)):
            read.problems.add(item.line, f"{what} takes name or name:VARIABLE, not {node_kind(item)}")
        else:
            found[ResourceLink(name, variable)] = None
    return tuple(found)


def validate_resources(
    resources: Iterable[AppResource],
    services: Iterable[tuple[str, Iterable[ResourceLink]]],
    shown: Callable[[str], str],
) -> list[str]:
    """Return Convox's texts for what can be read but cannot run.

    Args:
        resources: of the manifest.
        services: name → links of each service.
        shown: how a word of the manifest is repeated.
    """
    wrong, names = [], {each.name: each for each in resources}
    for each in names.values():
        if not NAME.fullmatch(each.name) or each.name.endswith("-") or len(each.name) > MAX_NAME_CHARS:
            why = "must contain only lowercase alphanumeric and dashes"
            if NAME.fullmatch(each.name):
                why = f"must not end with a dash and have at most {MAX_NAME_CHARS} characters"
            wrong.append(f"resource name {shown(each.name)} invalid, {why}")
        if not each.type and not each.overlaid:
            wrong.append(f'resource "{shown(each.name)}" has blank type')
    taken = {each.object_name: each.name for each in names.values() if not each.overlaid}
    for service, links in services:
        wrong += [
            f"service {shown(service)} references a resource that does not exist: {shown(link.resource)}"
            for link in links
            if link.resource not in names
        ]
        if service in taken:
            wrong.append(
                f"service {shown(service)} and resource {shown(taken[service])} would have one name: rename one"
            )
    return wrong
