"""What a container sees in its environment, and in which order later values win."""

import base64
from typing import Any

import pytest

from core.errors import Invalid
from tests.core.cluster.rendering.samples import bundle, one


def seen(manifest: str, service: str = "web", **arguments: Any) -> dict[str, str]:
    """Return the variables of a service's Secret."""
    data = one(bundle(manifest, **arguments), "Secret", f"env-{service}-rabcdefghij")["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def test_a_process_knows_what_it_runs_as():
    assert seen("services:\n  web: {port: 3000}\n") == {
        "RACK": "convox",
        "APP": "myapp",
        "RELEASE": "RABCDEFGHIJ",
        "BUILD": "BABCDEFGHIJ",
        "BUILD_DESCRIPTION": "build 89df13d5bf Greet by name",
        "BUILD_GIT_SHA": "89df13d5bf64a21f8a9f2bfdad8654ecb144d7f6",
        "SERVICE": "web",
        "PORT": "3000",
    }


def test_the_racks_password_is_in_no_process():
    assert "RACK_URL" not in seen("services:\n  web:\n")


def test_a_service_without_a_port_has_no_port_variable():
    assert "PORT" not in seen("services:\n  web: {ports: [9000]}\n")


def test_the_service_beats_the_top_and_the_release_beats_both():
    manifest = """
    environment: [A=top, B=top, C=top]
    services:
      web: {environment: [B=own, C=own]}
      worker:
    """
    assert seen(manifest, environment={"C": "set"}).items() >= {"A": "top", "B": "own", "C": "set"}.items()
    worker = seen(manifest, "worker", environment={"C": "set"})
    assert worker.items() >= {"A": "top", "B": "top", "C": "set"}.items()


def test_all_variables_of_the_release_reach_every_service_and_may_override_everything():
    found = seen("services:\n  web: {port: 3000}\n", environment={"UNDECLARED": "1", "PORT": "9"})

    assert (found["UNDECLARED"], found["PORT"]) == ("1", "9")


def test_values_are_verbatim():
    value = ' "quoted" \n-----BEGIN X-----\nü\t'

    assert seen("services:\n  web:\n", environment={"PEM": value})["PEM"] == value


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"KEY": "hunter2\0"}, "the value of KEY has a NUL byte"),
        ({"KEY": "hunter2\ud800"}, "the value of KEY is not valid Unicode"),
        ({"BAD KEY": "hunter2"}, "'BAD KEY' is no name of a variable"),
        ({"KEY": "hunter2" * 20_000}, "KEY has 140,005 bytes; Linux takes 131,072 in one variable"),
        ({f"K{i}": "x" * 120_000 for i in range(10)}, "the environment of service web has 1,200,"),
    ],
)
def test_an_environment_that_no_process_could_start_with_is_refused_by_name(
    values: dict[str, str], said: str
):
    with pytest.raises(Invalid) as raised:
        bundle("services:\n  web:\n", environment=values)

    assert said in str(raised.value)
    assert "hunter2" not in str(raised.value)
