"""Text to a typed command and back: what is typed, and what a button holds."""
