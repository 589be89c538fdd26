"""What `make field` makes up and tells; the field itself is tried by hand, on a real control plane."""

from pathlib import Path

import pytest

from tests.field import Outcome, checked, in_one_line, main, shown, variables

TEXT = """environment: [SECRET_KEY, MODE=fast]
services:
  web:
    port: 3000
    domain: ${HOST}
    scale: ${COUNT}
    environment: [TOKEN]
"""


def test_every_variable_that_is_named_or_needed_gets_a_value_that_fits_anywhere(tmp_path: Path):
    values = variables(TEXT)
    assert values == dict.fromkeys(("HOST", "COUNT", "SECRET_KEY", "TOKEN"), "1")

    file = tmp_path / "convox.yml"
    file.write_text(TEXT, encoding="utf-8")
    assert checked(file, values) == ""
    assert "required env: SECRET_KEY" in checked(file, {"HOST": "1", "COUNT": "1", "TOKEN": "1"})


def test_of_a_file_that_cannot_be_read_only_what_it_names_is_known():
    assert variables("services: [${A}]\n") == {"A": "1"}


def test_the_table_tells_how_far_each_came():
    rows = shown(
        [
            Outcome(file="a.yml", check="ok", build="ok", promote="OK", seconds=21.4),
            Outcome(file="b.yml", check="no", why="unknown key"),
        ]
    )
    assert [row.split() for row in rows.splitlines()[1:]] == [
        ["a.yml", "ok", "ok", "OK", "21", "s"],
        ["b.yml", "no", "-", "-", "0", "s", "unknown", "key"],
    ]
    assert in_one_line("one\n  two\n\n") == "one · two"


def test_a_folder_without_a_manifest_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(tmp_path)]) == 2
    assert "there is no *.yml in" in capsys.readouterr().err
