"""What pods have beside their one container: volumes, files, init containers, logins, GPUs; and agents."""

import base64
import json
from typing import Any

import pytest

from core.errors import Invalid
from core.policy.rules import Rules
from core.records.bundle import Bundle, Ref
from tests.core.cluster.rendering.samples import bundle, container, one

SERVICES = "services:\n  web:\n"


def pod(found: Bundle, kind: str = "Deployment") -> Any:
    return one(found, kind)["spec"]["template"]["spec"]


def test_disks_are_claimed_once_and_mounted():
    found = bundle("services:\n  a: {volumes: [/d, 'v:/e:ro']}\n  b: {volumes: ['v:/e']}\n")
    claims = [ref.name for ref in found.refs if ref.kind == "PersistentVolumeClaim"]
    assert len(claims) == 2
    spec = one(found, "Deployment", "a")["spec"]["template"]["spec"]
    assert {v["persistentVolumeClaim"]["claimName"] for v in spec["volumes"]} == set(claims)
    assert [m.get("readOnly") for m in spec["containers"][0]["volumeMounts"]] == [None, True]
    claim = one(found, "PersistentVolumeClaim", claims[0])
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "10Gi"}},
    }
    assert "release" not in claim["metadata"]["labels"]


def test_a_class_and_folders_that_go_with_the_pod():
    found = bundle(
        SERVICES
        + "    volumeOptions:\n"
        + "    - awsEfs: {id: f, accessMode: ReadWriteMany, mountPath: /f, storageClass: efs-sc}\n"
        + "    - emptyDir: {id: a, mountPath: /a}\n    - emptyDir: {id: b, mountPath: /b, medium: Memory}\n"
    )
    assert one(found, "PersistentVolumeClaim")["spec"]["storageClassName"] == "efs-sc"
    assert pod(found)["volumes"] == [
        {"name": "ed-a", "emptyDir": {}},
        {"name": "ed-b", "emptyDir": {"medium": "Memory"}},
        {"name": "efs-web-f", "persistentVolumeClaim": {"claimName": "efs-web-f"}},
    ]


def test_files_are_secrets_of_the_release_that_are_mounted_one_by_one():
    found = bundle(
        "configs: [{id: app, value: 'a: 1'}]\n"
        + SERVICES
        + "    configMounts: [{id: app, dir: /etc/app, filename: app.yml}]\n"
    )
    secret = one(found, "Secret", "cfg-app-rabcdefghij")
    assert base64.b64decode(secret["data"]["file"]) == b"a: 1"
    assert secret["immutable"]
    assert pod(found)["volumes"] == [{"name": "cfg-app", "secret": {"secretName": "cfg-app-rabcdefghij"}}]
    assert container(found)["volumeMounts"] == [
        {"name": "cfg-app", "mountPath": "/etc/app/app.yml", "subPath": "file", "readOnly": True}
    ]


def test_an_init_container_sees_the_environment_and_that_it_is_the_first():
    found = bundle(
        "configs: [{id: app, value: x}]\n"
        + SERVICES
        + "    initContainer: {command: bin/prepare, volumeOptions: [{emptyDir: {id: a, mountPath: /a}}],"
        + " configMounts: [{id: app, dir: /c, filename: f}]}\n"
    )
    (before,) = pod(found)["initContainers"]
    assert (before["name"], before["image"], before["args"]) == (
        "init",
        container(found)["image"],
        ["bin/prepare"],
    )
    assert before["env"] == [{"name": "INIT_CONTAINER", "value": "true"}]
    assert before["envFrom"] == container(found)["envFrom"]
    assert [m["mountPath"] for m in before["volumeMounts"]] == ["/a", "/c/f"]
    assert [v["name"] for v in pod(found)["volumes"]] == ["cfg-app", "ed-a"]
    (plain,) = pod(bundle(SERVICES + "    initContainer: {image: 'busybox:1'}\n"))["initContainers"]
    assert (plain["image"], "args" in plain, "volumeMounts" in plain) == ("busybox:1", False, False)


LOGIN = (
    SERVICES + "    imagePullSecrets: [regcred, {registry: r.example, username: u, passwordEnv: PASSWORD}]\n"
)


def test_logins_of_registries_are_a_secret_as_the_kubelet_reads_it():
    found = bundle(LOGIN, environment={"PASSWORD": "pw"})
    assert pod(found)["imagePullSecrets"] == [{"name": "regcred"}, {"name": "pull-web-rabcdefghij"}]
    secret = one(found, "Secret", "pull-web-rabcdefghij")
    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    login = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"]["r.example"]
    assert (login["username"], login["password"], base64.b64decode(login["auth"])) == ("u", "pw", b"u:pw")


def test_a_password_that_is_not_set_is_named_in_convoxs_words():
    with pytest.raises(Invalid, match=r"service web imagePullSecrets\[0\]: env var PASSWORD is not set"):
        bundle(LOGIN)


def test_gpus_are_requested_and_limited_and_nothing_else_is_by_default():
    gpu = {"nvidia.com/gpu": "2"}
    assert container(bundle(SERVICES + "    scale: {gpu: 2}\n"))["resources"] == {
        "requests": gpu,
        "limits": gpu,
    }


def test_a_security_context_is_split_between_pod_and_container():
    found = bundle(
        SERVICES
        + "    securityContext: {runAsUser: 1000, runAsGroup: 1, fsGroup: 2, runAsNonRoot: true, readOnlyRootFilesystem: true,"
        + " seccompProfile: Unconfined, capabilities: {add: [CHOWN], drop: [ALL]}}\n",
        rules=Rules(privileged=True),
    )
    assert pod(found)["securityContext"] == {"seccompProfile": {"type": "Unconfined"}, "fsGroup": 2}
    assert container(found)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "runAsUser": 1000,
        "runAsGroup": 1,
        "runAsNonRoot": True,
        "readOnlyRootFilesystem": True,
        "capabilities": {"add": ["CHOWN"], "drop": ["ALL"]},
    }


@pytest.mark.parametrize(
    ("ports", "rolling"),
    [
        ("", {"maxSurge": 1, "maxUnavailable": 0}),
        (", ports: [8125/udp]", {"maxSurge": 0, "maxUnavailable": 1}),
    ],
)
def test_an_agent_is_a_daemon_set_that_is_replaced_a_node_at_a_time(ports, rolling):
    found = bundle(f"services:\n  dd: {{agent: true{ports}}}\n")
    assert [s.workload for s in found.services] == [Ref("DaemonSet", "dd")]
    assert not [ref for ref in found.refs if ref.kind == "Deployment"]
    agent = one(found, "DaemonSet")
    assert agent["spec"]["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": rolling}
    assert agent["spec"]["template"]["metadata"]["labels"]["release"] == "RABCDEFGHIJ"
    assert "replicas" not in agent["spec"]
    hosts = [p.get("hostPort") for p in pod(found, "DaemonSet")["containers"][0].get("ports", [])]
    assert hosts == ([8125] if ports else [])
