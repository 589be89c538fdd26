"""Slack: the connection, what it delivers, and what it is told."""
