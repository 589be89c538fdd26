"""The manifests in deploy/, as far as they can be judged without an API server."""

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
import yaml

from core.cluster.builds.adapter import RIGHTS
from core.cluster.builds.job import SERVICE_ACCOUNT
from core.cluster.namespace_objects import namespace_objects

DEPLOY = Path(__file__).parents[1] / "deploy"


def documents(name):
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def of_kind(kind, name):
    (found,) = [each for each in documents(name) if each["kind"] == kind]
    return found


def test_kustomization_names_every_file_once():
    kustomization = documents("kustomization.yaml")[0]
    (generated,) = kustomization["configMapGenerator"]
    named = {*kustomization["resources"], *generated["files"]}
    assert named | {"kustomization.yaml", "self-service.yaml", "builds.yaml", "tls.yaml"} == {
        file.name for file in DEPLOY.glob("*.yaml")
    }
    assert generated["name"] in str(of_kind("Deployment", "bot.yaml")["spec"]["template"]["spec"]["volumes"])


def test_the_role_of_the_apps_is_bound_nowhere_by_default():
    assert not [
        each
        for name in ("namespace.yaml", "rbac.yaml", "bot.yaml")
        for each in documents(name)
        if each["kind"].endswith("Binding")
    ]


def test_the_role_holds_no_wildcard_and_no_way_to_more_rights():
    rules = of_kind("ClusterRole", "rbac.yaml")["rules"]
    words = {word for rule in rules for key in ("apiGroups", "resources", "verbs") for word in rule[key]}
    assert not words & {
        "*",
        "bind",
        "escalate",
        "impersonate",
        "pods/exec",
        "serviceaccounts/token",
        "rolebindings",
    }


def test_the_role_of_builds_is_what_the_bot_asks_for_in_their_namespace_and_no_more():
    (role,) = [each for each in documents("builds.yaml") if each["kind"] == "Role"]
    granted = {resource: frozenset(rule["verbs"]) for rule in role["rules"] for resource in rule["resources"]}
    assert granted == RIGHTS
    assert {each["metadata"]["namespace"] for each in documents("builds.yaml")[1:]} == {"convox-builds"}
    (account,) = [each for each in documents("builds.yaml") if each["kind"] == "ServiceAccount"]
    assert (account["metadata"]["name"], account["automountServiceAccountToken"]) == (SERVICE_ACCOUNT, False)
    (policy,) = [each for each in documents("builds.yaml") if each["kind"] == "NetworkPolicy"]
    assert (policy["spec"]["podSelector"], policy["spec"]["ingress"]) == ({}, [])


def let_out(address: str) -> bool:
    """Tell whether a build reaches an address at port 443, as a network that enforces its policy reads it."""
    (policy,) = [each for each in documents("builds.yaml") if each["kind"] == "NetworkPolicy"]
    to = [rule["to"] for rule in policy["spec"]["egress"] if {"port": 443} in rule["ports"]]
    blocks = [peer["ipBlock"] for peers in to for peer in peers]
    found = ip_address(address)
    return any(
        found in ip_network(block["cidr"]) and not any(found in ip_network(each) for each in block["except"])
        for block in blocks
    )


@pytest.mark.parametrize(
    "address",
    [
        "140.82.121.3",  # github.com
        "2606:50c0:8000::153",  # GitHub's pages
        "2600:1f18::1",  # Amazon's registry
        "64:ff9b::8c52:7903",  # github.com, through a translator
    ],
)
def test_a_build_reaches_what_the_world_serves_by_either_protocol(address):
    assert let_out(address)


@pytest.mark.parametrize(
    "address",
    [
        "10.96.0.1",
        "100.64.0.1",
        "172.31.0.1",
        "192.168.0.1",
        "fd00:10:96::1",
        "fe80::1",
        "fec0::1",
        "::1",
        "::ffff:10.96.0.1",
        "ff02::1",
        # What clouds tell their machines: most, Alibaba's, Azure's, Oracle's; in IPv6 Amazon's, Google's, Oracle's.
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fd00:c1::a9fe:a9fe",
        # The same through translators, and 10.96.0.1 by 6to4.
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::6464:64c8",
        "64:ff9b::a83f:8110",
        "64:ff9b::a60:1",
        "64:ff9b::ac1f:1",
        "64:ff9b::c0a8:1",
        "64:ff9b::c000:c0",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a60:1::1",
    ],
)
def test_a_build_reaches_nothing_inside_and_no_metadata_of_a_cloud_by_either_protocol(address):
    assert not let_out(address)


def test_there_is_never_more_than_one_bot():
    spec = of_kind("Deployment", "bot.yaml")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_the_pod_meets_the_restricted_standard_that_its_namespace_enforces():
    assert (
        documents("namespace.yaml")[0]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        == "restricted"
    )
    pod = of_kind("Deployment", "bot.yaml")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_terminal_is_reached_while_slack_is_away():
    assert of_kind("Service", "bot.yaml")["spec"]["publishNotReadyAddresses"] is True


def test_who_applies_self_service_is_told_that_role_and_fence_belong_together():
    kinds = {each["kind"] for each in documents("self-service.yaml")}
    assert kinds == {
        "ClusterRole",
        "ClusterRoleBinding",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    }


def test_the_fence_is_around_the_account_that_the_bot_gives_rights_to():
    _, binding = yaml.safe_load_all(namespace_objects("convox", "myapp"))
    (bound,) = binding["subjects"]
    policy = of_kind("ValidatingAdmissionPolicy", "self-service.yaml")["spec"]
    (condition,) = policy["matchConditions"]
    said = " ".join(each["expression"] for each in policy["validations"])

    assert f"system:serviceaccount:{bound['namespace']}:{bound['name']}" in condition["expression"]
    assert f's.name == "{bound["name"]}" && s.namespace == "{bound["namespace"]}"' in said


def test_another_rack_is_one_marked_line_of_the_fence():
    text = (DEPLOY / "self-service.yaml").read_text()
    (marked,) = [line for line in text.splitlines() if line.endswith("# the rack")]
    assert [line for line in text.splitlines() if 'startsWith("convox-")' in line] == [marked]
    assert 'marked "the rack"' in text


def test_it_is_said_that_the_bot_reads_every_secret():
    for name in ("rbac.yaml", "README.md"):
        assert "bot reads every Secret in" in (DEPLOY / name).read_text()


def test_the_network_policy_lets_in_what_the_container_listens_on_and_out_what_the_bot_calls():
    policy = of_kind("NetworkPolicy", "network-policy.yaml")
    template = of_kind("Deployment", "bot.yaml")["spec"]["template"]
    (container,) = template["spec"]["containers"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    assert policy["metadata"]["namespace"] == documents("namespace.yaml")[0]["metadata"]["name"]
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    entries = [port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]]
    assert sorted(entries) == sorted(port["name"] for port in container["ports"])
    exits = {
        (port["port"], port.get("protocol", "TCP"))
        for rule in policy["spec"]["egress"]
        for port in rule["ports"]
    }
    assert exits == {(53, "UDP"), (53, "TCP"), (443, "TCP"), (6443, "TCP")}
