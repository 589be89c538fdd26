"""What pods have beside their one container: volumes, files, init containers, logins, GPUs; and agents."""

import base64
import json
from typing import Any

import pytest

from core.cluster.kinds.secret import filled
from core.errors import Invalid
from core.policy.rules import Rules
from core.records.app import App
from core.records.bundle import Bundle, Ref
from core.records.registry_account import RegistryAccount
from tests.core.cluster.rendering.samples import CI, NOW, bundle, container, one

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


def login(host: str = "ghcr.io", password: str = "correct-horse") -> RegistryAccount:
    return RegistryAccount(app="myapp", host=host, user="bot", secret=password, created_at=NOW, created_by=CI)


APP = App(name="myapp", created_at=NOW, created_by=CI)
WITH_A_TIMER = LOGIN + "timers: {nightly: {schedule: '0 3 * * *', service: web, command: x}}\n"


def test_every_pod_of_an_app_that_has_a_login_pulls_with_it_and_a_bundle_holds_no_password():
    """Else an approval would be bound to a password, and a rollback would bring back one that was revoked."""
    found = bundle(WITH_A_TIMER, environment={"PASSWORD": "pw"}, login_hosts={"ghcr.io"})
    names = [{"name": "regcred"}, {"name": "pull-web-rabcdefghij"}, {"name": "convox-bot-registries"}]
    assert pod(found)["imagePullSecrets"] == names
    timer = one(found, "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert timer["imagePullSecrets"] == names
    secret = one(found, "Secret", "convox-bot-registries")
    assert json.loads(base64.b64decode(secret["data"][".dockerconfigjson"])) == {"auths": {}}
    assert "immutable" not in secret
    assert found.refs[0] == Ref("Secret", "convox-bot-registries")
    sent = filled(found, "convox", APP, [login()])
    assert (sent.digest, sent.refs) == (found.digest, found.refs)
    assert logins_in(sent) == {"ghcr.io": ("bot", "correct-horse")}
    assert [o for o in sent.objects if o["kind"] != "Secret"] == [
        o for o in found.objects if o["kind"] != "Secret"
    ]
    assert logins_in(filled(sent, "convox", APP, [])) == {}


def logins_in(found: Bundle) -> dict[str, tuple[str, str]]:
    data = one(found, "Secret", "convox-bot-registries")["data"][".dockerconfigjson"]
    auths = json.loads(base64.b64decode(data))["auths"]
    for each in auths.values():
        assert base64.b64decode(each["auth"]).decode() == f"{each['username']}:{each['password']}"
    return {host: (each["username"], each["password"]) for host, each in auths.items()}


def test_an_app_without_logins_has_none_of_it():
    found = bundle(SERVICES)
    assert "imagePullSecrets" not in pod(found)
    assert Ref("Secret", "convox-bot-registries") not in found.refs
    assert filled(found, "convox", APP, [login()]) == found


def test_the_login_of_images_without_a_host_has_the_name_under_which_the_kubelet_looks_for_it():
    found = bundle(SERVICES, login_hosts={"docker.io"})
    assert list(logins_in(filled(found, "convox", APP, [login("docker.io")]))) == [
        "https://index.docker.io/v1/"
    ]


@pytest.mark.parametrize(("image", "pulls"), [("ghcr.io/team/redis:7", True), ("redis:7", False)])
def test_a_resource_pulls_with_a_login_where_its_own_image_needs_one(image: str, pulls: bool):
    """Else a login would start a database anew."""
    found = bundle(
        f"resources: {{cache: {{type: redis, image: '{image}'}}}}\n" + SERVICES, login_hosts={"ghcr.io"}
    )
    spec = one(found, "StatefulSet")["spec"]["template"]["spec"]
    assert ("imagePullSecrets" in spec) == pulls


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
