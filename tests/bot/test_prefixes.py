"""What is typed in front of a command is said by one place: another rack's command is called otherwise."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from bot.prefixes import name_slash_command, typed

ROOT = Path(__file__).parents[2]
# Where the default stands, what is said where no bot runs yet, and what plays a workspace of its own.
MAY = {"bot/prefixes.py", "bot/cli/main.py"}
COMMAND = re.compile(r"(?<![\w./@:-])/convox(?![\w.-])")
DOCUMENTED = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def hard_coded(source: str) -> Iterator[int]:
    """Return the lines on which a text that somebody may read names the command itself."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    docs = {
        id(n.body[0].value) for n in nodes if isinstance(n, DOCUMENTED) and isinstance(n.body[0], ast.Expr)
    }
    # A text under an attribute documents that.
    docs |= {id(n.value) for n in nodes if isinstance(n, ast.Expr)}
    for node in nodes:
        if not isinstance(node, ast.Constant) or id(node) in docs:
            continue
        if isinstance(node.value, str) and COMMAND.search(node.value):
            yield node.lineno


def test_no_sentence_names_the_command_itself():
    files = [file for room in ("bot", "core", "storage") for file in sorted((ROOT / room).rglob("*.py"))]
    names = {file: file.relative_to(ROOT).as_posix() for file in files}
    found = [
        f"{name}:{line}"
        for file, name in names.items()
        if name not in MAY and not name.startswith("bot/playground/")
        for line in hard_coded(file.read_text(encoding="utf-8"))
    ]
    assert found == []
    assert list(hard_coded('x = f"type /convox apps {y}"')) == [1]
    assert list(hard_coded('"""/convox apps"""\nx = "/opt/convox /convox.yml http://convox"')) == []


def test_a_command_is_typed_as_the_workspace_calls_it():
    try:
        name_slash_command("/convox-staging")
        assert typed("apps", "slack") == "/convox-staging apps"
        assert typed("apps", "http") == "convox-bot do apps"
    finally:
        name_slash_command("/convox")
