"""A manifest that cannot run is refused with everything that is wrong, each with its line."""

import pytest

from core.errors import Invalid
from core.manifest.convox_yml import parse_manifest
from core.records.environment import Environment


def said(text: str, **variables: str) -> str:
    with pytest.raises(Invalid) as raised:
        parse_manifest(text, Environment(tuple(variables.items())))
    return str(raised.value)


def about(text: str, **variables: str) -> str:
    """Return what is said of a service that has these keys; its first line is line 3."""
    indented = "\n".join(f"    {line}" for line in text.splitlines())
    return said(f"services:\n  web:\n{indented}\n", **variables)


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file():
    text = """services:
  web:
    prot: 3000
    scale: 1-x
    singleton: 1
    volumes: [data]
    port: tcp:1
    health: {pth: /x}
balancers:
  main: {service: web}
servcies: {}
"""
    assert said(text).splitlines() == [
        'convox.yml line 3: unknown key "prot" in service web; did you mean "port"?',
        'convox.yml line 4: invalid scale: "1-x" (scale of service web must be a number, or two with a dash)',
        'convox.yml line 5: singleton of service web must be true or false, not "1"',
        'convox.yml line 6: volumes of service web takes /folder, name:/folder or a folder of the node, not "data"',
        'convox.yml line 7: invalid port: "tcp:1" (port of service web may be 3000, https:3000 or grpc:3000)',
        'convox.yml line 8: unknown key "pth" in health of service web; did you mean "path"?',
        "convox.yml line 10: balancer main has no ports",
        'convox.yml line 11: unknown key "servcies" in convox.yml; did you mean "services"?',
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("port: 0", 'invalid port: "0"'),
        # Octal to YAML 1.1, which Convox reads: 1536, 330 and 10.
        ("port: 03000", 'port of service web begins with 0, as octal numbers do, so it may not mean "03000"'),
        ("ports: [03000]", "ports of service web begins with 0, as octal"),
        ("ports: [{port: 03000}]", "ports of service web begins with 0, as octal"),
        ("scale: {cpu: 0512}", "cpu of scale of service web begins with 0, as octal"),
        ("scale: 012", "scale of service web begins with 0, as octal"),
        (
            "port: 1\nhealth: false",
            'health of service web is a path such as /health, not "false"; for no check',
        ),
        ("port: 1\nhealth: Off", "for no check at all write health: {disable: true}"),
        ("port: 1\nhealth: 200", 'is a path such as /health, not "200"'),
        ("environment: [' KEY=1']", '"KEY" has a space beside its name: write KEY=value without any'),
        ("environment: [KEY =1]", '"KEY" has a space beside its name'),
        ("port: 70000", 'invalid port: "70000"'),
        ("port: x", 'invalid port: "x"'),
        ("port: [1]", "invalid port: a list"),
        ("port: {scheme: https}", "could not parse port"),
        ("port: {port: 1, scheme: tcp}", 'invalid port: scheme "tcp" of port of service web is none of http'),
        (
            "port: 1\nliveness: {path: /x, successThreshold: 2}",
            "successThreshold of liveness of service web must be",
        ),
        (
            "port: 1\nhealth: [x]",
            "unknown type for service health: health of service web may be a path or a mapping",
        ),
        ("annotations: ['a b=c']", "is not what Kubernetes takes as the key of an annotation"),
        (
            "scale: {count: 2, keda: {a: b}}",
            '"keda" of scale of service web: this version does not run autoscaling',
        ),
        ("command: [bin/web]", "command of service web must be text, not a list"),
        ("init:\n  a: b", "init of service web must be true or false, not a mapping"),
        ("ports: [[1]]", "invalid port: a list"),
        (
            "termination: {grace: x}",
            "grace of termination of service web must be a whole number from 0 to 3600",
        ),
        ("ports: [1/sctp]", 'invalid port: "1/sctp"'),
        ("scale: many", 'invalid scale: "many"'),
        ("scale: -1", "invalid scale"),
        ("scale: 9999", "must be from 0 to 1000"),
        ("scale: [1]", "unknown type for service scale"),
        ("scale: {count: 3+}", 'invalid scale: "3+"'),
        ("scale: 1-2-3", 'invalid scale: "1-2-3"'),
        ("scale: 1-9999", "must be from 0 to 1000"),
        ("scale: {min: 9999}", "min of scale of service web must be a whole number from 0 to 1000"),
        ("scale: 5-2", "service web: scale.max must be >= scale.min"),
        ("scale: 0-5", "service web: scale.min: 0 combined with only always-active autoscale triggers"),
        (
            "scale: {count: 3, autoscale: {cpu: {threshold: 70}}}",
            "service web: scale.max must be > scale.min when autoscale is enabled",
        ),
        (
            "scale: {max: 3, autoscale: {cpu: {threshold: 0}}}",
            "service web: scale.autoscale.cpu.threshold must be between 1 and 100",
        ),
        (
            "scale: {max: 3, autoscale: {memory: {threshold: 101}}}",
            "service web: scale.autoscale.memory.threshold must be between 1 and 100",
        ),
        (
            "scale: {max: 3, autoscale: {cpu: {}}}",
            "cpu of autoscale of scale of service web needs a threshold",
        ),
        (
            "scale: {max: 3, autoscale: {queue_depth: {threshold: 3}}}",
            "this version does not run autoscaling by the length of a queue",
        ),
        (
            "scale: {count: 1-3, targets: {external: [{name: x}]}}",
            "this version does not run autoscaling by metrics from outside of the cluster",
        ),
        ("scale: {count: 1-3, targets: {cpus: 70}}", 'unknown key "cpus" in targets of scale of service web'),
        ("scale: {keda: {triggers: []}}", "this version does not run autoscaling by KEDA"),
        ("scale: {vpa: {updateMode: Auto}}", "this version does not run vertical autoscaling"),
        (
            "scale: {cpu: 500, limit: {cpu: 100}}",
            "scale of service web: cpu limit can not be less cpu request",
        ),
        (
            "scale: {memory: 500, limit: {memory: 1}}",
            "scale of service web: memory limit can not be less memory request",
        ),
        ("environment: {A: b}", "unknown type for service environment"),
        ("environment: [{A: b}]", "environment of service web takes KEY=value, not KEY: value"),
        ("environment: [1A=b]", '"1A" is no name of a variable'),
        ("build: [x]", "unknown type for service build"),
        ("labels: {app: x}", "reserved label key 'app' is not allowed"),
        ("labels: {team: 'a b'}", "is not what Kubernetes takes as a label"),
        ("annotations: [novalue]", "invalid annotation format"),
        ("image: 'two words'", "is no image reference (it has spaces)"),
        ('command: "a \'b"', "cannot be split into words: no closing quotation"),
        ("liveness: {path: /x}", "liveness of service web has no port to ask"),
        ("health: /x", "health of service web has no port to ask"),
        ("port: grpc:1\nliveness: {path: /x}", "liveness of service web cannot ask a grpc port by HTTP"),
        ("port: 1\nliveness: {grace: 3}", "liveness of service web needs a path"),
        ("port: 1\nstartupProbe: {grace: 3}", "needs either a path or a tcpSocketPort"),
        ("port: 1\nhealth: http://web/check", "health of service web must be a path such as /health"),
        ("port: 1\nhealth: {interval: soon}", 'must be a whole number from 0 to 3600, not "soon"'),
        ("internal: maybe", 'must be true or false, not "maybe"'),
        ("singleton: perhaps", "singleton of service web must be true or false"),
        (
            "accessControl: {awsPodIdentity: {policyArns: [x]}}",
            "by the annotation eks.amazonaws.com/role-arn",
        ),
        ("nlb: [80]", "name one under balancers:"),
    ],
)
def test_a_key_that_cannot_be_read_says_why(text: str, sentence: str):
    assert sentence in about(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "convox.yml: it is empty; it needs at least one service"),
        ("# nothing\n", "convox.yml: it is empty"),
        ("- a\n", "convox.yml line 1: it must begin with keys such as services:, not with a list"),
        ("hello\n", 'not with "hello"'),
        ("environment: []\n", "it has no services"),
        ("services: []\n", "services must be a mapping of keys, not a list"),
        ("services: {web: [1]}\n", "service web must be a mapping of keys, not a list"),
        ("budget: {monthlyCapUsd: 5}\nservices: {web: }\n", "this version does not run spending caps"),
    ],
)
def test_a_file_that_is_no_manifest_says_so(text: str, sentence: str):
    assert sentence in said(text)


def test_what_can_be_read_but_cannot_run_has_convox_texts():
    assert said(
        "services:\n  Web: {deployment: {minimum: -1, maximum: 201}}\n  b: {deployment: {minimum: 101}}\n"
    ) == (
        "validation errors:\n"
        "service name Web invalid, must contain only lowercase alphanumeric and dashes\n"
        "service Web deployment minimum can not be less than 0\n"
        "service Web deployment maximum can not be greater than 200\n"
        "service b deployment minimum can not be greater than 100"
    )


def test_a_name_that_kubernetes_would_refuse_is_refused_here():
    assert "service name web- invalid, must not end with a dash" in said("services: {web-: }")
    assert "at most 63 characters" in said(f"services: {{{'a' * 64}: }}")


@pytest.mark.parametrize(
    "text",
    ["port: ${S}", "scale: ${S}", "image: A B ${S}", "labels: {team: '${S}'}", "internal: ${S}", "${S}: 1"],
)
def test_a_value_of_the_environment_is_never_repeated(text: str):
    sentence = about(text, S="Hunter2 Hunter2!")

    assert "Hunter2" not in sentence
    assert "${S}" in sentence


def test_a_name_out_of_the_environment_is_not_repeated_as_required_env_or_as_a_service():
    assert "Hunter2" not in about("environment: ['${S}']", S="Hunter2Hunter2")
    assert "Hunter2" not in said("services:\n  ${S}:\n    scale: 1\n", S="Hunter2Hunter2")


def test_a_problem_in_an_anchor_counts_once():
    text = "x-base: &base {prot: 1}\nservices:\n  a: {<<: *base}\n  b: {<<: *base}\n"

    assert said(text).count("unknown key") == 2  # once for each service that has it


def test_the_copies_of_the_environment_that_services_get_are_limited():
    services = "services:\n" + "".join(f"  web{number}: {{image: a}}\n" for number in range(200))
    environment = Environment((("CERTIFICATE", "x" * 100_000),))

    assert parse_manifest(services.replace("  web0: {image: a}\n", "", 1), Environment()).services
    with pytest.raises(Invalid) as refused:
        parse_manifest(services, environment)
    assert str(refused.value) == (
        "200 services with a copy of all 100,011 characters of the environment each would be more than the limit of 16,777,216"
    )


def test_more_services_than_anybody_has_are_refused_before_they_are_read():
    text = "services:\n" + "".join(f"  web{number}: {{nope: 1}}\n" for number in range(201))

    with pytest.raises(Invalid) as refused:
        parse_manifest(text, Environment())
    assert str(refused.value) == "convox.yml line 202: it has 201 services; 200 are the limit"


def test_advice_is_worked_out_for_problems_that_are_told_only(monkeypatch: pytest.MonkeyPatch):
    asked = []

    def advise(word, known):
        asked.append(word)
        return ""

    monkeypatch.setattr("core.yaml.fields.did_you_mean", advise)
    text = "services:\n  web:\n    image: a\n" + "".join(f"    imag{number}: 1\n" for number in range(1_000))

    with pytest.raises(Invalid):
        parse_manifest(text, Environment())
    assert len(asked) == 40


def test_a_file_full_of_problems_is_told_in_an_answer_of_readable_length():
    lines = said("services:\n" + "".join(f"  s{i}: {{nonsense: 1}}\n" for i in range(100))).splitlines()

    assert len(lines) == 41
    assert lines[-1] == "… and 60 more"


def test_what_was_taken_once_is_read_as_it_was_then_so_that_whoever_goes_back_is_not_kept_from_it():
    text = "services:\n  web: {build: ., port: 03000, scale: {cpu: 0512}}\n  api: {build: ., port: 1, health: false}\n"
    taken = parse_manifest(text, Environment(), stored=True)
    web, api = sorted(taken.services, key=lambda service: -service.scale.cpu)
    assert (web.port.number, web.scale.cpu) == (3000, 512)
    assert api.health.path == "/false"
    assert [note.partition(" begins")[0].partition(" is a path")[0] for note in taken.notes] == [
        "port of service web",
        "cpu of scale of service web",
        "unknown type for service health: health of service api",
    ]
