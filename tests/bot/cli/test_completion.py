"""What a shell offers: commands, their flags, and the grammar of `do`."""

import asyncio
import os
import shutil
import subprocess
import sys
import threading

import pytest

from bot.cli import rack_names
from bot.cli.main import main
from core.policy.authorization import parse_policy
from tests.bot.api.serving import serving
from tests.bot.cli.window import Window
from tests.core.world import ONE_APPROVAL

SHELLS = ("bash", "zsh", "fish")


def offered(capsys, *words):
    assert main(["completion", "--words", *words]) == 0
    return capsys.readouterr().out.split("\n")[:-1]


@pytest.mark.parametrize(
    ("words", "some", "none"),
    [
        ([""], ["do", "serve", "build"], ["releases", "--help"]),
        (["se"], ["serve"], ["do"]),
        (["token", ""], ["create", "list", "revoke"], ["serve"]),
        (["token", "create", "ci", "--"], ["--expires", "--app"], ["-h"]),
        (["completion", ""], ["bash", "zsh", "fish"], ["serve"]),
        (["build", "--app", ""], [""], ["serve"]),
        (["do", ""], ["releases", "env", "follow"], ["promote", "serve"]),
        (["do", "releases", ""], ["promote", "rollback", "diff"], ["follow", "create"]),
        (["do", "-o", "json", "rel"], ["releases"], []),
        (["do", "releases", "promote", "--"], ["--force", "--app", "--no-wait"], ["--count"]),
        (["do", "--"], ["--no-wait"], ["--force"]),
        (["do", "releases", "promote", "RABCDEFGHIJ", ""], [""], ["follow"]),
        (["nonsense", "x"], [""], ["serve"]),
        ([], ["do"], []),
    ],
)
def test_what_may_come_next_is_offered(capsys, words, some, none):
    found = offered(capsys, *words)
    assert set(some) <= set(found)
    assert not set(none) & set(found)


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_takes_its_script(shell, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "convox-bot completion --words" in script
    if shutil.which(shell):
        checked = subprocess.run(
            [shell, "-n", "/dev/stdin"], input=script, text=True, capture_output=True, check=False
        )
        assert checked.returncode == 0, checked.stderr


@pytest.fixture
async def api(tmp_path, monkeypatch):
    async with serving(tmp_path) as made:
        monkeypatch.setenv("RACK_URL", made.url)
        yield made


async def test_what_the_rack_has_is_offered_where_it_is_wanted(api, capsys):
    release = await api.world.good()
    new = await api.world.build()
    promotion = (await api.store.read.promotions("myapp", 1))[0].id
    api.world.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    waits = (await api.world.ask(new.release.id)).promotion.id
    of_app = ["-a", "myapp"]
    for words, expected in (
        (["do", "releases", "-a", ""], {"myapp"}),
        (["do", "apps", "info", ""], {"myapp"}),
        (["do", "apps", "delete", "m"], {"myapp"}),
        (["do", "apps", "create", ""], {""}),
        (["do", "freeze", ""], {"myapp"}),
        (["build", "-a", ""], {"myapp"}),
        (["do", *of_app, "releases", "promote", ""], {release, new.release.id}),
        (["do", "releases", "info", ""], {""}),
        (["do", "env", *of_app, "--release", ""], {release, new.release.id}),
        (
            ["do", "builds", "info", *of_app, "B"],
            {each.id for each in await api.store.read.builds("myapp", 9)},
        ),
        (["do", "ps", *of_app, "-s", ""], {"web"}),
        (["do", "approve", ""], {waits}),
        (["do", "follow", ""], {waits}),
        (["do", "follow", *of_app, ""], {waits, promotion}),
        (["do", "logs", *of_app, "--of", ""], {waits, promotion}),
        (["do", "releases", "rollback", "--env", ""], {"now", "then"}),
        (["do", "releases", "-o", ""], {"json"}),
        (["do", "decline", waits, "not", ""], {""}),
        (["do", "env", "get", ""], {""}),
        (["do", "releases", "-l", ""], {""}),
    ):
        assert await asyncio.to_thread(main, ["completion", "--words", *words]) == 0
        assert set(capsys.readouterr().out.split("\n")[:-1]) >= expected, words


@pytest.mark.parametrize("url", ["", "http://convox:t@127.0.0.1:1", "https://nonsense"])
def test_a_rack_that_is_away_is_nothing_to_talk_of(monkeypatch, capsys, url):
    monkeypatch.setenv("RACK_URL", url)
    assert main(["completion", "--words", "do", "releases", "-a", ""]) == 0
    assert capsys.readouterr() == ("\n", "")


def test_nobody_waits_for_a_rack_that_does_not_answer(monkeypatch, capsys):
    monkeypatch.setattr(rack_names, "PATIENCE_SECONDS", 0.01)
    answered = threading.Event()
    monkeypatch.setattr(rack_names, "_rows", lambda _: answered.wait() and ())
    assert main(["completion", "--words", "do", "releases", "-a", ""]) == 0
    assert capsys.readouterr() == ("\n", "")
    answered.set()


def test_rows_of_another_shape_are_left_out(monkeypatch):
    monkeypatch.setattr(rack_names, "_rows", lambda _: ["name", {"id": 1}, {"name": "x"}])
    assert rack_names.rack_names("app", None) == ["x"]


@pytest.fixture
def program(tmp_path):
    program = tmp_path / "bin" / "convox-bot"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "import sys; from bot.cli.main import main; sys.exit(main())" "$@"\n'
    )
    program.chmod(0o755)
    return program.parent


# How each shell is told, in a terminal of its own, without what a person has set up.
LOADED = {
    "bash": (["bash", "--norc", "-i"], "source <(convox-bot completion bash)"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -Uz compinit && compinit -u && source <(convox-bot completion zsh)",
    ),
    "zsh from fpath": (
        ["zsh", "-f", "-i"],
        "convox-bot completion zsh > $HOME/_convox-bot && fpath=($HOME $fpath) && autoload -Uz compinit && compinit -u",
    ),
    "fish": (["fish", "--no-config", "-i"], "convox-bot completion fish | source"),
}


@pytest.mark.parametrize("how", LOADED)
def test_the_first_tab_is_answered_in_a_real_shell(how, program, tmp_path):
    command, load = LOADED[how]
    if not shutil.which(command[0]):
        pytest.skip(f"there is no {command[0]} here")
    env = {"PATH": f"{program}:{os.environ['PATH']}", "HOME": str(tmp_path), "PS1": "> ", "TERM": "xterm"}
    with Window(argv=command, **env) as window:
        window.type(f"{load}; echo load''ed\n".encode())
        window.until(lambda lines: "loaded" in lines)
        window.type(b"convox-bot do releases pro\t")
        window.until(lambda lines: any(line.endswith("convox-bot do releases promote") for line in lines))
