"""How the commands about what runs are given: `services`, `ps` and their like."""

import re

from bot.command.arguments import Arguments
from bot.command.commands import (
    LOG_LINES,
    Command,
    FailureLogs,
    ListProcesses,
    ListResources,
    ListScales,
    ListServices,
    ListTimers,
    Logs,
    Restart,
    SetCount,
)
from bot.command.lexer import plain, shown
from core.manifest.autoscaling import MOST_PROCESSES
from core.sentence import CommandLine, Sentence

SERVICE = re.compile(r"[a-z][a-z0-9-]{0,62}")


def list_services(given: Arguments) -> Command:
    given.count(0, 0)
    return ListServices(app=given.app)


def list_timers(given: Arguments) -> Command:
    given.count(0, 0)
    return ListTimers(app=given.app)


def list_resources(given: Arguments) -> Command:
    given.count(0, 0)
    return ListResources(app=given.app)


def list_processes(given: Arguments) -> Command:
    given.count(0, 0)
    return ListProcesses(app=given.app, service=service_named(given, given.value("service")))


def scale(given: Arguments) -> Command:
    """Without a count it only shows, as in Convox."""
    given.count(0, 1)
    service = _service(given)
    count = given.value("count")
    if count is None:
        return ListScales(app=given.app, service=service)
    if service is None:
        given.refuse("scale which service?", Sentence.of("name one: ", CommandLine("scale web --count 3")))
    number = plain(count)
    if not re.fullmatch(r"[0-9]{1,5}", number) or int(number) > MOST_PROCESSES:
        given.refuse(f"not a number of processes: {shown(number)}", f"it is 0 to {MOST_PROCESSES}")
    return SetCount(app=given.app, service=service, count=int(number))


def restart(given: Arguments) -> Command:
    given.count(0, 1)
    return Restart(app=given.app, service=_service(given))


def logs(given: Arguments) -> Command:
    """Of a promotion what was stored is shown, all of it: there is nothing to choose."""
    given.count(0, 1)
    if promotion := given.id_of("of", "promotion"):
        if given.words or given.flags.keys() & {"limit", "since", "filter"}:
            given.refuse("--of shows all that was stored of a promotion", "leave the rest out")
        return FailureLogs(app=given.app, promotion=promotion)
    return Logs(
        app=given.app,
        service=_service(given),
        limit=given.limit if "limit" in given.flags else LOG_LINES,
        since=seconds_of(given, "since"),
        containing=given.value("filter") or "",
    )


def seconds_of(given: Arguments, flag: str) -> int | None:
    """Return the seconds that a flag names, such as `90s`, `10m` or `1h30m`; None where it is not given."""
    text = plain(given.value(flag) or "")
    if not text:
        return None
    return given.seconds(text)


def _service(given: Arguments) -> str | None:
    """Return the service that the first argument names."""
    return service_named(given, given.words[0].text) if given.words else None


def service_named(given: Arguments, text: str | None) -> str | None:
    if text is None:
        return None
    name = plain(text).lower()
    if not SERVICE.fullmatch(name):
        given.refuse(f"not a name of a service: {shown(text)}", "it has small letters, digits and dashes")
    return name
