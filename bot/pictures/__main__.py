"""`python -m bot.pictures`: values as JSON from standard input, a PNG to standard output."""

import os
import resource
import sys

import orjson

# Several times what the largest picture takes, so that nothing of it can hurt the bot beside it.
CPU_SECONDS, MEMORY_BYTES = 30, 2 * 1024**3
# Nobody waits for a picture, and rollouts go on beside it.
LAST_IN_LINE = 19


def main() -> None:
    """Draw one picture within limits."""
    os.nice(LAST_IN_LINE)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    # The library is loaded under the limits too.
    from bot.pictures.chart import chart  # noqa: PLC0415

    sys.stdout.buffer.write(chart(orjson.loads(sys.stdin.buffer.read())))


if __name__ == "__main__":
    main()
