"""Where pods run, what they run beside their command, and keys of which nothing comes."""

import pytest

from core.errors import Invalid
from core.manifest.convox_yml import Manifest, parse_manifest
from core.manifest.keys import BUILD_IGNORED
from core.manifest.service import Lifecycle, NodePreference, Port, Service
from core.records.environment import Environment


def read(keys: str, top: str = "") -> Manifest:
    indented = "\n".join(f"    {line}" for line in keys.splitlines())
    return parse_manifest(f"{top}services:\n  web:\n{indented}\n", Environment())


def web(keys: str) -> Service:
    (service,) = read(keys).services
    return service


def refused(keys: str) -> str:
    with pytest.raises(Invalid) as raised:
        read(keys)
    return str(raised.value)


def test_hooks_are_commands_split_as_a_shell_would():
    assert web("lifecycle: {preStop: \"sh -c 'sleep 5'\", postStart: bin/warm}").lifecycle == Lifecycle(
        post_start=("bin/warm",), pre_stop=("sh", "-c", "sleep 5")
    )
    assert web("lifecycle: {preStop: sleep 5}").lifecycle.post_start == ()
    assert "cannot be split into words" in refused('lifecycle: {preStop: "\'"}')
    assert 'unknown key "prestop"' in refused("lifecycle: {prestop: x}")


def test_nodes_are_chosen_by_labels_and_preferred_by_weighted_ones():
    service = web(
        "nodeSelectorLabels: {example.com/disk: ssd}\n"
        "nodeAffinityLabels:\n"
        "  - {weight: 20, label: example.com/zone, value: a}\n"
        "  - {label: example.com/zone, value: b}"
    )
    assert service.node_selector == (("example.com/disk", "ssd"),)
    assert service.node_preferences == (
        NodePreference(label="example.com/zone", value="a", weight=20),
        NodePreference(label="example.com/zone", value="b", weight=1),
    )
    assert web("nodeAffinityLabels: {zone: a}").node_preferences == (
        NodePreference(label="zone", value="a", weight=1),
    )


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ("nodeSelectorLabels: {zone: a b}", 'label "zone": "a b" is not what Kubernetes takes as a label'),
        ("nodeAffinityLabels: [{value: a}]", "needs a label and a value that Kubernetes takes"),
        ("nodeAffinityLabels: [{label: z, value: a, weight: 101}]", "must be a whole number from 1 to 100"),
        ("dnsConfig: {ndots: 16}", "must be a whole number from 0 to 15"),
    ],
)
def test_what_kubernetes_would_not_take_is_refused(keys: str, sentence: str):
    assert sentence in refused(keys)


def test_names_are_looked_up_as_the_file_says():
    assert web("dnsConfig: {ndots: 2}").ndots == 2
    assert web("dnsConfig: {}").ndots is None


def test_grpc_health_asks_a_grpc_port_whether_it_is_ready_and_alive():
    service = web("port: grpc:50051\ngrpcHealthEnabled: true\nhealth: {grace: 7, interval: 3, timeout: 2}")
    assert service.health_port == Port(50051, "grpc")
    assert service.liveness is not None
    assert service.liveness.grpc
    assert (service.liveness.grace, service.liveness.failures) == (7, 5)


def test_a_liveness_check_of_ones_own_stays_beside_grpc_health():
    keys = "port: grpc:50051\ngrpcHealthEnabled: true\nliveness: {path: /live, port: 8080}"
    liveness = web(keys).liveness
    assert liveness is not None
    assert (liveness.path, liveness.port, liveness.grpc) == ("/live", Port(8080), False)


@pytest.mark.parametrize("port", ["", "port: 3000\n"])
def test_grpc_health_needs_a_grpc_port(port: str):
    assert "grpcHealthEnabled of service web needs a grpc port" in refused(f"{port}grpcHealthEnabled: true")


def test_labels_may_be_a_list_of_pairs_of_which_the_last_counts():
    assert web("labels: [team=a, tier=b, team=c]").labels == (("team", "c"), ("tier", "b"))
    assert "takes key=value, not" in refused("labels: [team]")
    assert "takes key=value, not" in refused("labels: [[team]]")
    assert "reserved label key 'app' is not allowed" in refused("labels: [app=x]")
    assert 'label "team": its value is not what Kubernetes takes' in refused("labels: [team=a b]")


def test_each_key_of_which_nothing_comes_is_noted_once_with_the_reason():
    keys = "port: 3000\nlinks: [db]\nbuild: {context: ., path: app}"
    assert read(keys, "version: '3'\n").notes == (
        "version of convox.yml is without effect: it is of Compose or of an older Convox, and Convox 3 ignores it too",
        "links of service web is without effect: it is of Compose or of an older Convox, and Convox 3 ignores it too",
        f"context of build of service web is without effect: {BUILD_IGNORED['context']}",
    )
    assert read("port: 3000").notes == ()


@pytest.mark.parametrize("key", ["healthcheck", "entrypoint", "networks", "policies", "user"])
def test_keys_that_convox_3_ignores_are_noted_and_not_refused(key: str):
    (said,) = read(f"{key}: {{a: b}}").notes
    assert said.startswith(f"{key} of service web is without effect: it is of Compose or of an older Convox")
    assert not read(f"{key}:").notes


def test_ends_of_a_range_beside_a_count_are_noted():
    manifest = read("scale: {count: 2, min: 1, max: 5}")
    assert manifest.services[0].scale.count == 2
    assert manifest.notes == (
        "min of scale of service web is without effect: its count says how many",
        "max of scale of service web is without effect: its count says how many",
    )


@pytest.mark.parametrize("written", ["${GONE}", '"${GONE}"'])
def test_what_a_variable_has_left_empty_is_noted(written: str):
    """A whitelist that lets in everybody, since nobody has set whom it names, is the one to know of."""
    assert read(f"port: 3000\nwhitelist: {written}").notes == (
        "whitelist of service web is empty: the variable in its place is not set",
    )
    assert not read('port: 3000\nwhitelist: ""').notes


def test_a_quoted_number_that_begins_with_0_is_decimal_as_in_convox():
    assert web('port: "03000"').port == web("port: 3000").port
    assert web('health: "200"\nport: 80').health.path == "/200"


def test_how_a_singleton_is_replaced_is_not_for_the_file_to_say():
    manifest = read("singleton: true\ndeployment: {minimum: 50}")
    (web,) = manifest.services
    assert (web.singleton, web.recreates) == (True, True)
    assert manifest.notes == (
        "deployment of service web is without effect: a singleton's old processes stop before its new ones start",
    )
    assert not read("singleton: false\ndeployment: {minimum: 50}").notes


def test_an_agent_is_on_every_node_whatever_its_load():
    agent = web("agent: true\nsingleton: true\nscale: {count: 2-5, targets: {cpu: 70}}")
    assert agent.scale.autoscaler is None
    assert not agent.recreates
