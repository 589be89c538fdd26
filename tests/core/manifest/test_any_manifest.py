"""Whatever a manifest and an environment hold, the outcome is a release or clear sentences, and none of them has a value in it."""

from collections.abc import Mapping

import pytest
from hypothesis import given

from bot.admin.check import check_manifest
from core.errors import Invalid
from core.manifest import keys
from core.manifest.convox_yml import parse_manifest
from core.records.environment import Environment
from tests.core.manifest.documented import VARIABLES
from tests.core.manifest.grammar import (
    NAME,
    SECRET,
    environments,
    examples,
    filled,
    flow,
    known_keys,
    manifests,
)

SERVICE = ("services", NAME)


def test_the_grammar_has_every_key_that_the_reader_knows():
    found = known_keys()

    assert set(found[()]) >= {*keys.TOP_SUPPORTED, *keys.TOP_IGNORED, *keys.TOP_UNSUPPORTED}
    assert set(found[SERVICE]) >= {*keys.SERVICE_SUPPORTED, *keys.SERVICE_IGNORED, *keys.SERVICE_UNSUPPORTED}
    assert set(found[*SERVICE, "scale"]) >= {*keys.SCALE_SUPPORTED, *keys.SCALE_UNSUPPORTED}
    assert "memory" in found[*SERVICE, "scale", "limit"]
    assert "scheme" in found[*SERVICE, "health", "port"]


def test_the_grammar_writes_what_it_has_read():
    for example in examples():
        assert parse_manifest(flow(example), VARIABLES, complete=False).services


@given(manifests(), environments)
def test_a_manifest_is_read_or_refused_in_sentences_without_a_value(text: str, variables: Mapping[str, str]):
    for complete in (False, True):
        try:
            manifest = parse_manifest(text, Environment(tuple(variables.items())), complete=complete)
            said = list(manifest.notes)
        except Invalid as refused:
            said = [*str(refused).splitlines(), str(refused.hint)]
        assert all(line.strip() for line in said[:-1])
        assert not [line for line in said if SECRET in line]
        assert all(line.isprintable() for line in said)  # a terminal obeys what it is sent


@given(manifests(), environments)
def test_what_is_read_can_be_rendered_or_says_why_not(text: str, variables: Mapping[str, str]):
    result = check_manifest(text, variables)

    assert result.objects or result.problems
    assert not [line for line in (*result.notes, *result.problems) if SECRET in line]
    assert all(line.isprintable() for line in (*result.objects, *result.notes, *result.problems))


def said_of(text: str, variables: Mapping[str, str]) -> list[str]:
    """Return every note and every sentence of a refusal."""
    try:
        return list(parse_manifest(text, Environment(tuple(variables.items()))).notes)
    except Invalid as refused:
        return [*str(refused).splitlines(), str(refused.hint)]


@pytest.mark.parametrize("value", [SECRET * 2, f"/{SECRET}/{SECRET}", f"{SECRET.lower()}-x", f"{SECRET}: x"])
def test_a_value_in_any_place_of_a_manifest_is_repeated_nowhere(value: str):
    given_to_all = {**dict(VARIABLES.pairs), "A": value}

    leaks = {
        (place, line)
        for place, text in filled("${A}")
        for line in said_of(text, given_to_all)
        if value.lower() in line.lower()
    }
    assert not leaks
