"""One progress sentence of a thread, as it is stored and shown."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

LineKind = Literal["line", "step", "log", "evidence"]


@dataclass(frozen=True, slots=True)
class Line:
    """One progress sentence of a thread.

    Attributes:
        at: when it happened, by the cluster's word where it gives one.
        object: what stands after `system/k8s/`, such as `web-745f845dc` or `atom/app`.
        text: the sentence.
        key: identity of the happening; a second line with the same key in one promotion is dropped.
        kind: `line`; of a build `step`, or `log` for a line of its log as it is; or `evidence` for a block of log lines that belongs to a failure.
    """

    at: datetime
    object: str
    text: str
    key: str
    kind: LineKind = "line"

    def __str__(self) -> str:
        if self.kind in {"evidence", "log"}:
            return self.text
        if self.kind == "step":
            return f"{self.at:%Y-%m-%dT%H:%M:%SZ} {self.text}"
        return f"{self.at:%Y-%m-%dT%H:%M:%SZ} system/k8s/{self.object} {self.text}"
