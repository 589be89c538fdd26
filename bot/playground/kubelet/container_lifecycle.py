"""The life of one container: pull, configure, run, be probed, end, back off, run again."""

from collections.abc import Generator, Iterator
from datetime import datetime
from typing import Any

from bot.playground.kubelet import texts
from bot.playground.kubelet.behaviour import GOOD, HookFailure, to_its_end
from bot.playground.kubelet.container_creation import configure, pull
from bot.playground.kubelet.container_timeline import (
    FIRST_BACK_OFF,
    LONGEST_BACK_OFF,
    ContainerStep,
    ContainerTimeline,
)
from bot.playground.kubelet.probes import NEVER, ContainerRun, Probe, port_of
from bot.playground.kubelet.status import ContainerState, digest, stamp
from bot.playground.kubelet.timeline import PodContext

# How much later than the back-off a restart came, by restart, as recorded; later ones take the last.
LATENESS = (2.5, 4.4, 15.0, 11.0)
# How long after a start that failed a kubelet looks again; it sees no run end, so it is not in a hurry.
HOOK_LOOK = 0.6


class ContainerLifecycle(ContainerTimeline):
    """Tells the life of one container."""

    def __init__(
        self,
        pod: dict[str, Any],
        spec: dict[str, Any],
        state: ContainerState,
        context: PodContext,
        *,
        begins: float,
        init: bool = False,
    ) -> None:
        super().__init__(spec, state, context, begins=begins, init=init)
        self._pod = pod
        self._once = pod["spec"].get("restartPolicy") == "Never"
        if self._once:
            self.behaviour = to_its_end(self.behaviour)
        self._back_off = 0.0
        self._backed_off_at = 0.0
        self._last_exit: float | None = None
        self._log = ""
        self._pending_log = ""

    def steps(self) -> Iterator[ContainerStep]:
        """Tell the life from the start, or from where the state says that it stands.

        Yields:
            The steps in their order, each with a copy of the state if it changed.
        """
        began = self._run_began()
        if began is None:
            if "terminated" in self.state.state or self.state.last:
                self.state.restarts += 1
                yield self.step(0.0, self.event("Pulled", texts.already_present(self.spec["image"])))
            else:
                yield from pull(self)
                yield from configure(self)
        runs = began is not None or (yield from self._start())
        while True:
            killed: bool | None = False
            if runs:
                self._end_in_time()
                since = self.elapsed if began is None else began
                began = None
                killed = yield from self._live(
                    ContainerRun(self.spec, self.behaviour, self.state.restarts, since)
                )
            if killed is None:
                return
            if self._once or (self.init and self.state.ready):
                yield self.step(0.0, changed=True, log=self._pending_log)
                return
            runs = yield from self._again(killed=killed)

    def _end_in_time(self) -> None:
        """Let a run of an init container that would go on for ever end well: others wait for it."""
        if self.init and not self.behaviour.run_exits(self.state.restarts):
            self.behaviour = to_its_end(GOOD)

    # -- runs ----------------------------------------------------------------------------------------------

    def _start(self) -> Generator[ContainerStep, None, bool]:
        """Tell a start.

        Returns:
            Whether it runs now; one whose postStart hook fails is killed before a status says that it runs.
        """
        yield self.step(0.01, self.event("Created", "Container created"))
        yield self.step(0.07, self.event("Started", "Container started"))
        state, moment = self.state, self.moment(0.02)
        if "terminated" in state.state:
            state.last = state.state
        state.state = {"running": {"startedAt": stamp(moment)}}
        state.image_id = f"{self.spec['image'].rpartition(':')[0]}@sha256:{digest(self.spec['image'])}"
        state.container_id = (
            f"containerd://{digest(self._pod['metadata']['uid'], state.name, state.restarts)}"
        )
        state.started = "startupProbe" not in self.spec
        state.ready = state.started and not self.init and "readinessProbe" not in self.spec
        listens = self.behaviour.listens(state.restarts) and not self.behaviour.listens_after
        opening = texts.opening(state.name, state.image, port_of(self.spec, {}), moment, listens=listens)
        self._log = "" if self.behaviour.last_words else opening
        failure = self.behaviour.post_start if "postStart" in self.spec.get("lifecycle", {}) else None
        yield self.step(0.02, changed=failure is None, log=self._log, restarted=state.restarts > 0)
        if failure is not None:
            yield from self._post_start_fails(failure)
        return failure is None

    def _post_start_fails(self, failure: HookFailure) -> Iterator[ContainerStep]:
        """Tell how the container is killed for its hook; the status says so from the kubelet's next look on."""
        yield self.step(0.1, self.warning("FailedPostStartHook", "PostStartHook failed"))
        yield self.step(0.01, self.event("Killing", "FailedPostStartHook"))
        self.elapsed += HOOK_LOOK
        self._terminate(0, "Completed")
        if not self._once:
            command = self.spec["lifecycle"]["postStart"]["exec"]["command"]
            message = texts.hook_failed(command, self.state.name, self._where(), failure)
            self.state.last = self.state.state
            self.state.state = {"waiting": {"reason": "PostStartHookError", "message": message}}

    def _live(self, run: ContainerRun) -> Generator[ContainerStep, None, bool | None]:
        """Tell one run, probe by probe.

        Returns:
            Whether a probe killed it; `None` if it stays as it is for ever.
        """
        while (at := run.next_at(self.elapsed)) != NEVER:
            wait = max(0.0, at - self.elapsed)
            if at >= run.exits:
                self.elapsed += wait
                self._terminate(self.behaviour.exit_code, self.behaviour.reason)
                return False
            probe = run.due(at)
            failure = run.ask(probe, at, self.context.address)
            if failure is None:
                yield self.step(wait, changed=self._passed(run, probe))
                continue
            yield self.step(wait, self.warning("Unhealthy", f"{probe.kind} probe failed: {failure}"))
            if probe.kills:
                message = f"Container {self.state.name} failed {probe.kind.lower()} probe, will be restarted"
                yield self.step(0.005, self.event("Killing", message))
                self.elapsed += 0.05
                self._terminate(0, "Completed")
                return True
        return None

    def _passed(self, run: ContainerRun, probe: Probe) -> bool:
        """Take note of a probe that passed, and say whether the status changes by it."""
        if not probe.done:
            return False
        if probe.kind == "Startup":
            self.state.started = True
            run.start_probing(self.elapsed)
        if probe.kind == "Readiness" or (probe.kind == "Startup" and "readinessProbe" not in self.spec):
            self.state.ready = True
        return probe.kind != "Liveness"

    def _terminate(self, code: int, reason: str) -> None:
        """End the run at the present moment; the caller tells it."""
        moment = self.moment()
        if code == 0 and reason == "Completed" and not self.behaviour.exits_after:
            self._pending_log = f"{texts.clock_text(moment)} got SIGTERM, closing\n"
        else:
            self._pending_log = texts.ending(self.behaviour, moment)
        terminated: dict[str, Any] = {"exitCode": code, "reason": reason}
        if code and self.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            terminated["message"] = (self._log + self._pending_log)[-texts.LONGEST_MESSAGE :]
        if self.behaviour.message:
            terminated["message"] = self.behaviour.message
        started = self.state.state.get("running", {}).get("startedAt", stamp(moment))
        terminated |= {"startedAt": started, "finishedAt": stamp(moment)}
        terminated["containerID"] = self.state.container_id
        self.state.state = {"terminated": terminated}
        self.state.started = False
        # An init container is ready once it has done what it is for.
        self.state.ready = self.init and not code

    def _again(self, *, killed: bool) -> Generator[ContainerStep, None, bool]:
        """Tell how the container comes back, and return whether it runs: at once the first time, later after a back-off.

        The back-off counts from the last exit that the kubelet had recorded when it looked. A container that its
        own probe killed has not been recorded yet, so the exit before that one counts.
        """
        counts_from = self._last_exit if killed else self.elapsed
        self._last_exit = self.elapsed
        log, self._pending_log = self._pending_log, ""
        present = self.event("Pulled", texts.already_present(self.spec["image"]))
        if counts_from is not None and self.elapsed - counts_from < self._back_off:
            yield from self._crash_loop(log)
            yield self.step(self._lateness(), present)
        elif killed:
            yield self.step(0.0, present, log=log)
        else:
            yield self.step(0.0, present, changed=True, log=log)
        if counts_from is not None:
            self._grow_back_off()
        self.state.restarts += 1
        return (yield from self._start())

    def _crash_loop(self, log: str) -> Iterator[ContainerStep]:
        where, name = self._where(), self.state.name
        event = self.warning("BackOff", f"Back-off restarting failed container {name} in pod {where}")
        yield self.step(0.0, event, changed=True, log=log)
        delay = texts.go_duration(self._back_off)
        self.state.last = self.state.state if "terminated" in self.state.state else self.state.last
        message = f"back-off {delay} restarting failed container={name} pod={where}"
        self.state.state = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
        yield self.step(1.0, event, changed=True)

    def _where(self) -> str:
        """Return the pod as a kubelet writes it."""
        meta = self._pod["metadata"]
        return f"{meta['name']}_{meta['namespace']}({meta['uid']})"

    def _lateness(self) -> float:
        number = max(0, self.state.restarts - 1)
        return self._back_off - 1.0 + LATENESS[min(number, len(LATENESS) - 1)]

    def _grow_back_off(self) -> None:
        forgotten = self.elapsed - self._backed_off_at > 2 * LONGEST_BACK_OFF
        doubled = min(self._back_off * 2, LONGEST_BACK_OFF)
        self._back_off = FIRST_BACK_OFF if forgotten or not self._back_off else doubled
        self._backed_off_at = self.elapsed

    def _run_began(self) -> float | None:
        """Return when the present run began, in seconds from `began` (negative for before), if there is one."""
        running = self.state.state.get("running")
        if running is None:
            return None
        started = datetime.fromisoformat(running["startedAt"])
        return min(0.0, (started - self.context.began).total_seconds())
