"""What is sent for a build, and what is read back: pure functions, and the script by a real shell."""

import base64
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.actor import Actor
from core.building.cause import cause_in
from core.cluster.builds.job import render_job, render_secret, script_of
from core.cluster.builds.reading import job_status
from core.cluster.builds.script import build_script, secret_words
from core.cluster.builds.settings import BuildSettings
from core.manifest.image_builds import ImageBuild
from core.ports.builds import BuildJobSpec, GitClone
from core.records.git_account import GitAccount
from core.records.registry_account import RegistryAccount
from tests.fakes import START

ACCOUNT = RegistryAccount(
    app="",
    host="registry.example",
    user="bot",
    secret="push-password",
    created_at=START,
    created_by=Actor("token", "x", "x"),
)
SETTINGS = BuildSettings(registry="registry.example/apps", account=ACCOUNT, address="http://bot:3001/")
EVIL = 'it\'s; $(touch evil) `id` "q" \\'
SPEC = BuildJobSpec(
    build="BABCDEFGHIJ",
    app="myapp",
    installation="abc",
    images=(
        ImageBuild(services=("web", "worker"), args=(("A", EVIL),)),
        ImageBuild(services=("db",), path="db dir", dockerfile="ci/Dockerfile"),
    ),
    token="one-token",
    secrets={"DATABASE_URL": "postgres://secret"},
    logins=(replace(ACCOUNT, host="other.example"),),
)
KEEPING = "Keeping what the next build begins with"
D1, D2 = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def ran(tmp_path: Path, script: str, *, digests: tuple[str, ...] = (D1, D2), code: int = 0, keeps: int = 0):
    """Run the script with a BuildKit that writes down how it was called; `code`, `keeps`: how its builds end, and how what is kept."""
    fake = tmp_path / "buildctl-daemonless.sh"
    fake.write_text(
        f"""#!{sys.executable}
import json, sys
from pathlib import Path
calls = Path({str(tmp_path)!r}, "calls.json")
known = json.loads(calls.read_text()) if calls.exists() else []
calls.write_text(json.dumps([*known, sys.argv[1:]]))
if "--export-cache" in sys.argv:
    print("#5 CACHED")
    sys.exit({keeps})
given = {list(digests)!r}[sum("--metadata-file" in words for words in known)]
Path(sys.argv[-1]).write_text(json.dumps({{"containerimage.digest": given, "image.name": "x"}}, indent=2))
sys.exit({code})
"""
    )
    fake.chmod(0o755)
    told = tmp_path / "digests"
    for folder in ("source", "source/db dir"):
        (tmp_path / folder).mkdir(exist_ok=True)
    here = script.replace("/tmp/", f"{tmp_path}/").replace("/dev/termination-log", str(told))
    here = here.replace("/source", f"{tmp_path}/source")
    done = subprocess.run(
        ["/bin/sh", "-c", here, "build", *secret_words(["KEY"])],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, json.loads((tmp_path / "calls.json").read_text()), told.read_text() if told.exists() else ""


def script(**changes) -> str:
    given: dict[str, Any] = {
        "repository": "registry.example/apps/myapp",
        "build": SPEC.build,
        "no_cache": False,
    }
    return build_script(SPEC.images, **(given | changes))


def test_every_image_is_built_and_its_digest_told_and_no_value_is_a_word_of_the_shell(tmp_path: Path):
    done, calls, told = ran(tmp_path, script())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["Building web, worker (1/2)", KEEPING, "Building db (2/2)", KEEPING]
    assert told.split() == [D1, D2]
    first, _, second, _ = calls
    assert f"build-arg:A={EVIL}" in first
    assert (
        'type=image,"name=registry.example/apps/myapp:web.BABCDEFGHIJ,registry.example/apps/myapp:worker.BABCDEFGHIJ",push=true'
        in first
    )
    assert first[4:10] == [
        "--local",
        f"context={tmp_path}/source",
        "--local",
        f"dockerfile={tmp_path}/source",
        "--opt",
        "filename=Dockerfile",
    ]
    assert second[4:10] == [
        "--local",
        f"context={tmp_path}/source/db dir",
        "--local",
        f"dockerfile={tmp_path}/source/db dir",
        "--opt",
        "filename=ci/Dockerfile",
    ]
    assert "id=KEY,src=/run/build-secrets/KEY" in second
    assert "type=registry,ref=registry.example/apps/myapp:cache-web" in first
    # What is pushed over a cache forgets what was in it: each image has its own.
    assert "type=registry,ref=registry.example/apps/myapp:cache-db" in second


def test_no_cache_builds_anew_and_keeps_what_comes_of_it(tmp_path: Path):
    _, calls, _ = ran(tmp_path, script(no_cache=True))
    for built, kept in (calls[:2], calls[2:]):
        assert "--no-cache" in built
        assert "--import-cache" not in built
        # What has been built anew a moment ago is what is kept.
        assert "--no-cache" not in kept
        assert "--export-cache" in kept


def test_image_and_cache_are_pushed_one_after_the_other_and_the_cache_is_made_of_the_same_steps(
    tmp_path: Path,
):
    _, calls, _ = ran(tmp_path, script())
    for built, kept in (calls[:2], calls[2:]):
        assert "--output" in built
        assert "--export-cache" not in built
        assert "--output" not in kept
        same = built[: built.index("--import-cache")]
        assert kept[: len(same)] == same
        assert kept[-2:] == ["--secret", "id=KEY,src=/run/build-secrets/KEY"]


def test_a_cache_that_cannot_be_kept_fails_no_build(tmp_path: Path):
    done, _, told = ran(tmp_path, script(), keeps=1)
    assert (done.returncode, done.stderr, told.split()) == (0, "", [D1, D2])
    assert done.stdout.splitlines().count("it could not be kept") == 2


def test_the_first_image_that_fails_ends_it(tmp_path: Path):
    done, calls, told = ran(tmp_path, script(), code=3)
    assert (done.returncode, len(calls), told) == (3, 1, "")


def test_the_pod_is_an_ordinary_user_without_a_token_of_the_cluster():
    job = render_job(SPEC, SETTINGS, "convox-builds")
    assert job["metadata"]["name"] == "build-babcdefghij"
    assert (job["spec"]["backoffLimit"], job["spec"]["activeDeadlineSeconds"]) == (0, 3720)
    pod = job["spec"]["template"]["spec"]
    assert (pod["automountServiceAccountToken"], pod["serviceAccountName"]) == (False, "convox-builds")
    assert pod["securityContext"]["runAsNonRoot"]
    assert "privileged" not in json.dumps(pod)
    for container in (*pod["initContainers"], *pod["containers"]):
        assert set(container["resources"]["limits"]) == {"cpu", "memory", "ephemeral-storage"}
    assert pod["initContainers"][0]["env"][0]["value"] == "http://bot:3001/builds/BABCDEFGHIJ/source"


def test_with_users_of_its_own_it_is_root_where_root_is_nobody_and_ends_where_it_is_not(tmp_path: Path):
    namespaced = replace(SETTINGS, user_namespaces=True)
    pod = render_job(SPEC, namespaced, "convox-builds")["spec"]["template"]["spec"]
    (building,) = pod["containers"]
    assert (pod["hostUsers"], building["securityContext"]["privileged"]) == (False, True)
    # What fetches is an ordinary user all the same.
    assert pod["securityContext"]["runAsUser"] == 1000
    assert "privileged" not in pod["initContainers"][0]["securityContext"]
    mounts = {each["name"]: each["mountPath"] for each in building["volumeMounts"]}
    assert (mounts["state"], mounts["login"]) == ("/var/lib/buildkit", "/root/.docker")
    assert building["env"] == [{"name": "DOCKER_CONFIG", "value": "/root/.docker"}]
    for outside, code in (("100000", 0), ("0", 1)):
        (place := tmp_path / outside).mkdir()
        (place / "uid_map").write_text(f"         0 {outside:>10}      65536\n")
        checked = script_of(SPEC, namespaced).replace("/proc/self/uid_map", str(place / "uid_map"))
        begun = checked.partition("\ninside")[0]
        done = subprocess.run(["/bin/sh", "-c", begun], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (code, "")
    assert cause_in(done.stdout.splitlines()).startswith("this node has no user namespaces for pods")
    assert script_of(SPEC, namespaced, ["Cloned"]).index("uid_map") < script_of(
        SPEC, namespaced, ["Cloned"]
    ).index("Cloned")
    assert "uid_map" not in script_of(SPEC, SETTINGS)


def test_what_is_secret_stands_in_the_secret_alone_which_is_the_jobs_own():
    job = json.dumps(render_job(SPEC, SETTINGS, "convox-builds"))
    secret = render_secret(SPEC, SETTINGS, "convox-builds", "uid-1")
    values = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    for value in ("one-token", "postgres://secret", "push-password"):
        assert value not in job
        assert any(value in each for each in values.values())
        assert value not in repr(SPEC)
    assert json.loads(values[".dockerconfigjson"])["auths"].keys() == {"other.example", "registry.example"}
    assert secret["metadata"]["ownerReferences"][0]["uid"] == "uid-1"
    files = {
        v["name"]: v["secret"]["items"]
        for v in render_job(SPEC, SETTINGS, "n")["spec"]["template"]["spec"]["volumes"]
        if "secret" in v
    }
    assert files == {
        "login": [{"key": ".dockerconfigjson", "path": "config.json"}],
        "secrets": [{"key": "env.DATABASE_URL", "path": "DATABASE_URL"}],
    }


def test_without_secrets_there_is_no_volume_of_them_and_no_account_needs_none():
    pod = render_job(replace(SPEC, secrets={}), SETTINGS, "n")["spec"]["template"]["spec"]
    assert "secrets" not in {volume["name"] for volume in pod["volumes"]}
    data = render_secret(replace(SPEC, logins=()), replace(SETTINGS, account=None), "n", "u")["data"]
    assert json.loads(base64.b64decode(data[".dockerconfigjson"])) == {"auths": {}}


def job(kind: str = "", **condition: str):
    conditions = [{"type": kind, "status": "True", **condition}] if kind else []
    return {"metadata": {"uid": "u1"}, "status": {"conditions": conditions}}


def event(said: str):
    refused = f'Error creating: pods "build-b-x7x8x" is forbidden: exceeded quota: builds, {said}'
    return {"reason": "FailedCreate", "message": refused}


UNSCHEDULED = {"type": "PodScheduled", "status": "False", "message": "0/3"}


def pod(name: str = "build", where: str = "containerStatuses", **state):
    return {"status": {where: [{"name": name, "state": state}]}}


@pytest.mark.parametrize(
    ("found", "phase", "reason"),
    [
        ((None, []), "gone", ""),
        (
            (job(), []),
            "waiting",
            "it waits for its pod: is the quota of the namespace used up, or is deploy/builds.yaml not applied whole?",
        ),
        ((job(), [{}]), "waiting", "its pod is starting"),
        ((job(), [pod(waiting={"reason": "PodInitializing"})]), "waiting", "its pod is starting"),
        (
            (job(), [pod("source", "initContainerStatuses", running={})]),
            "waiting",
            "its source is being fetched",
        ),
        ((job(), [pod(waiting={"reason": "ErrImagePull", "message": "no"})]), "waiting", "ErrImagePull: no"),
        (
            (job(), [pod(waiting={"reason": "ImagePullBackOff"})]),
            "failed",
            "ImagePullBackOff: nobody says why",
        ),
        (
            (
                job(),
                [
                    {
                        "status": {
                            "conditions": [
                                {"type": "Ready"},
                                {"type": "PodScheduled", "status": "False", "message": "0/3"},
                            ]
                        }
                    }
                ],
            ),
            "waiting",
            "no node takes it: 0/3",
        ),
        ((job(), [pod(running={})]), "running", ""),
        ((job("Failed", reason="DeadlineExceeded"), []), "failed", "it took longer than the cluster lets it"),
        (
            (job("Failed", reason="BackoffLimitExceeded"), []),
            "failed",
            "its pod is gone: BackoffLimitExceeded",
        ),
        (
            (job("Failed"), [{"status": {"reason": "Evicted", "message": "disk"}}]),
            "failed",
            "its pod was evicted: disk",
        ),
        (
            (job("Failed"), [pod("source", "initContainerStatuses", terminated={"exitCode": 1})]),
            "failed",
            "the source could not be fetched: the cluster must reach the bot at CONVOX_BUILD_ADDRESS",
        ),
        (
            (
                job("Failed"),
                [pod("source", "initContainerStatuses", terminated={"exitCode": 4, "message": "the bot\n"})],
            ),
            "failed",
            "the bot: is its disk full? Its log says why; once there is room it can be built again",
        ),
        *(
            (
                (
                    job("Failed"),
                    [pod("source", "initContainerStatuses", terminated={"exitCode": 5, "message": said})],
                ),
                "failed",
                f"{said}; {why}",
            )
            for said, why in (
                (
                    "tar: write error: No space left on device",
                    "it does not fit on the disk of a build (CONVOX_BUILD_DISK)",
                ),
                (
                    "tar: invalid magic",
                    "what was uploaded is no gzipped tar of a folder, as `convox-bot build` makes it",
                ),
            )
        ),
        *(
            (
                (job("Failed"), [pod("source", "initContainerStatuses", terminated=killed)]),
                "failed",
                "fetching its source ran out of memory: it is larger than a build can take in",
            )
            for killed in ({"exitCode": 137}, {"exitCode": 1, "reason": "OOMKilled"})
        ),
        (
            (job("Failed"), [pod(terminated={"exitCode": 137})]),
            "failed",
            "it ran out of memory: CONVOX_BUILD_MEMORY gives it more",
        ),
        ((job("Failed"), [pod(terminated={"exitCode": 2})]), "failed", "it ended with exit code 2"),
        ((job("Failed"), [{}]), "failed", "its pod ended: nobody says why"),
    ],
)
def test_how_a_build_is_and_why(found, phase: str, reason: str):
    status = job_status(*found)
    assert (status.phase, status.reason) == (phase, reason)


@pytest.mark.parametrize(
    ("found", "hindered", "reason"),
    [
        ((job(), []), False, "it waits for its pod: is the quota"),
        ((job(), [], [{"reason": "SuccessfulCreate", "message": "Created pod: x"}]), False, "it waits for"),
        (
            (job(), [], [event("used: pods=7"), event("used: pods=8")]),
            True,
            "its pod is not let in: exceeded quota: builds, used: pods=8",
        ),
        (
            (job(), [], [{"reason": "FailedCreate", "message": "Error creating: no such account"}]),
            True,
            "its pod is not let in: no such account",
        ),
        ((job(), [pod(waiting={"reason": "ContainerCreating"})]), False, "its pod is starting"),
        (
            (job(), [pod("source", "initContainerStatuses", waiting={"reason": "ErrImagePull"})]),
            True,
            "ErrImagePull: nobody says why",
        ),
        ((job(), [pod("source", "initContainerStatuses", running={})]), False, "its source is being fetched"),
        ((job(), [{"status": {"conditions": [UNSCHEDULED]}}]), True, "no node takes it: 0/3"),
        ((job(), [pod(running={})], [event("used: pods=8")]), False, ""),
    ],
)
def test_what_every_build_waits_for_is_told_from_what_keeps_one_from_starting(found, hindered, reason):
    status = job_status(*found)
    assert status.hindered is hindered
    assert status.reason.startswith(reason)
    assert status.phase == ("waiting" if reason else "running")


def test_the_digests_are_those_that_the_container_said_at_its_end():
    ended = pod(terminated={"exitCode": 0, "message": f"{D1}\n{D2}\n"})
    assert job_status(job("Complete"), [ended]).digests == (D1, D2)
    assert job_status(job("Complete"), []).digests == ()


def test_a_folder_that_leads_out_of_the_source_is_not_built(tmp_path: Path):
    (tmp_path / "source").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "source" / "web").symlink_to(tmp_path / "home")
    (tmp_path / "calls.json").write_text("[]")
    images = (ImageBuild(services=("web",), path="web"),)
    done, calls, told = ran(
        tmp_path, build_script(images, repository="r/a", build=SPEC.build, no_cache=False)
    )
    assert (done.returncode, calls, told) == (1, [], "")
    assert "or it leads out of the source" in done.stdout


GIT = GitClone(
    url="https://git.example/shop/web",
    ref="main",
    account=GitAccount(
        app="myapp",
        host="git.example",
        user="x-access-token",
        secret="git-secret",
        created_at=START,
        created_by=Actor("token", "x", "x"),
    ),
)


def test_a_repository_is_cloned_by_the_first_container_and_the_second_runs_what_that_was_told():
    spec = replace(SPEC, images=(), git=GIT)
    job = render_job(spec, SETTINGS, "convox-builds")
    (fetching,) = job["spec"]["template"]["spec"]["initContainers"]
    (building,) = job["spec"]["template"]["spec"]["containers"]
    known = {each["name"]: each.get("value") for each in fetching["env"]}
    assert known["CLONE_URL"] == "http://bot:3001/builds/BABCDEFGHIJ/clone"
    assert (known["GIT_URL"], known["GIT_REF"], known["GIT_USER"]) == (GIT.url, "main", "x-access-token")
    assert (known["GIT_ALLOW_PROTOCOL"], known["GIT_TOKEN"]) == ("https", None)
    given = {each["name"]: each.get("valueFrom", {}).get("secretKeyRef", {}) for each in fetching["env"]}
    # Who removes it before the Secret is made leaves no pod that waits for it; without the other it must wait.
    assert given["GIT_TOKEN"]["optional"] is True
    assert given["SOURCE_TOKEN"] == {"name": "build-babcdefghij", "key": "source-token"}
    assert building["command"][:2] == ["/bin/sh", "/tmp/build.sh"]
    assert building["command"][2:] == ["--secret", "id=DATABASE_URL,src=/run/build-secrets/DATABASE_URL"]
    secret = render_secret(spec, SETTINGS, "convox-builds", "uid-1")
    assert base64.b64decode(secret["data"]["git-token"]) == b"git-secret"
    assert "git-secret" not in json.dumps(job) + repr(spec)
    public = replace(spec, git=replace(GIT, account=None))
    assert "git-token" not in json.dumps(render_job(public, SETTINGS, "convox-builds"))
    assert "git-token" not in render_secret(public, SETTINGS, "convox-builds", "uid-1")["data"]


def test_what_is_built_of_a_clone_begins_with_what_was_cloned(tmp_path: Path):
    spec = replace(SPEC, git=GIT)
    done, calls, told = ran(tmp_path, script_of(spec, SETTINGS, ["Cloned it's main"]))
    assert done.stdout.startswith("Cloned it's main\nBuilding web, worker (1/2)\n")
    assert (len(calls), told.split()) == (4, [D1, D2])


def test_what_is_copied_is_the_beginning_of_a_dockerfile_and_is_given_no_secret():
    images = (
        ImageBuild(services=("web",)),
        ImageBuild(services=("cache", "second"), copied="redis:7@sha256:0"),
    )
    script = build_script(
        images, repository="registry.example/apps/myapp", build="BABCDEFGHIJ", no_cache=True
    )
    _, copying = script.split("mkdir -p /tmp/copy-2\n")
    dockerfile, said, words, digest = copying.rstrip("\n").split("\n")
    assert dockerfile == "echo 'FROM redis:7@sha256:0' > /tmp/copy-2/Dockerfile"
    assert said == "echo 'Copying redis:7@sha256:0 for cache, second (2/2)'"
    assert "context=/tmp/copy-2" in words
    assert (
        '"name=registry.example/apps/myapp:cache.BABCDEFGHIJ,registry.example/apps/myapp:second.BABCDEFGHIJ"'
        in words
    )
    assert "--metadata-file /tmp/2.json" in words
    assert '"$@"' not in words
    assert digest == "digest /tmp/2.json >> /dev/termination-log"
