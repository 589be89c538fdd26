"""What convox.yml means: Convox's forms and defaults, and where this one is stricter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.manifest.convox_yml import Manifest, Service, parse_manifest
from core.manifest.service import (
    Autoscaler,
    EnvironmentDeclaration,
    ExtraPort,
    Health,
    Port,
    ProbeCheck,
    RollingUpdate,
    Scale,
)
from core.records.environment import Environment


def read(text: str, **variables: str) -> Manifest:
    return parse_manifest(text, Environment(tuple(variables.items())))


def service(text: str, **variables: str) -> Service:
    """Return the service of a manifest that has these keys."""
    indented = "\n".join(f"    {line}" for line in text.splitlines())
    return read(f"services:\n  web:\n{indented}\n", **variables).services[0]


def test_a_service_that_says_nothing_has_convox_defaults():
    assert service("") == Service(
        name="web",
        build=".",
        health=Health(path="/", interval=5, grace=5, timeout=4),
        deployment=RollingUpdate(minimum=100, maximum=200),
        scale=Scale(count=1, cpu=250, memory=512),
        termination_grace=30,
    )


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("port: 3000", Port(3000, "http")),
        ("port: '3000'", Port(3000, "http")),
        ("port: https:3000", Port(3000, "https")),
        ("port: grpc:5051", Port(5051, "grpc")),
        ("port: {port: 3000, scheme: https}", Port(3000, "https")),
        ("port: {port: 'https:3000'}", Port(3000, "https")),
        ("port:", None),
    ],
)
def test_a_port_has_four_forms(text: str, port: Port | None):
    assert service(text).port == port


def test_extra_ports_are_tcp_unless_they_say_so_and_never_the_main_port_again():
    found = service(
        "port: 1000\nports: [1000, 2000, 3000/udp, 1000/udp, {port: 4000, protocol: udp}, 2000/tcp]"
    )

    assert found.ports == (
        ExtraPort(2000),
        ExtraPort(3000, "udp"),
        ExtraPort(1000, "udp"),
        ExtraPort(4000, "udp"),
    )


def test_health_is_a_path_or_a_mapping_whose_defaults_follow_the_interval():
    assert service("port: 1\nhealth: /check").health == Health(path="/check")
    assert service("port: 1\nhealth: check").health == Health(path="/check")
    assert service("port: 1\nhealth: {interval: 10}").health == Health(interval=10, grace=10, timeout=9)
    assert service("port: 1\nhealth: {interval: 1}").health.timeout == 1
    assert service("port: 1\nhealth: {disable: true}").health.disable
    assert service("port: 1\nhealth: {port: 'https:81', path: /h}").health == Health(
        path="/h", port=Port(81, "https")
    )


def test_liveness_has_convox_defaults_and_a_startup_check_copies_them():
    both = "port: 1\nliveness: {path: /live, interval: 7}\nstartupProbe: {path: /up, failureThreshold: 30}"

    assert service("port: 1\nliveness: {path: /live}").liveness == ProbeCheck(path="/live")
    assert service(both).startup == ProbeCheck(path="/up", grace=10, interval=7, timeout=5, failures=30)


def test_an_empty_check_is_none():
    assert service("port: 1\nliveness: {}\nstartupProbe: {}").startup is None


def test_a_startup_check_without_liveness_has_kubernetes_defaults():
    found = service("startupProbe: {tcpSocketPort: '8080'}").startup

    assert found == ProbeCheck(tcp_port=8080, grace=0, interval=10, timeout=1, failures=3)


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("scale: 3", Scale(count=3)),
        ("scale: 0", Scale(count=0)),
        ("scale: '2'", Scale(count=2)),
        ("scale: 2-2", Scale(count=2)),
        ("scale: {cpu: 512, memory: 1024}", Scale(count=1, cpu=512, memory=1024)),
        (
            "scale: {count: 2, limit: {cpu: 500, memory: 256}}",
            Scale(count=2, cpu=500, memory=256, cpu_limit=500, memory_limit=256),
        ),
        ("scale: {cpu: 100, limit: {cpu: 500}}", Scale(cpu=100, cpu_limit=500)),
        ("scale: {min: 2, max: 2}", Scale(count=2)),
        ("scale: {min: 3}", Scale(count=3)),
        ("scale: {max: 4}", Scale(count=4)),
        ("scale: {count: {min: 2, max: 2}}", Scale(count=2)),
        ("scale: 2-5", Scale(count=2, autoscaler=Autoscaler(most=5, cpu=80))),
        ("scale: {count: {min: 2, max: 5}}", Scale(count=2, autoscaler=Autoscaler(most=5, cpu=80))),
        ("scale: {min: 2, max: 5}", Scale(count=2, autoscaler=Autoscaler(most=5, cpu=80))),
        (
            "scale: {count: 1-3, targets: {cpu: 70, memory: 90}}",
            Scale(count=1, autoscaler=Autoscaler(most=3, cpu=70, memory=90)),
        ),
        (
            "scale: {count: 1-3, targets: {cpu: 0, memory: 90}}",
            Scale(count=1, autoscaler=Autoscaler(most=3, memory=90)),
        ),
        (
            "scale: {min: 2, autoscale: {cpu: {threshold: 60}}}",
            Scale(count=2, autoscaler=Autoscaler(most=10, cpu=60, enforced=True)),
        ),
        (
            "scale: {max: 4, autoscale: {memory: {threshold: 60}}, targets: {cpu: 50}}",
            Scale(count=1, autoscaler=Autoscaler(most=4, memory=60, enforced=True)),
        ),
        ("scale: {count: 2, autoscale: false, targets: {cpu: 70}}", Scale(count=2)),
    ],
)
def test_scale_has_many_forms(text: str, scale: Scale):
    assert service(text).scale == scale


def test_a_command_is_split_as_a_shell_would():
    assert service("command: bin/web --name 'my app' \"x y\"").command == (
        "bin/web",
        "--name",
        "my app",
        "x y",
    )
    assert service("command: ''").command is None


def test_an_empty_termination_keeps_the_default():
    assert service("termination:\n  grace:").termination_grace == 30
    assert service("termination: {grace: 0}").termination_grace == 0


def test_an_image_supersedes_a_build():
    found = service("build: .\nimage: ubuntu:22.04")

    assert (found.image, found.build) == ("ubuntu:22.04", None)
    assert service("build: {path: api, manifest: Dockerfile2, args: [A=1]}").build == "api"


def test_the_environment_of_the_top_comes_before_the_service_own_and_lists_are_flattened():
    manifest = read(
        """
        environment: &common [GLOBAL=true, [DEEP=1]]
        services:
          web:
            environment:
              - *common
              - "*"
              - EMPTY=
              - NEEDED
              - log.level=a-b
        """,
        NEEDED="x",
    )

    top = (EnvironmentDeclaration("GLOBAL", "true"), EnvironmentDeclaration("DEEP", "1"))
    assert manifest.environment == top
    assert manifest.services[0].environment == (
        *top,
        *top,
        EnvironmentDeclaration("EMPTY", ""),
        EnvironmentDeclaration("NEEDED"),
        EnvironmentDeclaration("log.level", "a-b"),
    )


def test_required_variables_are_named_all_at_once_in_order():
    text = """
        environment: [DEVELOPMENT=true, OTHERGLOBAL]
        services:
          web: {environment: [SECRET, DEFAULT=test]}
          worker: {environment: [QUEUE]}
    """
    with pytest.raises(Invalid) as raised:
        read(text)

    assert str(raised.value) == "required env: OTHERGLOBAL, QUEUE, SECRET"
    assert "env set OTHERGLOBAL=… QUEUE=… SECRET=…" in str(raised.value.hint)
    assert read(text, OTHERGLOBAL="", QUEUE="1", SECRET="2")


def test_labels_of_the_top_reach_every_service_unless_it_has_its_own():
    manifest = read("labels: {team: a, tier: b}\nservices:\n  web: {labels: {team: c}}\n  worker:\n")

    assert [dict(s.labels) for s in manifest.services] == [
        {"team": "c", "tier": "b"},
        {"team": "a", "tier": "b"},
    ]


def test_annotations_may_be_pairs_or_a_mapping():
    expected = (("example.com/a", "1=2"), ("b", "x"))

    assert service("annotations: ['example.com/a=1=2', {b: x}]").annotations == expected
    assert service("annotations: {example.com/a: 1=2, b: x}").annotations == expected


def test_interpolation_takes_the_release_environment_and_may_change_structure():
    found = service(
        "port: ${PORT}\nscale: ${COUNT}\ncommand: run ${NOPE}x", PORT="https:9000", COUNT="{count: 4}"
    )

    assert (found.port, found.scale.count, found.command) == (Port(9000, "https"), 4, ("run", "x"))


def test_keys_that_serve_another_command_have_no_effect():
    text = "drain: 10\ntest: make test"

    assert service(text) == service("")


def test_a_refused_key_that_is_switched_off_is_no_problem():
    text = "agent: false\nsingleton: no\nresources: []\nvolumes:\nprivileged: false\nscale: {count: 2, targets: {}}"

    assert service(text).scale == Scale(count=2)


def test_anchors_may_live_under_x_keys():
    manifest = read(
        "x-base: &base {image: nginx, scale: 2}\nservices:\n  web:\n    <<: *base\n    scale: 3\n"
    )

    assert (manifest.services[0].image, manifest.services[0].scale.count) == ("nginx", 3)


@given(st.dictionaries(st.from_regex(r"[A-Z]{1,8}", fullmatch=True), st.text(max_size=40), max_size=4))
def test_any_environment_gives_a_manifest_or_invalid_without_its_values(values: dict[str, str]):
    text = (
        "services:\n  web:\n    port: ${A}\n    command: ${B}\n    scale: {count: '${C}'}\n    image: ${D}\n"
    )
    try:
        parse_manifest(text, Environment(tuple(values.items())))
        said = ""
    except Invalid as error:
        said = str(error)

    assert not [v for v in values.values() if len(v) >= 8 and v.isalnum() and v in said]
