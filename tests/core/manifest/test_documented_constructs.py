"""Each construct of Convox's documentation, as a whole manifest: it is read, or refused by the name of each key that is not run."""

from collections.abc import Iterator

import pytest

from core.errors import Invalid
from core.manifest import keys
from core.manifest.convox_yml import parse_manifest
from core.yaml.problems import Problems
from core.yaml.source import interpolate
from core.yaml.tree import MappingNode, Node, compose
from tests.core.manifest.documented import MANIFESTS, VARIABLES


def refused(node: Node, known: dict[str, str]) -> Iterator[str]:
    """Yield what this version does not run, of the keys of one mapping."""
    if isinstance(node, MappingNode):
        for entry in node.entries:
            if entry.key.text in known and not keys.is_switched_off(entry.value):
                yield f'"{entry.key.text}" of '


def expected(text: str) -> list[str]:
    """Return the beginnings of the sentences that the tables of keys promise for a manifest; none where it is read."""
    root = compose(interpolate(text, dict(VARIABLES.pairs), Problems()), Problems())
    assert isinstance(root, MappingNode)
    found = [*refused(root, keys.TOP_UNSUPPORTED)]
    services = next(entry.value for entry in root.entries if entry.key.text == "services")
    assert isinstance(services, MappingNode)
    for service in services.entries:
        found += refused(service.value, keys.SERVICE_UNSUPPORTED)
        below = service.value.entries if isinstance(service.value, MappingNode) else ()
        for entry in below:
            if entry.key.text == "scale":
                found += refused(entry.value, keys.SCALE_UNSUPPORTED)
    return found


@pytest.mark.parametrize("construct", MANIFESTS)
def test_a_documented_construct_is_read_or_refused_by_the_name_of_its_key(construct: str):
    text = MANIFESTS[construct]
    try:
        assert parse_manifest(text, VARIABLES, complete=False).services
        said = ""
    except Invalid as error:
        said = str(error)

    missing = [beginning for beginning in expected(text) if beginning not in said]
    assert not missing
    assert bool(said) == bool(expected(text)), said
