"""What the cluster itself is told of a promotion, for whoever looks with kubectl and not with Slack."""

from dataclasses import dataclass
from datetime import datetime

from core.records.bundle import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterEvent:
    """One Event of Kubernetes about one object.

    Attributes:
        name: the same whenever it is told, so that nothing stands there twice.
        ref: what it is about.
        reason: why, in one CamelCase word; `action`: what was done.
        note: for people, without values; what is longer than Kubernetes takes is cut.
        warning: a person should look.
        at: when it happened.
    """

    name: str
    ref: Ref
    reason: str
    action: str
    note: str
    warning: bool
    at: datetime
