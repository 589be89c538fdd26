"""The bot: Slack, HTTP and the process around the core."""
