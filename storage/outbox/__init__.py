"""What Slack is still to be told: cards, and the messages of their threads."""
