"""What both ports share: who may be connected, for how long, with how much; and how a refusal is said.

Whatever reaches a port may come from a stranger. Nothing here knows a token or a signature: it bounds what a stranger can
make the process keep, wait for and write down, until the door behind it (`bot.api`, `bot.slack`) knows who asks.
"""
