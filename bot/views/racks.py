"""Which rack speaks, where a workspace may have several: without it an answer of staging looks like one of production."""

from typing import Any

from bot.views.mrkdwn import inline
from core.records.app import DEFAULT_RACK


def on_rack(payload: dict[str, Any], rack: str) -> dict[str, Any]:
    """Return a message that names the rack, unless it is called as every only one is (engine rule 43)."""
    if rack == DEFAULT_RACK:
        return payload
    said = f"rack {inline(rack)}"
    named = {**payload, "text": f"{payload['text']}\n{said}"}
    if payload.get("blocks"):
        note = {"type": "context", "elements": [{"type": "mrkdwn", "text": said}]}
        named["blocks"] = [*payload["blocks"], note]
    return named
