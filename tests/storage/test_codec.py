from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.actor import BOT, Actor
from core.records.bundle import Ref
from core.records.environment import Environment
from core.sentence import Channel, CommandLine, Sentence, TimeOfDay, UserGroup
from storage import codec
from storage.audit import row_hash
from storage.keys import Keyring, Vault
from storage.records.rows import release_of, release_row
from tests.storage.making import ALICE, NOW, make_release

VAULT = Vault(Keyring([Keyring.generate()]), b"k" * 32, "i")
MOMENTS = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(MOMENTS, MOMENTS)
def test_moments_sort_as_text_as_they_do_in_time(one, other):
    assert (codec.timestamp(one) < codec.timestamp(other)) == (one < other)
    assert codec.datetime_or_none(codec.timestamp(one)) == one


def test_a_moment_of_another_zone_is_kept_in_utc_and_one_without_a_zone_refused():
    there = NOW.astimezone(timezone(timedelta(hours=-7)))
    assert codec.timestamp(there) == codec.timestamp(NOW) == "2026-03-14T15:09:26.535897+00:00"
    with pytest.raises(ValueError, match="has no time zone"):
        codec.timestamp(NOW.replace(tzinfo=None))


@pytest.mark.parametrize("actor", [ALICE, BOT])
def test_an_actor_comes_back(actor):
    assert codec.actor_of(codec.actor_text(actor)) == actor


@given(TEXT, TEXT, MOMENTS)
def test_a_sentence_comes_back_part_by_part(text, name, at):
    said = Sentence.of(
        *(text, Actor("slack", "U1", name), name, Channel("C1"), UserGroup(text), BOT),
        *(TimeOfDay(at), text, TimeOfDay(at, seconds=True), CommandLine(name)),
    )
    document = VAULT.unseal(VAULT.seal(codec.sentence_document(said)))
    assert codec.sentence_of(document) == said


def test_what_is_no_part_of_a_sentence_is_refused():
    with pytest.raises(ValueError, match="picture is no part of a sentence"):
        codec.sentence_of(["see ", {"picture": "1"}])


def test_references_come_back_in_order():
    refs = (Ref("Service", "b"), Ref("Deployment", "a"))
    assert codec.refs_of(codec.refs_text(refs)) == refs


def test_read_only_mappings_are_written_and_what_has_no_place_in_json_is_refused():
    assert codec.json({"a": MappingProxyType({"b": 1})}) == '{"a":{"b":1}}'
    with pytest.raises(TypeError):
        codec.json({"a": object()})


@given(st.lists(st.tuples(TEXT, TEXT)))
def test_an_environment_comes_back_verbatim_and_in_order(pairs):
    release = make_release("RAAAAAAAAAA", pairs=pairs)
    row: Any = release_row(release, VAULT)
    assert release_of(row, VAULT).environment == Environment(tuple(pairs))


@given(st.lists(TEXT, min_size=7, max_size=7), st.integers(0, 6), TEXT)
def test_the_hash_of_an_audit_row_covers_every_field(values, place, other):
    names = ("seq", "at", "actor", "action", "subject", "detail", "prev_hash")
    row = dict(zip(names, values, strict=True))
    changed = row | {names[place]: other}
    assert (row_hash(row) == row_hash(changed)) == (row == changed)


@given(st.lists(TEXT), st.lists(TEXT))
def test_two_digests_are_equal_only_for_the_same_parts(one, other):
    assert (VAULT.keyed_digest(*one) == VAULT.keyed_digest(*other)) == (one == other)
