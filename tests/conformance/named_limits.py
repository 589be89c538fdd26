"""The limits that `@slack/types` names in the comments of its declarations: the same numbers as Slack's documentation."""

import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent / "node_modules/@slack/types/dist"
DECLARATIONS = (
    *(f"block-kit/{name}.d.ts" for name in ("blocks", "block-elements", "composition-objects", "extensions")),
    "views.d.ts",
)
_INTERFACE = re.compile(r"^(?:export )?(?:interface|type) (\w+)[^{;]*\{$(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"/\*\*((?:(?!\*/).)*)\*/\s*(\w+)\??:", re.DOTALL)
_NUMBER = re.compile(
    r"(?:\bmax(?:imum)?\b(?: length| number)?[^.,;]*?|\bup to |\bLimit )`?(\d[\d,]*)\b(?! and)", re.IGNORECASE
)


def named_limits() -> Iterator[tuple[str, int]]:
    """Yield `Interface.field` and each number that its comment names as the most."""
    for file in DECLARATIONS:
        for interface, fields in _INTERFACE.findall((PACKAGE / file).read_text(encoding="utf-8")):
            for comment, field in _FIELD.findall(fields):
                flat = re.sub(r"\{@link [^}]*\}|\s*\n\s*\*\s*", " ", comment)
                for number in _NUMBER.findall(flat):
                    yield f"{interface}.{field}", int(number.replace(",", ""))
