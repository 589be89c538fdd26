"""Requests that change nothing: lists, facts, manifests, environments, help."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from bot.command import commands as ask
from bot.prefixes import typed
from bot.views.answers import Answer
from bot.views.apps import app_info, app_list, app_params, params
from bot.views.builds import (
    account_list,
    build_info,
    build_list,
    build_logs,
    build_run_info,
    nothing_built,
)
from bot.views.documents import (
    account_documents,
    app_document,
    build_document,
    checked_document,
    diff_document,
    environment_document,
    history_documents,
    live_document,
    release_document,
    release_documents,
)
from bot.views.env import env_list
from bot.views.explanations import (
    waiting_documents,
    waiting_text,
    whoami_document,
    whoami_text,
    why_document,
    why_text,
)
from bot.views.help import help_text
from bot.views.history import history_list, live_then
from bot.views.process_documents import (
    log_documents,
    process_documents,
    resource_documents,
    service_documents,
    timer_documents,
)
from bot.views.process_log import failure_answer, last_rows, log_answer, log_text, nothing_written
from bot.views.processes import process_list, resource_list, scale_list, service_list, timer_list
from bot.views.release_diff import release_diff_text
from bot.views.releases import (
    below_list,
    checked_release,
    release_info,
    release_list,
    release_manifest,
    status_note,
    unproved_note,
)
from bot.views.stats import stats_document, stats_text
from core.actor import Caller
from core.clock import Clock
from core.records.process_log import LogRequest
from core.usecases.explainer import Explainer
from core.usecases.process_viewer import ProcessViewer
from core.usecases.viewer import Viewer


class Queries:
    """Puts into words what the caller may see."""

    def __init__(self, viewer: Viewer, processes: ProcessViewer, explainer: Explainer, clock: Clock) -> None:
        self._viewer = viewer
        self._explainer = explainer
        self._running = processes
        self._clock = clock
        self._by_kind: dict[type, Callable[[Any, Caller], Awaitable[Answer]]] = {
            ask.ListReleases: self._releases,
            ask.ReleaseHistory: self._history,
            ask.Stats: self._stats,
            ask.DiffReleases: self._diff,
            ask.ReleaseInfo: self._release_info,
            ask.ReleaseManifest: self._manifest,
            ask.CheckRelease: self._check,
            ask.Env: self._environment,
            ask.EnvGet: self._value,
            ask.ListBuilds: self._builds,
            ask.BuildInfo: self._build_info,
            ask.BuildLogs: self._build_logs,
            ask.ListServices: self._services,
            ask.ListProcesses: self._processes,
            ask.ListScales: self._scale,
            ask.FailureLogs: self._failure_logs,
            ask.Logs: self._logs,
            ask.ListTimers: self._timers,
            ask.ListResources: self._resources,
            ask.AppInfo: self._app_info,
            ask.ListApps: self._apps,
            ask.ListRegistries: self._registries,
            ask.ListGitAccounts: self._git_accounts,
            ask.AppParams: self._params,
            ask.Help: self._help,
            ask.Why: self._why,
            ask.WhoAmI: self._whoami,
            ask.ListWaiting: self._waiting,
        }

    async def show(self, command: ask.Command, caller: Caller) -> Answer:
        """Return the answer."""
        return await self._by_kind[type(command)](command, caller)

    async def _releases(self, command: ask.ListReleases, caller: Caller) -> Answer:
        listed = await self._viewer.releases(caller, command.app, command.limit)
        table = release_list(
            listed.releases, listed.active, self._clock.now(), further_down=listed.further_down
        )
        data = release_documents(listed.with_older, listed.active)
        below = (below_list(listed.held, listed.active), unproved_note(listed.with_older, listed.active))
        hint = "\n".join(filter(None, below))
        return Answer(text=table, data=data, hint=hint, whole=command.typed)

    async def _history(self, command: ask.ReleaseHistory, caller: Caller) -> Answer:
        if command.at is not None:
            span = await self._viewer.live_at(caller, command.app, command.at)
            return Answer(text=live_then(span, command.app, command.at), data=live_document(span) or {})
        seen = await self._viewer.history(caller, command.app, command.limit)
        table = history_list(seen.promotions, seen.spans, self._clock.now())
        data = history_documents(seen.promotions, seen.spans)
        return Answer(text=table, data=data, whole=command.typed)

    async def _stats(self, command: ask.Stats, caller: Caller) -> Answer:
        now = self._clock.now()
        stats = await self._viewer.stats(caller, command.app, now - timedelta(seconds=command.seconds), now)
        return Answer(text=stats_text(command.app, stats), data=stats_document(command.app, stats))

    async def _diff(self, command: ask.DiffReleases, caller: Caller) -> Answer:
        seen = await self._viewer.diff(caller, command.app, command.release, command.base)
        text = release_diff_text(seen.diff, seen.before, seen.after)
        data = diff_document(seen.diff, seen.before, seen.after)
        # What stands in a block of code is no link.
        page = seen.diff.commits if seen.diff.page else ""
        return Answer(text=text, data=data, hint=page, whole=command.typed)

    async def _release_info(self, command: ask.ReleaseInfo, caller: Caller) -> Answer:
        seen = await self._viewer.release(caller, command.app, command.release, reveal=command.reveal)
        # With values the answer is the documented block and nothing else.
        with_note = caller.source == "slack" and not command.reveal
        note = status_note(seen.status, active=seen.active) if with_note else ""
        warnings = () if command.reveal else seen.notes
        data = release_document(seen.release, seen.status, seen.notes, active=seen.active)
        text = release_info(seen.release, seen.text)
        return Answer(text=text, data=data, hint=note, warnings=warnings, whole=command.typed)

    async def _manifest(self, command: ask.ReleaseManifest, caller: Caller) -> Answer:
        build = await self._viewer.build_of(caller, command.app, command.release)
        text = release_manifest(build)
        return Answer(text=text, data={"build": build.id, "manifest": text}, whole=command.typed)

    async def _check(self, command: ask.CheckRelease, caller: Caller) -> Answer:
        seen = await self._viewer.check(caller, command.app, command.release)
        return Answer(
            text=checked_release(seen),
            data=checked_document(seen),
            warnings=tuple(seen.notes),
            whole=command.typed,
        )

    async def _environment(self, command: ask.Env, caller: Caller) -> Answer:
        seen = await self._viewer.environment(
            caller, command.app, reveal=command.reveal, release=command.release
        )
        if command.with_id:
            return Answer(text=seen.release, id=seen.release)
        text, data = env_list(seen.environment), environment_document(seen.environment)
        return Answer(text=text, data=data, whole=command.typed, warnings=_altered(text, command, caller))

    async def _value(self, command: ask.EnvGet, caller: Caller) -> Answer:
        value = await self._viewer.variable(caller, command.app, command.key, release=command.release)
        return Answer(text=value, data={command.key: value}, warnings=_altered(value, command, caller))

    async def _builds(self, command: ask.ListBuilds, caller: Caller) -> Answer:
        builds = await self._viewer.builds(caller, command.app, command.limit)
        data = [build_document(build) for build in builds]
        return Answer(text=build_list(builds, self._clock.now()), data=data, whole=command.typed)

    async def _build_info(self, command: ask.BuildInfo, caller: Caller) -> Answer:
        run = await self._viewer.build_run(caller, command.app, command.build)
        if run is not None and not run.release:
            return Answer(
                text=build_run_info(run, self._clock.now()),
                data=build_document(run.entry()),
                whole=command.typed,
            )
        build = await self._viewer.build(caller, command.app, command.build)
        return Answer(text=build_info(build, self._clock.now()), data=build_document(build))

    async def _build_logs(self, command: ask.BuildLogs, caller: Caller) -> Answer:
        if (made := await self._viewer.build_run_log(caller, command.app, command.build)) is not None:
            shown, left = last_rows("\n".join(made[1]) or nothing_built(made[0]))
            hint = (
                f"{left} earlier lines not shown; GET /builds/{command.build}/log has all of them"
                if left
                else ""
            )
            data = {"build": command.build, "lines": shown.split("\n")}
            return Answer(text=shown, data=data, hint=hint, whole=command.typed)
        build, notes = await self._viewer.build_log(caller, command.app, command.build)
        text = build_logs(build)
        data = {"build": command.build, "lines": str(text).split("\n")}
        return Answer(text=text, data=data, warnings=notes, whole=command.typed)

    async def _services(self, command: ask.ListServices, caller: Caller) -> Answer:
        found = await self._running.services(caller, command.app)
        return Answer(
            text=service_list(found),
            data=service_documents(found),
            hint=_nothing(found, command.app, caller),
            whole=command.typed,
        )

    async def _processes(self, command: ask.ListProcesses, caller: Caller) -> Answer:
        found = await self._running.processes(caller, command.app, command.service)
        table = process_list(found, self._clock.now())
        return Answer(
            text=table,
            data=process_documents(command.app, found),
            hint=_nothing(found, command.service or command.app, caller),
            whole=command.typed,
        )

    async def _scale(self, command: ask.ListScales, caller: Caller) -> Answer:
        found = await self._running.services(caller, command.app, command.service)
        return Answer(
            text=scale_list(found),
            data=service_documents(found),
            hint=_nothing(found, command.app, caller),
            whole=command.typed,
        )

    async def _timers(self, command: ask.ListTimers, caller: Caller) -> Answer:
        found = await self._running.timers(caller, command.app)
        hint = "" if found or caller.source == "http" else f"{command.app} has no timers"
        return Answer(
            text=timer_list(found, self._clock.now()),
            data=timer_documents(found),
            hint=hint,
            whole=command.typed,
        )

    async def _resources(self, command: ask.ListResources, caller: Caller) -> Answer:
        found = await self._running.resources(caller, command.app)
        hint = "" if found or caller.source == "http" else f"{command.app} has no resources"
        return Answer(
            text=resource_list(found), data=resource_documents(found), hint=hint, whole=command.typed
        )

    async def _logs(self, command: ask.Logs, caller: Caller) -> Answer:
        asked = LogRequest(
            service=command.service,
            lines=command.limit,
            since=command.since,
            containing=command.containing,
        )
        seen = await self._running.logs(caller, command.app, asked)
        what = command.service or command.app
        if not seen.log.lines:
            text = nothing_written(what, command.since, command.containing)
            # A terminal gets lines or none, so that a script can count them.
            text = "" if caller.source == "http" else text
            return Answer(text=text, data=[], code=False, warnings=seen.log.notes)
        text = log_text(seen.log.lines)
        if caller.source == "http":
            return Answer(text=text, data=log_documents(seen.log.lines), warnings=seen.log.notes)
        return log_answer(text, what, seen, caller.actor, command.typed)

    async def _failure_logs(self, command: ask.FailureLogs, caller: Caller) -> Answer:
        stored = await self._running.failure_logs(caller, command.app, command.promotion)
        return failure_answer(stored, command.app, command.promotion, command.typed)

    async def _app_info(self, command: ask.AppInfo, caller: Caller) -> Answer:
        seen = await self._viewer.app(caller, command.app)
        return Answer(text=app_info(seen.app, seen.in_flight), data=app_document(seen.app, seen.in_flight))

    async def _params(self, command: ask.AppParams, caller: Caller) -> Answer:
        rules = await self._viewer.rules(caller, command.app)
        return Answer(text=app_params(rules), data=dict(params(rules)))

    async def _registries(self, command: ask.ListRegistries, caller: Caller) -> Answer:
        logins = await self._viewer.registries(caller, command.app)
        return Answer(text=account_list(logins, self._clock.now()), data=account_documents(logins))

    async def _git_accounts(self, command: ask.ListGitAccounts, caller: Caller) -> Answer:
        accounts = await self._viewer.git_accounts(caller, command.app)
        return Answer(text=account_list(accounts, self._clock.now()), data=account_documents(accounts))

    async def _apps(self, _: ask.ListApps, caller: Caller) -> Answer:
        seen = await self._viewer.apps(caller)
        flying = {each.app.name: each.in_flight for each in seen if each.in_flight}
        data = [app_document(each.app, each.in_flight) for each in seen]
        return Answer(text=app_list([each.app for each in seen], flying), data=data, whole="apps")

    async def _why(self, command: ask.Why, caller: Caller) -> Answer:
        told = await self._explainer.why(caller, command.app, command.release)
        return Answer(text=why_text(told), data=why_document(told), code=False, whole=command.typed)

    async def _whoami(self, _: ask.WhoAmI, caller: Caller) -> Answer:
        told = await self._explainer.whoami(caller)
        return Answer(text=whoami_text(told), data=whoami_document(told), code=False)

    async def _waiting(self, command: ask.ListWaiting, caller: Caller) -> Answer:
        found = await self._explainer.waiting(caller)
        hint = "nothing waits for approval" if not found and caller.source == "slack" else ""
        data = waiting_documents(found)
        return Answer(text=waiting_text(found), data=data, code=False, hint=hint, whole=command.typed)

    async def _help(self, command: ask.Help, caller: Caller) -> Answer:
        linked = await self._viewer.linked_app(caller.channel)
        return help_text(command.topic, linked, caller.source)


def _nothing(found: Sequence[object], what: str, caller: Caller) -> str:
    """Say in Slack that a list is empty; a terminal shows a header alone, as Convox does."""
    return f"nothing of {what} runs now" if not found and caller.source == "slack" else ""


def _altered(text: str, command: ask.Command, caller: Caller) -> tuple[str, ...]:
    """Warn that Slack is not shown exactly this: three backticks would end the block that it stands in."""
    if caller.source != "slack" or "```" not in text:
        return ()
    return (
        f"invisible characters stand between backticks here; exactly it is shown by: {typed(command.typed, 'http')}",
    )
