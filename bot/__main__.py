"""`python -m bot` is `convox-bot serve`, for images and supervisors that start modules."""

import sys

from bot.cli.main import main

sys.exit(main(["serve", *sys.argv[1:]]))
