"""How many pods of each service there were at one moment of a rollout: without it nobody could draw how it went."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

SampleStage = Literal["forward", "countdown", "back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePods:
    """Pods of one service at one moment.

    Attributes:
        new: pods of the release that is promoted, ready or not, but for those that are going.
        new_ready: of these, those that are ready.
        old_ready: ready pods of whatever ran before it.
        wanted: pods that its workload asks for.
    """

    new: int = 0
    new_ready: int = 0
    old_ready: int = 0
    wanted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSample:
    """What was counted at one moment, by our clock.

    Attributes:
        stage: towards the release that is promoted, in the countdown after its failure, or on the way back.
        services: service → its pods.
    """

    at: datetime
    stage: SampleStage
    services: Mapping[str, ServicePods]
