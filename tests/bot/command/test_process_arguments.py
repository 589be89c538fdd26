"""Commands about what runs: how they are typed, and what is said of one that cannot be meant."""

import pytest

from bot.command.commands import (
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
from bot.command.parser import parse
from core.errors import Invalid


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("services", ListServices(app="myapp")),
        ("services -a other", ListServices(app="other")),
        ("ps", ListProcesses(app="myapp")),
        ("ps -s web", ListProcesses(app="myapp", service="web")),
        ("ps --service=Web -a other", ListProcesses(app="other", service="web")),
        ("timers", ListTimers(app="myapp")),
        ("resources -a other", ListResources(app="other")),
        ("scale", ListScales(app="myapp")),
        ("scale web", ListScales(app="myapp", service="web")),
        ("scale web --count 3", SetCount(app="myapp", service="web", count=3)),
        ("scale --count=0 Web -a other", SetCount(app="other", service="web", count=0)),
        ("restart", Restart(app="myapp")),
        ("restart web -a other", Restart(app="other", service="web")),
        ("logs", Logs(app="myapp")),
        ("logs web --since 10m", Logs(app="myapp", service="web", since=600)),
        ("logs --since=1h30m -l 5 -a other", Logs(app="other", since=5400, limit=5)),
        (
            'logs web --filter "connection refused"',
            Logs(app="myapp", service="web", containing="connection refused"),
        ),
        ("logs --of PABCDEFGHIJ", FailureLogs(app="myapp", promotion="PABCDEFGHIJ")),
        ("ps –s `web`", ListProcesses(app="myapp", service="web")),
    ],
)
def test_a_command_is_read_as_it_is_meant(text, command):
    assert parse(text, linked_app="myapp") == command


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("services web", "no args expected", "usage: services"),
        ("ps web", "no args expected", "usage: ps [-s SERVICE]"),
        ("ps -s", "-s needs a service", "as in: -s web"),
        (
            "logs web --of PABCDEFGHIJ",
            "--of shows all that was stored of a promotion",
            "leave the rest out; usage: logs [SERVICE] [--since 10m] [--filter TEXT] [-l N] [--of PROMOTION]",
        ),
        (
            "logs --of PABCDEFGHIJ -l 5",
            "--of shows all that was stored of a promotion",
            "leave the rest out; usage: logs [SERVICE] [--since 10m] [--filter TEXT] [-l N] [--of PROMOTION]",
        ),
        ("services -s web", "services has no --service", "usage: services"),
        (
            "scale --count 3",
            "scale which service?",
            "name one: scale web --count 3; usage: scale [SERVICE] [--count N]",
        ),
        ("scale web worker", "no more than 1 arg expected", "usage: scale [SERVICE] [--count N]"),
        (
            "scale web --count 1001",
            "not a number of processes: 1001",
            "it is 0 to 1000; usage: scale [SERVICE] [--count N]",
        ),
        ("scale web --count -1", "--count needs a number", "as in: --count 3"),
        (
            "scale web --count=-1",
            "not a number of processes: -1",
            "it is 0 to 1000; usage: scale [SERVICE] [--count N]",
        ),
        (
            "scale PASSWORD=Hunter2",
            "not a name of a service: PASSWORD",
            "it has small letters, digits and dashes; usage: scale [SERVICE] [--count N]",
        ),
        ("restart web worker", "no more than 1 arg expected", "usage: restart [SERVICE]"),
        *(
            (
                f"logs --since {wrong}",
                f"not a duration: {wrong}",
                (
                    "write it as 90s, 10m, 2h or 1h30m, at most 30d; "
                    "usage: logs [SERVICE] [--since 10m] [--filter TEXT] [-l N] [--of PROMOTION]"
                ),
            )
            for wrong in ("10", "soon", "0s", "31d", "10m!")
        ),
        ("logs --filter", "--filter needs a text", 'as in: --filter "connection refused"'),
        ("service", "unknown command: service", "did you mean: services"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_was_probably_meant(text, said, hint):
    with pytest.raises(Invalid) as refused:
        parse(text, linked_app="myapp")
    assert (str(refused.value), str(refused.value.hint).replace("`", "")) == (said, hint)
