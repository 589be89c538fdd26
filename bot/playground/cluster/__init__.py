"""A simulated Kubernetes cluster that an unmodified client can talk to."""

from bot.playground.cluster.authorization import Identity
from bot.playground.cluster.faults import Fault
from bot.playground.cluster.simulated import SimulatedCluster

__all__ = ["Fault", "Identity", "SimulatedCluster"]
