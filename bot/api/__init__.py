"""The bot over HTTP: builds, commands and lines for CI and terminals, health, metrics; and the client of these."""
