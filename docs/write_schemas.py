"""Writes docs/schemas/ from the tables of the readers, so that an editor completes what they take, and from that of the API.

Run it after a change of the keys: `make schemas`. A test fails while a file is stale.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from bot.api.openapi.document import openapi_document
from core.manifest.schema import manifest_schema
from core.policy.schema import policy_schema
from core.yaml.json_schema import Schema

FOLDER = Path(__file__).with_name("schemas")
SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "convox.schema.json": manifest_schema,
    "policy.schema.json": policy_schema,
    "openapi.json": openapi_document,
}


def written(name: str) -> str:
    """Return what a file should hold."""
    return json.dumps(SCHEMAS[name](), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every file."""
    FOLDER.mkdir(exist_ok=True)
    for name in SCHEMAS:
        (FOLDER / name).write_text(written(name), encoding="utf-8")


if __name__ == "__main__":
    main()
