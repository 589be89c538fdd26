"""What a channel is told that belongs to no promotion."""

from typing import Any

from bot.views.mrkdwn import sentence_text
from core.sentence import Sentence


def notice(said: Sentence) -> dict[str, Any]:
    """Return the payload of a message of one sentence."""
    return {"text": sentence_text(said), "unfurl_links": False, "unfurl_media": False}
