"""Text ↔ typed command: what a person types, and what it means."""
