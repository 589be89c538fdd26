"""Agents, security, files, init containers, registries and GPUs: what a manifest may ask of pods."""

import pytest

from core.errors import Invalid
from core.manifest.configs import Config, ConfigMount
from core.manifest.convox_yml import Manifest, parse_manifest
from core.manifest.registries import RegistryLogin
from core.manifest.security import SecurityContext
from core.manifest.service import InitContainer, Scale, Service
from core.records.environment import Environment


def read(keys: str, top: str = "") -> Manifest:
    indented = "\n".join(f"    {line}" for line in keys.splitlines())
    return parse_manifest(f"{top}services:\n  web:\n    image: nginx\n{indented}\n", Environment())


def web(keys: str, top: str = "") -> Service:
    return read(keys, top).services[0]


def refused(keys: str, top: str = "") -> str:
    with pytest.raises(Invalid) as raised:
        read(keys, top)
    return str(raised.value)


@pytest.mark.parametrize(
    ("written", "agent"), [("true", True), ("false", False), ("{enabled: true}", True), ("{}", True)]
)
def test_an_agent_is_asked_for_by_a_word_or_a_mapping(written, agent):
    assert web(f"agent: {written}").agent is agent


def test_ports_of_an_agent_moved_long_ago_and_that_is_said_in_convoxs_words():
    said = refused("agent: {ports: [8125/udp]}")
    assert "agent ports are now specified at the service level: move them from agent of service web" in said


def test_what_means_nothing_to_an_agent_is_noted():
    notes = read("agent: true\nscale: {count: 3, cpu: 128}\ndeployment: {minimum: 50}").notes
    assert notes == (
        "deployment of service web is without effect: an agent runs once on every node, replaced one by one",
        "the count of scale of service web is without effect: an agent runs once on every node",
    )
    assert read("agent: true\nscale: {cpu: 128}").notes == ()
    assert read("agent: true\nscale: 2").notes
    assert read("agent: true").notes == ()


def test_a_further_port_of_an_agent_is_one_of_its_node():
    assert web("agent: true\nports: [8125/udp]").host_ports
    assert not web("ports: [8125/udp]").host_ports
    assert not web("agent: true\nport: 80").host_ports


def test_a_security_context_with_everything():
    service = web(
        "privileged: true\n"
        "securityContext: {runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000, runAsNonRoot: true, readOnlyRootFilesystem: true,"
        " allowPrivilegeEscalation: true, seccompProfile: Unconfined, capabilities: {add: [NET_BIND_SERVICE], drop: [ALL]}}"
    )
    assert service.privileged
    assert service.security == SecurityContext(
        run_as_user=1000,
        run_as_group=1000,
        fs_group=2000,
        non_root=True,
        read_only_root=True,
        escalation=True,
        seccomp="Unconfined",
        add=("NET_BIND_SERVICE",),
        drop=("ALL",),
    )


@pytest.mark.parametrize(
    ("written", "powerful"),
    [
        ("{}", False),
        ("{runAsUser: 0}", False),
        ("{capabilities: {add: [CHOWN], drop: [ALL]}}", False),
        ("{capabilities: {add: [SYS_ADMIN]}}", True),
        ("{seccompProfile: Unconfined}", True),
        ("{allowPrivilegeEscalation: true}", True),
    ],
)
def test_what_is_more_than_the_baseline_is_power_over_the_node(written, powerful):
    assert web(f"securityContext: {written}").security.powerful is powerful


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("{seccompProfile: Localhost}", "Localhost is not supported"),
        ("{seccompProfile: Runitme}", "allowed: RuntimeDefault, Unconfined"),
        ("{capabilities: {add: [CAP_CHOWN]}}", 'use "CHOWN"'),
        ("{capabilities: {drop: [all]}}", "is no name of a capability"),
        ("{runAsNonRoot: true, runAsUser: 0}", "runAsNonRoot=true is incompatible with runAsUser=0"),
        ("{runAsUser: -1}", "must be a whole number"),
    ],
)
def test_a_wrong_security_context_is_told_in_convoxs_words(written, sentence):
    assert sentence in refused(f"securityContext: {written}")


FILES = "configs:\n- {id: app, value: 'a: 1'}\n"


def test_files_and_where_they_are_mounted():
    manifest = read("configMounts: [{id: app, dir: /etc/app/, filename: app.yml}]", FILES)
    assert manifest.configs == (Config("app", "a: 1"),)
    (mount,) = manifest.services[0].configs
    assert (mount, mount.path) == (ConfigMount("app", "/etc/app/", "app.yml"), "/etc/app/app.yml")


@pytest.mark.parametrize(
    ("keys", "top", "sentence"),
    [
        ("configMounts: [{id: b, dir: /a, filename: f}]", FILES, "config id: 'b' not found"),
        ("configMounts: [{dir: /a, filename: f}]", FILES, "configMounts[*].id is required"),
        ("configMounts: [{id: app, filename: f}]", FILES, "configMounts[*].dir is required"),
        ("configMounts: [{id: app, dir: /a}]", FILES, "configMounts[*].filename is required"),
        ("configMounts: [{id: app, dir: a, filename: f}]", FILES, "dir begins with /"),
        ("configMounts: [{id: app, dir: /a, filename: b/f}]", FILES, "a name without a folder"),
        ("init: true", "configs: [{value: x}]\n", "configs[*].id is required"),
        ("init: true", "configs: [{id: A, value: x}]\n", "must have lower-case letters"),
        ("init: true", "configs: [{id: a}]\n", "has no value: write the file under value"),
    ],
)
def test_a_file_that_cannot_be_mounted_is_refused(keys, top, sentence):
    assert sentence in refused(keys, top)


def test_an_init_container_has_a_command_an_image_and_mounts():
    service = web(
        "initContainer: {image: 'busybox:1', command: sh -c x, volumeOptions: [{emptyDir: {id: a, mountPath: /a}}],"
        " configMounts: [{id: app, dir: /c, filename: f}]}",
        FILES,
    )
    assert service.before is not None
    assert (service.before.image, service.before.command) == ("busybox:1", ("sh", "-c", "x"))
    assert [each.path for each in service.before.volumes] == ["/a"]
    assert [each.path for each in service.before.configs] == ["/c/f"]
    assert web("initContainer: {}").before == InitContainer()
    assert "image of initContainer of service web is no image" in refused("initContainer: {image: 'a b'}")


def test_registries_are_secrets_by_name_or_logins():
    service = web(
        "imagePullSecrets: [regcred, {name: other}, {registry: r.example, username: u, passwordEnv: PASSWORD}]"
    )
    assert service.pull_secrets == ("regcred", "other")
    assert service.registries == (RegistryLogin("r.example", "u", "PASSWORD"),)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("[Reg_Cred]", "takes the name of a Secret"),
        ("[{registry: r.example}]", "imagePullSecrets of service web[0]: username is required"),
        ("[{registry: r.example, username: u, passwordEnv: 1X}]", "passwordEnv the name of a variable"),
        (
            "[{registry: r.example, username: u, passwordEnv: A}, {registry: R.example, username: v, passwordEnv: B}]",
            "each registry may be declared at most once per service",
        ),
    ],
)
def test_a_wrong_login_is_refused(written, sentence):
    assert sentence in refused(f"imagePullSecrets: {written}")


@pytest.mark.parametrize(
    ("written", "scale"),
    [
        ("{gpu: 1}", Scale(cpu=0, memory=0, gpus=1)),
        (
            "{gpu: {count: 2, vendor: amd}, memory: 1024}",
            Scale(cpu=0, memory=1024, gpus=2, gpu_vendor="amd.com"),
        ),
        (
            "{gpu: {count: 1, vendor: gpu.intel.com}}",
            Scale(cpu=0, memory=0, gpus=1, gpu_vendor="gpu.intel.com"),
        ),
        ("{gpu: {}}", Scale()),
        ("{gpu: 0}", Scale()),
    ],
)
def test_gpus_are_counted_and_have_a_vendor(written, scale):
    assert web(f"scale: {written}").scale == scale


def test_a_vendor_that_is_none_is_refused():
    assert "vendor of gpu of scale of service web is none" in refused(
        "scale: {gpu: {count: 1, vendor: 'N V'}}"
    )
