"""What a shell offers: commands, their flags, and the grammar of `do`."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli.main import main

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


def test_bash_completes_with_it(tmp_path: Path):
    program = tmp_path / "convox-bot"
    program.write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "import sys; from bot.cli.main import main; sys.exit(main())" "$@"\n'
    )
    program.chmod(0o755)
    typed = (
        f"PATH={tmp_path}:$PATH; source <(convox-bot completion bash); COMP_WORDS=(convox-bot do releases pro); "
        'COMP_CWORD=3; _convox_bot; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", typed], capture_output=True, text=True, check=True)
    assert done.stdout == "promote\n"
