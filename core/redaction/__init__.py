"""Values of an environment never leave in foreign text: pod logs, events, errors, our own log (engine rule 17)."""

from core.redaction.redactor import SHORTEST_VALUE, Redactor, redactor_for
from core.redaction.speech import keep_quiet, quiet

__all__ = ["SHORTEST_VALUE", "Redactor", "keep_quiet", "quiet", "redactor_for"]
