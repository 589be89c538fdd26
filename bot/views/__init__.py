"""Records in, words out: every message and every answer, as functions of values."""
