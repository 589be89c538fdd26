"""Power over nodes is given by the policy, or not at all; a refusal says which line to add."""

import pytest

from core.errors import Invalid
from core.policy.rules import Rules
from tests.core.cluster.rendering.samples import bundle, container, one

PRIVILEGED = "services:\n  web: {privileged: true}\n"
POWERFUL = "services:\n  web: {securityContext: {capabilities: {add: [SYS_ADMIN]}}}\n"
SOCKET = "services:\n  web: {volumes: [/var/run/docker.sock]}\n"


@pytest.mark.parametrize(
    ("manifest", "sentence", "line"),
    [
        (PRIVILEGED, "service web is privileged, which the policy does not allow", "`privileged: true`"),
        (POWERFUL, "securityContext of service web asks for power over its node", "`privileged: true`"),
        (SOCKET, "service web mounts /var/run/docker.sock of its node", "`host_paths: true`"),
    ],
)
def test_without_the_policy_it_is_refused_with_the_line_to_add(manifest, sentence, line):
    with pytest.raises(Invalid) as raised:
        bundle(manifest)
    assert sentence in str(raised.value)
    assert line in str(raised.value.hint)


def test_both_lines_are_told_at_once():
    with pytest.raises(Invalid) as raised:
        bundle("services:\n  web: {privileged: true, volumes: [/proc/]}\n")
    assert "`privileged: true` and `host_paths: true`" in str(raised.value.hint)


def test_with_the_policy_it_is_rendered():
    assert container(bundle(PRIVILEGED, rules=Rules(privileged=True)))["securityContext"] == {
        "allowPrivilegeEscalation": True,
        "privileged": True,
    }
    pods = one(bundle(SOCKET, rules=Rules(host_paths=True)), "Deployment")["spec"]["template"]["spec"]
    assert pods["volumes"][0]["hostPath"] == {"path": "/var/run/docker.sock"}
    assert container(bundle("services:\n  web:\n"))["securityContext"] == {"allowPrivilegeEscalation": False}
