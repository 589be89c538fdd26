"""`convox-bot doctor`: everything that the bot needs, each thing looked at and judged, with the command that mends it."""
