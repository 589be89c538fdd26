"""The process that draws: values in, a PNG out, or the reason why there is none."""

import asyncio
import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import orjson

from core.ports.pictures import Draw, PictureFailure

log = logging.getLogger(__name__)

LIBRARY = "matplotlib"
# It takes two on an idle machine, most of them to load the library; a busy one takes several times that.
PATIENCE_SECONDS = 60.0
SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Of what it says when it fails, the last line is what matters.
MOST_SAID = 300


def drawer() -> Draw | None:
    """Return what draws, None where the extra `pictures` is not installed: whoever wonders why there are none is told once."""
    if find_spec(LIBRARY) is None:
        log.info(
            "no pictures of rollouts are drawn: %s is not installed (pip install 'convox-bot[pictures]')",
            LIBRARY,
        )
        return None
    return draw


async def draw(values: Mapping[str, Any], *, patience: float = PATIENCE_SECONDS) -> bytes:
    """Draw one picture in a process of its own.

    Args:
        values: what `bot.views.timeline.drawing` gives.
        patience: seconds, by the machine's own clock: no time of ours runs faster in another process.

    Raises:
        PictureFailure: it has failed, or took too long.
    """
    with tempfile.TemporaryDirectory(prefix="convox-bot-picture-") as folder:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot.pictures"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(folder),
        )
        try:
            async with asyncio.timeout(patience):
                picture, said = await process.communicate(orjson.dumps(values))
        except TimeoutError:
            raise PictureFailure(f"it was not drawn within {patience:g} s") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode or not picture.startswith(SIGNATURE):
        words = said.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise PictureFailure(f"it ended with {process.returncode}: {words[0][:MOST_SAID]}")
    return picture


def _environment(folder: str) -> dict[str, str]:
    """Return what the process needs to know, and no secret of ours; the library keeps a cache, which goes with the folder."""
    known = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
    # More threads than one take memory for nothing.
    return known | {"MPLCONFIGDIR": folder, "MPLBACKEND": "agg", "OPENBLAS_NUM_THREADS": "1"}
