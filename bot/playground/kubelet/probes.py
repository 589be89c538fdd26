"""When the probes of one run of a container are sent, and what the container answers."""

from dataclasses import dataclass, field
from typing import Any

from bot.playground.kubelet import texts
from bot.playground.kubelet.behaviour import Behaviour

NEVER = float("inf")
# A kubelet sends the first probe in the instant in which it sees the container run.
FIRST_PROBE = 0.02


@dataclass(slots=True)
class Probe:
    """One probe of one run: its next time (seconds from the pod's beginning) and its counts."""

    kind: str
    spec: dict[str, Any]
    at: float = NEVER
    failures: int = 0
    successes: int = 0

    def begin(self, now: float, run_began: float) -> None:
        """Set the first time, at once or after the initial delay, which counts from the run's begin."""
        self.at = max(now + FIRST_PROBE, run_began + float(self.spec.get("initialDelaySeconds", 0)))

    def note(self, *, passed: bool) -> None:
        """Count an answer, and set the next time; a probe that passed for good is not sent again."""
        self.failures = 0 if passed else self.failures + 1
        self.successes = self.successes + 1 if passed else 0
        self.at = NEVER if self.done else self.at + float(self.spec.get("periodSeconds", 10))

    @property
    def done(self) -> bool:
        return self.successes >= int(self.spec.get("successThreshold", 1))

    @property
    def kills(self) -> bool:
        return self.kind != "Readiness" and self.failures >= int(self.spec.get("failureThreshold", 3))


@dataclass(slots=True)
class ContainerRun:
    """One run of a container, from `began` to `exits` (`NEVER` if it does not end by itself)."""

    spec: dict[str, Any]
    behaviour: Behaviour
    restarts: int
    began: float
    exits: float = field(init=False, default=NEVER)
    listens: float = field(init=False, default=NEVER)
    probes: list[Probe] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        if self.behaviour.run_exits(self.restarts):
            self.exits = self.began + (self.behaviour.exits_after or 0.0)
        if self.behaviour.listens(self.restarts):
            self.listens = self.began + self.behaviour.listens_after
        kinds = (("Startup", "startupProbe"), ("Readiness", "readinessProbe"), ("Liveness", "livenessProbe"))
        self.probes = [Probe(kind, self.spec[key]) for kind, key in kinds if self.spec.get(key)]
        startup = [probe for probe in self.probes if probe.kind == "Startup"]
        for probe in startup or self.probes:
            probe.begin(self.began, self.began)

    def start_probing(self, now: float) -> None:
        """Begin the other probes, which wait for the startup probe."""
        for probe in self.probes:
            if probe.kind != "Startup":
                probe.begin(now, self.began)

    def next_at(self, now: float) -> float:
        """Return when something happens next; what a stopped kubelet missed is due now."""
        at = min([self.exits, *(probe.at for probe in self.probes)])
        return at if at == NEVER else max(at, now)

    def due(self, at: float) -> Probe:
        """Return the probe that is sent at that time."""
        probe = min(self.probes, key=lambda each: each.at)
        probe.at = at
        return probe

    def ask(self, probe: Probe, at: float, address: str) -> str | None:
        """Send a probe.

        Returns:
            Why it failed, or `None` if it passed.
        """
        failure: str | None = None
        if at < self.listens:
            failure = texts.connection_refused(probe.spec, address, port_of(self.spec, probe.spec))
        elif probe.kind == "Readiness" and not self.behaviour.ready:
            failure = texts.bad_status(probe.spec, 503)
        elif probe.kind == "Liveness" and not self.behaviour.alive:
            failure = texts.bad_status(probe.spec, 500)
        probe.note(passed=failure is None)
        return failure


def port_of(container: dict[str, Any], probe: dict[str, Any]) -> int:
    """Return the number of the port a probe asks, by its name too; without a probe the container's first."""
    ports = container.get("ports") or []
    port = (probe.get("httpGet") or probe.get("tcpSocket") or {}).get("port")
    if port is None:
        return int(ports[0]["containerPort"]) if ports else 8080
    if isinstance(port, int) or str(port).isdigit():
        return int(port)
    named = [int(each["containerPort"]) for each in ports if each.get("name") == port]
    return named[0] if named else 8080
