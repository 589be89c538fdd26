"""What Slack delivered and what became of it."""
