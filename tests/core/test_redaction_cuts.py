"""Values of an environment in foreign text that was folded to one line, or cut in the middle of a value."""

import pytest

from core.redaction import Redactor

SECRET = "p@ss word/with:everything+1"


@pytest.mark.parametrize("kept", [4, 7, 12, 20])
@pytest.mark.parametrize("rest", ["…", "… (422)", "…; and more", "…\nnext line", '…"'])
def test_a_value_that_was_cut_leaves_no_beginning_behind(kept: int, rest: str):
    redacted = Redactor([SECRET])(f"exec: {SECRET[:kept]}{rest}")
    assert redacted == f"exec: ****{rest}"


def test_a_cut_that_only_looks_like_a_beginning_is_left_alone():
    assert Redactor([SECRET])("it is up…") == "it is up…"
    assert Redactor([SECRET])("it is a p@s…") == "it is a p@s…", "three characters tell nothing"
    assert Redactor(["postgres://u:p@db"])("waits for postgres") == "waits for postgres", "nothing was cut"


def test_a_value_of_several_words_is_found_where_white_space_was_folded():
    value = "first line of it\n  second   line of it"
    assert Redactor([value])("exec: first line of it second line of it") == "exec: ****"
