"""The limits that docs/security.md promises are those of the code."""

import re

from bot.api.attempts import IPV6_BITS
from bot.handlers import budgets
from bot.http import connection, limits, log_limiter, site
from bot.rate_settings import RateSettings
from bot.slack.http_endpoint import FRESH_SECONDS
from bot.wiring.doors import SLACK_BODY_SECONDS
from tests.docs.pages import page, rows, section

LIMITS = limits.HttpLimits()
TOLD = section(page("security.md"), "What a stranger can take")


def numbers(text: str) -> list[int]:
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", text)]


def test_each_row_has_the_numbers_of_the_code():
    told = {row[0]: numbers(row[1]) for row in rows(TOLD) if len(row) == 3 and row[1].strip("- ")}

    assert {name: values for name, values in told.items() if values} == {
        "open connections": [
            LIMITS.connections,
            limits.OTHER_FILES + limits.FILES_OF_A_CONNECTION * LIMITS.connections,
        ],
        "time for the headers of a request": [LIMITS.header_seconds],
        "time between two requests": [LIMITS.idle_seconds],
        "headers of one request": [connection.MOST_HEADERS, connection.LONGEST_LINE],
        "headers of all requests that are not complete": [LIMITS.header_bytes >> 20],
        "time for a body": [LIMITS.body_seconds, SLACK_BODY_SECONDS],
        "a body": [LIMITS.body_bytes >> 20],
        "all bodies that are being read": [LIMITS.bodies_bytes >> 20],
        "time in which an answer is not read on": [LIMITS.reader_seconds],
        "what the system keeps of a connection": [site.SOCKET_BYTES >> 10],
        "lines of the log": [log_limiter.BURST, log_limiter.SECONDS],
    }
    assert FRESH_SECONDS == 5 * 60
    assert f"{limits.WANTED_FILES:,}" in TOLD


def test_a_port_takes_a_share_of_the_files_that_may_be_open():
    assert [limits.connections_of(files) for files in (100, 1_024, 2_048, 1_000_000)] == [16, 170, 512, 512]


def test_the_budgets_are_those_of_the_code():
    text = section(page("security.md"), "What each may ask for")
    rates = RateSettings()
    told = [
        numbers(row[1])[0] for row in rows(text) if len(row) == 2 and row[1] != "a minute" and numbers(row[1])
    ]

    assert told == [rates.convox_reads_per_minute, rates.convox_changes_per_minute, budgets.BRAKES.minute]
    assert f"{budgets.BURST} of a minute's number may come at once" in text
    assert f"{budgets.STRANGERS.minute} tokens a minute" in text
    assert f"{budgets.STRANGERS.burst} of them at once" in text
    assert f"{budgets.MOST:,} at most" in text
    assert f"/{IPV6_BITS} counts as one" in text
