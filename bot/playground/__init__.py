"""The bot without Slack and without a cluster: an emulation of each, and the bot between them."""
