"""What a service mounts: disks of its own and of the app, folders of the node, folders that go with the pod."""

import pytest

from core.errors import Invalid
from core.manifest.convox_yml import Manifest, parse_manifest
from core.manifest.service import Service
from core.records.environment import Environment


def read(keys: str) -> Manifest:
    indented = "\n".join(f"    {line}" for line in keys.splitlines())
    return parse_manifest(f"services:\n  web:\n    image: nginx\n{indented}\n", Environment((("P", "/x y"),)))


def web(keys: str) -> Service:
    return read(keys).services[0]


def refused(keys: str) -> str:
    with pytest.raises(Invalid) as raised:
        read(keys)
    return str(raised.value)


def test_a_folder_is_a_disk_of_the_services_own_and_a_name_one_of_the_app():
    own, shared = web("volumes: [/app/content, 'my-vol:/data']").volumes
    assert (own.path, own.claim) == ("/app/content", "volume-web-app-content-69fed15703")
    assert (shared.path, shared.claim) == ("/data", "volume-my-vol-4e9b2d5d81")
    assert (own.access_mode, own.exclusive, own.name) == ("ReadWriteOnce", True, own.claim)


def test_the_same_folder_of_two_services_is_two_disks_and_one_name_is_one():
    text = "services:\n  a: {image: x, volumes: [/d, 'v:/e']}\n  b: {image: x, volumes: [/d, 'v:/e']}\n"
    first, second = parse_manifest(text, Environment()).services
    assert first.volumes[0].claim != second.volumes[0].claim
    assert first.volumes[1].claim == second.volumes[1].claim


@pytest.mark.parametrize(
    ("written", "host", "path", "read_only"),
    [
        ("/var/run/docker.sock", "/var/run/docker.sock", "/var/run/docker.sock", False),
        ("/proc/:/host/proc/", "/proc/", "/host/proc/", False),
        ("/sys/fs/cgroup/:/host/sys/fs/cgroup/:ro", "/sys/fs/cgroup/", "/host/sys/fs/cgroup/", True),
    ],
)
def test_some_folders_of_the_node_are_what_they_are_called(written, host, path, read_only):
    service = web(f"volumes: ['{written}']")
    (volume,) = service.volumes
    assert (volume.host, volume.path, volume.read_only) == (host, path, read_only)
    assert (service.host_paths, service.has_exclusive_volume) == ((host,), False)


def test_any_other_folder_before_the_colon_is_a_disk_of_the_app_and_that_is_said():
    manifest = read("volumes: ['/opt/run:/opt/run:rw']")
    assert manifest.services[0].volumes[0].path == "/opt/run"
    assert manifest.notes[0].endswith("; it is a disk of the app, no folder of the node")


@pytest.mark.parametrize("written", ["data", "a:b", "/", "v:/data:rx", "a:/b:ro:x"])
def test_what_is_no_volume_is_refused(written):
    assert "takes /folder, name:/folder or a folder of the node" in refused(f"volumes: ['{written}']")


def test_two_at_one_place_are_refused():
    assert "mounts at" in refused("volumes: [/d, 'v:/d']")
    both = "volumes: [/d]\nvolumeOptions: [{emptyDir: {id: a, mountPath: /d/}}]"
    assert 'service web mounts "/d" twice' in refused(both)


def test_folders_that_go_with_the_pod():
    plain, memory = web(
        "volumeOptions:\n- emptyDir: {id: one, mountPath: /a}\n- emptyDir: {id: two, mountPath: /b, medium: Memory}"
    ).volumes
    assert (plain.name, plain.empty, plain.memory) == ("ed-one", True, False)
    assert (memory.name, memory.memory, memory.exclusive) == ("ed-two", True, False)


def test_a_shared_file_system_is_a_claim_of_the_class_that_is_named():
    keys = (
        "{id: files, accessMode: ReadWriteMany, mountPath: /f, storageClass: efs-sc, volumeHandle: 'fs-1:/x'}"
    )
    manifest = read(f"volumeOptions: [{{awsEfs: {keys}}}]")
    (volume,) = manifest.services[0].volumes
    assert (volume.claim, volume.access_mode, volume.storage_class) == (
        "efs-web-files",
        "ReadWriteMany",
        "efs-sc",
    )
    assert not volume.exclusive
    assert "volumeHandle of awsEfs of volumeOptions of service web is without effect" in manifest.notes[0]


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("emptyDir: {mountPath: /a}", "emptyDir.id is required"),
        ("emptyDir: {id: a}", "emptyDir.mountPath is required"),
        ("emptyDir: {id: a, mountPath: /a, medium: Disk}", "emptyDir.medium's allowed values: Memory"),
        ("emptyDir: {id: A_B, mountPath: /a}", "an id has lower-case letters"),
        ("awsEfs: {id: a, mountPath: /a}", "awsEfs.accessMode must be one of these values: ReadOnlyMany"),
        (
            "awsEfs: {id: a, mountPath: /a, accessMode: ReadWriteMany}",
            "this rack knows no file system of Amazon's EFS: name the storageClass",
        ),
        (
            "azureFiles: {id: a, mountPath: /a, accessMode: ReadWriteMany, shareName: x}",
            "this rack knows no file system of Azure Files",
        ),
        ("nfs: {id: a}", 'unknown key "nfs"'),
    ],
)
def test_an_option_that_cannot_be_honoured_is_refused(option, sentence):
    assert sentence in refused(f"volumeOptions: [{{{option}}}]")


def test_a_name_of_the_share_is_noted():
    keys = "{id: a, mountPath: /a, accessMode: ReadOnlyMany, storageClass: azure, shareName: x}"
    notes = read(f"volumeOptions: [{{azureFiles: {keys}}}]").notes
    assert notes[0].startswith("shareName of azureFiles")


def test_a_value_of_the_environment_is_in_no_sentence():
    assert "/x y" not in refused("volumes: ['${P}', '${P}']")
