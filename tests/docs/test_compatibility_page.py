"""docs/compatibility.md says what becomes of each key of convox.yml, and what is stricter or wider than in Convox."""

import pytest

from core.errors import Invalid
from core.manifest import keys
from core.manifest.convox_yml import parse_manifest
from core.manifest.timers import TIMER_KEYS
from core.records.environment import Environment
from tests.docs.pages import codes, page, rows, section

SERVICE = "services:\n  web:\n    image: registry.example/web:1\n"


@pytest.mark.parametrize(
    ("title", "run", "ignored", "refused"),
    [
        ("At the top", keys.TOP_SUPPORTED, keys.TOP_IGNORED, keys.TOP_UNSUPPORTED),
        ("In a service", keys.SERVICE_SUPPORTED, keys.SERVICE_IGNORED, keys.SERVICE_UNSUPPORTED),
        ("In `scale`", keys.SCALE_SUPPORTED, (), keys.SCALE_UNSUPPORTED),
        ("In `scale.targets`", ("cpu", "memory"), keys.TARGETS_IGNORED, keys.TARGETS_UNSUPPORTED),
        ("In `scale.autoscale`", ("cpu", "memory"), keys.AUTOSCALE_IGNORED, keys.AUTOSCALE_UNSUPPORTED),
        ("In a timer", TIMER_KEYS, (), {}),
    ],
)
def test_every_key_stands_there_with_what_becomes_of_it(title, run, ignored, refused):
    documented = {codes([key])[0]: what for key, what in rows(section(page("compatibility.md"), title))}

    assert documented == (
        dict.fromkeys(run, "run")
        | dict.fromkeys(ignored, "accepted, without effect")
        | {key: f"refused: {what}" for key, what in refused.items()}
    )


@pytest.mark.parametrize("key", keys.SERVICE_UNSUPPORTED)
def test_a_refused_key_that_asks_for_nothing_is_fine(key):
    parse_manifest(f"{SERVICE}    {key}: false\n", Environment())

    with pytest.raises(Invalid, match="does not run"):
        parse_manifest(f"{SERVICE}    {key}: [x]\n", Environment())


@pytest.mark.parametrize(
    ("lines", "refused"),
    [
        ("helth: /\n", "unknown key"),
        ("health: /\n", "has no port"),
        ("port: grpc:3000\n    health: /\n", "by HTTP"),
        ("environment:\n      - KEY: value\n", "KEY=value"),
        ("scale: {count: 0-5, targets: {cpu: 70}}\n", "never scale to zero"),
        ("command: a\n    command: b\n", "twice"),
    ],
)
def test_what_the_page_calls_stricter_is_refused(lines, refused):
    with pytest.raises(Invalid, match=refused):
        parse_manifest(f"{SERVICE}    {lines}", Environment())


def test_what_the_page_calls_fine_is_taken():
    manifest = parse_manifest(
        "x-common: &common {FOO: bar}\n"
        f"{SERVICE}"
        "    health: {disable: true}\n"
        "    startupProbe: {tcpSocketPort: 2000}\n"
        "    ports: [{port: 2000, protocol: udp}]\n"
        "    scale: {min: 2, max: 2}\n",
        Environment(),
    )
    (web,) = manifest.services

    assert web.scale.count == 2
    assert web.startup is not None
    assert (web.startup.grace, web.startup.interval, web.startup.timeout, web.startup.failures) == (
        0,
        10,
        1,
        3,
    )
    assert (web.deployment.minimum, web.deployment.maximum) == (100, 200)


def test_missing_variables_of_all_services_are_named():
    text = "services:\n" + "".join(
        f"  {name}:\n    image: x:1\n    environment: [{key}]\n" for name, key in (("web", "B"), ("job", "A"))
    )
    with pytest.raises(Invalid, match="required env: A, B"):
        parse_manifest(text, Environment())
