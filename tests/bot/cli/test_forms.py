"""What belongs into no line, from a terminal: standard input, an editor, and a question that shows no answer."""

import asyncio
import io
import stat
import sys
from pathlib import Path

import pytest

from bot.cli.main import main
from core.promotion import Phase
from tests.bot.api.serving import serving
from tests.core.world import ALICE, by
from tests.fakes import broken

PEM = "-----BEGIN X-----\nMIIabc==\n-----END X-----\n"


@pytest.fixture
async def api(tmp_path, monkeypatch):
    async with serving(tmp_path) as made:
        monkeypatch.setenv("RACK_URL", made.url)
        yield made


class Piped:
    def __init__(self, data: bytes, *, terminal: bool = False) -> None:
        self.buffer = io.BytesIO(data)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


async def typed(monkeypatch, *words, stdin: Piped):
    monkeypatch.setattr(sys, "stdin", stdin)
    return await asyncio.to_thread(main, ["do", *words])


async def variables(api) -> dict[str, str]:
    (newest,) = await api.store.read.releases("myapp", 1)
    return dict(newest.environment.pairs)


async def test_a_value_of_several_lines_goes_in_and_comes_out_as_it_was(api, monkeypatch, capsys):
    sent = Piped((PEM + "\n").encode())
    assert await typed(monkeypatch, "env", "set", "KEY", "-a", "myapp", stdin=sent) == 0
    assert capsys.readouterr().out.startswith("Setting KEY... OK\nRelease: R")
    assert await variables(api) == {"KEY": PEM}
    assert await typed(monkeypatch, "env", "get", "KEY", "-a", "myapp", stdin=Piped(b"")) == 0
    assert capsys.readouterr().out == PEM + "\n"


async def test_what_reveal_prints_can_be_edited_and_read_again(api, monkeypatch, capsys):
    await api.world.registrar.set_environment(by(ALICE), "myapp", [("B", PEM), ("A", "1"), ("C", " x\r")])
    await typed(monkeypatch, "env", "--reveal", "-a", "myapp", stdin=Piped(b""))
    shown = capsys.readouterr().out
    status = await typed(monkeypatch, "env", "edit", "-a", "myapp", stdin=Piped(shown.encode()))
    assert (status, capsys.readouterr().out) == (0, "No changes\n")
    changed = Piped(shown.replace("A=1", "A=2").encode())
    assert await typed(monkeypatch, "env", "edit", "-a", "myapp", stdin=changed) == 0
    assert await variables(api) == {"A": "2", "B": PEM, "C": " x\r"}


async def test_a_file_of_variables_is_set(api, monkeypatch):
    sent = Piped(b"# production\nA=1\r\n\nB=2\n")
    assert await typed(monkeypatch, "env", "set", "-a", "myapp", stdin=sent) == 0
    assert await variables(api) == {"A": "1", "B": "2"}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "ERROR: nothing came on standard input: Value of KEY"),
        (b"\xff", "ERROR: standard input is not UTF-8 text"),
    ],
)
async def test_what_is_no_value_is_refused_before_it_is_sent(api, monkeypatch, capsys, data, says):
    assert await typed(monkeypatch, "env", "set", "KEY", "-a", "myapp", stdin=Piped(data)) == 1
    assert capsys.readouterr().err.startswith(says)
    assert await api.store.read.releases("myapp", 1) == []


async def test_at_a_terminal_a_value_is_asked_for_and_not_shown(api, monkeypatch, capsys):
    monkeypatch.setattr("getpass.getpass", lambda prompt, stream: f"secret of {prompt}")
    assert await typed(monkeypatch, "env", "set", "KEY", "-a", "myapp", stdin=Piped(b"", terminal=True)) == 0
    assert await variables(api) == {"KEY": "secret of Value of KEY (not shown): "}
    assert "secret" not in str(capsys.readouterr())


def mode_of(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def there(path: str) -> bool:
    return Path(path).exists()


def editor(folder: Path, script: str) -> str:
    program = folder / "editor.sh"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


async def test_an_editor_shows_names_in_a_file_that_nobody_else_reads_and_that_is_gone_afterwards(
    api, monkeypatch, tmp_path
):
    await api.world.registrar.set_environment(by(ALICE), "myapp", [("A", "hunter22"), ("B", "x"), ("C", "y")])
    copy, path = tmp_path / "seen", tmp_path / "path"
    script = f'cp -p "$1" {copy}; echo "$1" > {path}; sed -i -e "s/^B$/B=2/" -e "/^C$/d" "$1"'
    monkeypatch.setenv("EDITOR", editor(tmp_path, script))
    monkeypatch.delenv("VISUAL", raising=False)
    assert await typed(monkeypatch, "env", "edit", "-a", "myapp", stdin=Piped(b"", terminal=True)) == 0
    comment, *names = copy.read_text().splitlines()
    assert comment.startswith("# A name alone keeps its value")
    assert names == ["A", "B", "C"]
    assert mode_of(copy) == 0o600
    assert not there(path.read_text().strip())
    assert await variables(api) == {"A": "hunter22", "B": "2"}


@pytest.mark.parametrize(
    ("script", "says"), [("exit 3", "editor.sh ended with 3"), (None, "/nowhere/vi cannot be started")]
)
async def test_an_editor_that_fails_changes_nothing(api, monkeypatch, tmp_path, capsys, script, says):
    monkeypatch.setenv("VISUAL", editor(tmp_path, script) if script else "/nowhere/vi")
    assert await typed(monkeypatch, "env", "edit", "-a", "myapp", stdin=Piped(b"", terminal=True)) == 1
    assert says in capsys.readouterr().err
    assert await api.store.read.releases("myapp", 1) == []


async def test_with_id_standard_output_is_the_id_and_nothing_else(api, monkeypatch, capsys):
    assert await typed(monkeypatch, "env", "set", "A=1", "--id", "-a", "myapp", stdin=Piped(b"")) == 0
    out, err = capsys.readouterr()
    (newest,) = await api.store.read.releases("myapp", 1)
    assert (out, err) == (newest.id, f"Setting A... OK\nRelease: {newest.id}\n")
    assert await typed(monkeypatch, "env", "set", "A=1", "--id", "-a", "myapp", stdin=Piped(b"")) == 0
    assert capsys.readouterr() == (newest.id, "No changes\n")
    assert await typed(monkeypatch, "env", "--id", "-a", "myapp", stdin=Piped(b"")) == 0
    assert capsys.readouterr() == (newest.id, "")


async def test_with_id_what_follows_a_promotion_goes_to_stderr_too(api, monkeypatch, capsys):
    await api.world.build()
    words = ("env", "set", "A=1", "--id", "--promote", "-a", "myapp")
    assert await typed(monkeypatch, *words, stdin=Piped(b"")) == 0
    out, err = capsys.readouterr()
    assert out == (await api.store.read.releases("myapp", 1))[0].id
    assert err.splitlines()[-1] == "OK"


async def test_an_answer_without_a_form_is_told_what_takes_one(api):
    answer = await (await api.command("env set KEY -a myapp")).json()
    assert answer["text"] == (
        "nothing was done yet: `convox-bot do env set KEY -a myapp` reads what is still to be entered"
    )
    assert [each["name"] for each in answer["form"]["fields"]] == ["value"]


async def test_of_what_is_on_hold_only_the_reason_is_asked_for(api, monkeypatch, capsys):
    await api.world.good()
    held = (await api.world.build()).release.id
    api.world.cluster.behaves[held] = lambda _: broken()
    assert (await api.world.promote(held)).phase is Phase.REVERTED
    del api.world.cluster.behaves[held]
    words = ["releases", "promote", held, "-a", "myapp", "--ask"]
    assert await typed(monkeypatch, *words, stdin=Piped(b"the registry is back\n")) == 0
    (promotion, *_) = await api.world.store.read.promotions("myapp", 1)
    assert (promotion.release, promotion.anyway) == (held, "the registry is back")
    await api.world.idle()
    # Of another nothing is left to be asked, and without a release that is named a terminal does not ask at all.
    good = (await api.world.build()).release.id
    assert (
        await typed(monkeypatch, "releases", "promote", good, "-a", "myapp", "--ask", stdin=Piped(b"")) == 0
    )
    assert (await api.world.store.read.promotions("myapp", 1))[0].release == good
    assert await typed(monkeypatch, "releases", "promote", "-a", "myapp", "--ask", stdin=Piped(b"x")) != 0
    assert "a terminal has none" in capsys.readouterr().err
