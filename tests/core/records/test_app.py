"""What an app may be called, and who makes its namespace."""

import pytest

from core.errors import Invalid
from core.records.app import check_name, namespace_command


@pytest.mark.parametrize("name", ["a", "myapp", "my-app-2", "a" * 30])
def test_a_name_that_fits_a_namespace_is_taken(name):
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "A", "9lives", "-a", "a-", "a" * 31, "a.b", "a_b", "ä", "a\n"])
def test_any_other_name_is_refused_with_what_a_name_may_be(name):
    with pytest.raises(Invalid, match="is not valid") as refusal:
        check_name(name)
    assert str(refusal.value.hint).startswith("a name has up to 30 lower-case letters")


@pytest.mark.parametrize("name", ["rack", "system"])
def test_a_reserved_name_is_said_to_be_reserved_in_convox_words(name):
    with pytest.raises(Invalid, match="^app name is reserved$") as refusal:
        check_name(name)
    assert name in str(refusal.value.hint)


@pytest.mark.parametrize(
    ("rack", "command"),
    [
        ("convox", "convox-bot app-manifest myapp | kubectl apply -f -"),
        ("staging", "CONVOX_RACK=staging convox-bot app-manifest myapp | kubectl apply -f -"),
    ],
)
def test_an_administrators_command_names_a_rack_that_is_not_the_default(rack, command):
    assert namespace_command(rack, "myapp") == command
