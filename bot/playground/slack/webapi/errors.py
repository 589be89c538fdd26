"""The one way a Web API method says no."""

from typing import Any


class SlackError(Exception):
    """An answer with `ok: false`."""

    def __init__(self, error: str, **extra: Any) -> None:
        super().__init__(error)
        self.error = error
        self.extra = extra

    def body(self) -> dict[str, Any]:
        return {"ok": False, "error": self.error, **self.extra}
