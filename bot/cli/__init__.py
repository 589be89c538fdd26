"""`convox-bot …`: what can be done from a terminal and from CI."""
