"""The domain says whom and what it means; how Slack, or any other door, has it written is that door's own."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# How Slack has people, channels and groups written, its word for that, and its escapes.
# Redaction looks for values as foreign text spells them, HTML's way among others; it writes none.
READS_FOREIGN_TEXT = ROOT / "core" / "redaction" / "spellings.py"
# What may be delivered is kept by the door's own word for it: the row is that door's, and nobody else reads it.
NAMES_DELIVERIES = ROOT / "core" / "ports" / "inbox.py"
SLACKS_OWN = re.compile(r"<[@#!]|mention|mrkdwn|&(amp|lt|gt);|(from|import) html", re.IGNORECASE)
# What is typed in front of a command depends on where it is typed: a door knows, and a sentence has a `CommandLine`.
TYPED_SOMEWHERE = re.compile(r"/convox\b(?![/.])|convox-bot do\b")


@pytest.mark.parametrize("package", ["core", "storage"])
@pytest.mark.parametrize("pattern", [SLACKS_OWN, TYPED_SOMEWHERE])
def test_nothing_is_written_as_one_door_has_it(package, pattern):
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for files in ("*.py", "*.sql")
        for file in sorted((ROOT / package).rglob(files))
        if file not in {READS_FOREIGN_TEXT, NAMES_DELIVERIES}
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == []
