"""docs/schemas/ is what the readers take: as fresh as their tables, never stricter than they are, and no help to a misspelt key."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from core.errors import Invalid
from core.manifest import keys
from core.manifest.convox_yml import parse_manifest
from core.manifest.schema import SCALE, SERVICE, TOP
from core.policy.reader import RULE_KEYS
from core.yaml.tree import LOADER
from docs.write_schemas import FOLDER, SCHEMAS, written
from tests.controlplane.test_rendered_objects import MANIFESTS
from tests.core.manifest.documented import MANIFESTS as DOCUMENTED
from tests.core.manifest.documented import VARIABLES
from tests.docs.pages import ROOT, blocks, page

EXAMPLES = sorted((ROOT / "examples").glob("*/convox*.yml"))
POLICIES = [*sorted((ROOT / "examples").glob("*policy.yml")), ROOT / "deploy" / "policy.yaml"]
SERVICES = "services:\n  web:\n    image: registry.example/web:1\n"


def validator(name: str) -> Draft7Validator:
    schema: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def faults(text: str, name: str = "convox.schema.json") -> list[str]:
    # JSON has no numbers for keys; editors read those of YAML as text.
    document = json.loads(json.dumps(yaml.load(text, Loader=LOADER)))
    return [error.message for error in validator(name).iter_errors(document)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_as_the_code_makes_it(name: str):
    assert (FOLDER / name).read_text(encoding="utf-8") == written(name), "stale: run `make schemas`"


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_examples_fit_and_name_their_schema_for_editors(file: Path):
    text = file.read_text(encoding="utf-8")
    assert faults(text) == []
    first = text.splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../docs/schemas/convox.schema.json"
    assert (file.parent / first.partition("=")[2]).exists()


@pytest.mark.parametrize("name", MANIFESTS)
def test_what_a_real_api_server_is_given_fits(name: str):
    assert faults(MANIFESTS[name]) == []


@pytest.mark.parametrize("file", POLICIES, ids=lambda file: file.name)
def test_the_policies_fit(file: Path):
    assert faults(file.read_text(encoding="utf-8"), "policy.schema.json") == []


def test_the_policy_of_the_page_fits():
    assert faults(blocks(page("policy.md"))[0], "policy.schema.json") == []


@pytest.mark.parametrize(
    "text",
    [
        "helth: /",
        "port: {prot: 1}",
        "health: {graze: 1}",
        "scale: {cont: 1}",
        "timeout: soon",
        "sticky: 5",
        "tls: {redirects: true}",
        "deployment: {minimum: 101}",
        "port: ftp:21",
        "privileged: true" if "privileged" in keys.SERVICE_UNSUPPORTED else "disableHostUsers: true",
    ],
)
def test_what_is_refused_is_marked(text: str):
    assert faults(f"{SERVICES}    {text}\n")


@pytest.mark.parametrize(
    "text",
    [
        "port: https:3000",
        "port: ${PORT}",
        "timeout: ${SECONDS}",
        "scale: 2",
        "port: {port: 3000, scheme: https}",
        "ports: [9000, 53/udp, {port: 25, protocol: tcp}]",
        "health: /up",
        "labels: [a=b]",
        "annotations: {a.b/c: 1}",
        "domain: [a.example, b.example]",
        "certificate: ours",
        "internal:",
        "links: [db]",
        "nlb: []",
        "environment: [A, B=1, [C]]",
        "build: {context: ., path: .}",
    ],
)
def test_every_form_that_the_reader_takes_fits(text: str):
    assert faults(f"{SERVICES}    {text}\n") == []


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("x-common: {a: b}\n" + SERVICES, True),
        ("version: '3'\n" + SERVICES, True),
        (
            "balancers: {a: {service: web, ports: {80: 3000, 53: {port: 53, protocol: udp}}}}\n" + SERVICES,
            True,
        ),
        ("balancers: {a: {servce: web}}\n" + SERVICES, False),
        ("zervices: {}\n" + SERVICES, False),
        ("environment: [A]\n", False),
    ],
)
def test_the_top_of_a_file(text: str, fits: bool):
    assert bool(faults(text)) is not fits


@pytest.mark.parametrize(
    "text",
    [
        "roles: {a: [veiw]}",
        "apps: [{match: ['*'], deadlin: 1s}]",
        "apps: [{deadline: 1s}]",
        "apps: [{match: ['*'], settle: soon}]",
        "members: [{who: [U01ANA]}]",
    ],
)
def test_what_a_policy_may_not_say_is_marked(text: str):
    assert faults(text, "policy.schema.json")


@pytest.mark.parametrize(
    ("schema", "run", "forms"),
    [
        ("services", keys.SERVICE_SUPPORTED, SERVICE),
        ("top", keys.TOP_SUPPORTED, TOP),
    ],
)
def test_no_form_is_kept_of_a_key_that_is_not_run(
    schema: str, run: tuple[str, ...], forms: Mapping[str, Any]
):
    assert set(forms) <= set(run), schema


def test_every_key_of_the_tables_is_completed():
    document = json.loads((FOLDER / "convox.schema.json").read_text(encoding="utf-8"))
    service = document["properties"]["services"]["additionalProperties"]["properties"]
    assert set(service) == {*keys.SERVICE_SUPPORTED, *keys.SERVICE_IGNORED, *keys.SERVICE_UNSUPPORTED}
    rules = json.loads((FOLDER / "policy.schema.json").read_text(encoding="utf-8"))
    (listed,) = [rules["properties"]["apps"]["items"]["properties"]]
    assert set(listed) == set(RULE_KEYS)


def test_every_key_that_is_run_has_its_form():
    """A key that takes anything is completed by editors, and its own keys are not."""
    assert set(keys.TOP_SUPPORTED) - set(TOP) == {"services"}
    assert set(keys.SERVICE_SUPPORTED) - set(SERVICE) == {"scale"}
    assert set(keys.SCALE_SUPPORTED) == set(SCALE)


@pytest.mark.parametrize(
    ("text", "wrong", "right"),
    [
        ("resources: {db: {type: postgres, imgae: x}}\n" + SERVICES, "imgae", "image"),
        (
            "timers: {t: {schedule: '* * * * *', service: web, comand: x}}\n" + SERVICES,
            "comand",
            "command",
        ),
        ("configs: [{id: a, valu: x}]\n" + SERVICES, "valu", "value"),
        (SERVICES + "    securityContext: {runAsUsr: 1}\n", "runAsUsr", "runAsUser"),
        (SERVICES + "    scale: {autoscale: {cpu: {treshold: 70}}}\n", "treshold", "threshold"),
        (
            SERVICES + "    volumeOptions: [{emptyDir: {id: a, mountpath: /x}}]\n",
            "mountpath",
            "mountPath",
        ),
        (SERVICES + "    imagePullSecrets: [{registry: r.example, user: u}]\n", "user:", "username:"),
    ],
)
def test_a_misspelt_key_of_a_part_is_marked(text: str, wrong: str, right: str):
    assert faults(text)
    assert not faults(text.replace(wrong, right))


def test_what_the_reader_takes_of_convoxs_documented_constructs_fits():
    strict: dict[str, list[str]] = {}
    taken = 0
    for name, text in DOCUMENTED.items():
        with suppress(Invalid):
            parse_manifest(dedent(text), VARIABLES, complete=False)
            taken += 1
            strict |= {name: found} if (found := faults(dedent(text))) else {}
    assert not strict
    assert taken > 40
