"""What services, timers and whatever else has a name in a manifest may be called."""

import re

# Convox's.
NAME = re.compile(r"[a-z][a-z0-9-]*")
NAME_RULE = "must contain only lowercase alphanumeric and dashes"
