"""The image cannot be built where there is no container engine, so its steps are read, and those that can be run are run.

What is checked by rule: the base has a tag (its digest changes with every fix and cannot be looked up offline), nothing
runs as root, nothing is downloaded without a hash. What is run: the COPY steps through .dockerignore, the wheel that is
built from exactly those files, and the dependency steps as far as the installed packages answer for them.
"""

import fnmatch
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]


def instructions(text: str) -> list[tuple[str, str]]:
    """Return (INSTRUCTION, arguments) in order, comments left out and continued lines joined."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ")
    return [
        (word.upper(), " ".join(rest.split()))
        for word, _, rest in (line.strip().partition(" ") for line in lines.splitlines())
        if word
    ]


STEPS = instructions((ROOT / "Dockerfile").read_text())
FINAL = STEPS[max(index for index, (word, _) in enumerate(STEPS) if word == "FROM") :]


def arguments(word: str, steps: list[tuple[str, str]] = STEPS) -> list[str]:
    return [rest for found, rest in steps if found == word]


def commands() -> list[list[str]]:
    return [command.split() for run in arguments("RUN") for command in run.split(" && ")]


def ignored(path: str) -> bool:
    """Say what .dockerignore makes of a path: the last pattern that fits decides, and a folder's rule is its content's."""
    result = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip().removeprefix("!")
        if not pattern or pattern.startswith("#"):
            continue
        parts = path.split("/")
        heads = ["/".join(parts[: length + 1]) for length in range(len(parts))]
        patterns = [pattern, pattern.removeprefix("**/")]
        if any(fnmatch.fnmatchcase(head, each) for head in heads for each in patterns):
            result = not line.startswith("!")
    return result


def copied(source: Path) -> dict[str, Path]:
    """Return what COPY takes of a path, by its place below the destination."""
    files = [file for file in source.rglob("*") if file.is_file()] if source.is_dir() else [source]
    base = source if source.is_dir() else source.parent
    return {
        file.relative_to(base).as_posix(): file
        for file in files
        if not ignored(file.relative_to(ROOT).as_posix())
    }


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """The folder in which the build stage works."""
    target = tmp_path_factory.mktemp("context")
    for copy in arguments("COPY", STEPS[: STEPS.index(FINAL[0])]):
        *sources, destination = copy.split()
        for source in sources:
            for name, file in copied(ROOT / source).items():
                place = target / destination / name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, place)
    return target


def test_every_base_has_a_full_tag_and_both_stages_the_same():
    bases = {base.split()[0] for base in arguments("FROM")}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", bases.pop())


def test_nothing_is_added_from_afar():
    assert not arguments("ADD")
    assert not [words for words in commands() if words[0] in ("curl", "wget", "apt-get", "apt", "sh", "bash")]


def test_it_runs_as_a_numeric_user_that_owns_the_volume():
    (user,) = arguments("USER", FINAL)
    number, group = map(int, user.split(":"))
    assert number > 0
    assert group > 0
    assert json.loads(arguments("VOLUME", FINAL)[0]) == ["/data"]
    (directory,) = [words for words in commands() if words[0] == "install"]
    assert directory == ["install", "-d", "-o", str(number), "-g", str(group), "-m", "0700", "/data"]
    order = [word for word, _ in FINAL]
    assert order.index("RUN") < order.index("USER") < order.index("VOLUME")


def test_the_pod_in_deploy_runs_as_the_same_user_on_the_same_volume_and_ports():
    documents = yaml.safe_load_all((ROOT / "deploy/bot.yaml").read_text())
    (pod,) = [each["spec"]["template"]["spec"] for each in documents if each["kind"] == "Deployment"]
    (container,) = pod["containers"]
    assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" in arguments(
        "USER", FINAL
    )
    assert {mount["mountPath"] for mount in container["volumeMounts"]} >= set(
        json.loads(arguments("VOLUME", FINAL)[0])
    )
    assert [str(port["containerPort"]) for port in container["ports"]] == arguments("EXPOSE", FINAL)[
        0
    ].split()


def test_it_starts_the_bot_and_asks_for_its_health():
    assert [json.loads(each) for word in ("ENTRYPOINT", "CMD") for each in arguments(word, FINAL)] == [
        ["convox-bot"],
        ["serve"],
    ]
    (check,) = arguments("HEALTHCHECK", FINAL)
    program, option, code = json.loads(check.partition("CMD ")[2])
    assert (program, option) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")
    assert "'API_PORT', '3001'" in code
    assert "/healthz" in code


def test_every_download_is_checked_by_hash_and_leaves_no_cache():
    for words in commands():
        if words[0].rpartition("/")[2] != "pip" or words[1] not in ("install", "wheel"):
            continue
        assert "--no-cache-dir" in words
        assert "--no-deps" in words
        offline = "--no-index" in words or "--no-build-isolation" in words
        assert offline or "--require-hashes" in words, words


def test_what_builds_the_wheel_is_locked_as_for_development():
    pins = {
        name: set(re.findall(r"^[a-z0-9-]+==[^ ]+", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements-build.lock", "requirements-dev.lock")
    }
    assert pins["requirements-build.lock"]
    assert pins["requirements-build.lock"] <= pins["requirements-dev.lock"]


def test_every_copied_path_exists_and_no_secret_can_follow(context):
    for copy in arguments("COPY"):
        if not copy.startswith("--from="):
            assert all((ROOT / source).exists() for source in copy.split()[:-1])
            assert not [source for source in copy.split()[:-1] if ignored(source)]
    for path in (
        ".env",
        "bot/.env",
        "convox.db",
        "bot/convox.db-wal",
        ".git/config",
        "tests/x.py",
        "deploy/bot.yaml",
        "core/__pycache__/x.pyc",
    ):
        assert ignored(path), path
    assert not ignored("storage/sql/queries/x.sql")


PICTURES = "${PICTURES:+-pictures}"


def test_without_a_word_the_image_draws_no_pictures():
    assert arguments("ARG") == ["PICTURES=", "OTEL="]
    (lock,) = [words[words.index("-r") + 1] for words in commands() if PICTURES in " ".join(words)]
    with_pictures, without = ((ROOT / lock.replace(PICTURES, each)).read_text() for each in ("-pictures", ""))
    assert "\nmatplotlib==" in with_pictures
    assert "\nmatplotlib==" not in without
    assert set(re.findall(r"^[a-z0-9-]+==\S+", without, re.MULTILINE)) < set(
        re.findall(r"^[a-z0-9-]+==\S+", with_pictures, re.MULTILINE)
    )


def test_the_dependency_steps_are_satisfied_by_what_is_installed():
    for words in commands():
        if "-r" in words:
            named = words[words.index("-r") + 1]
            # What stands in both is asked for once.
            lock = named.replace(PICTURES, "-pictures").removesuffix(";")
            done = pip(
                "install", "--dry-run", "--no-deps", "--no-index", "--require-hashes", "-r", lock, cwd=ROOT
            )
            assert "Would install" not in done


def test_the_wheel_holds_every_file_of_the_packages(context, tmp_path):
    pip(
        "wheel",
        "--no-cache-dir",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(tmp_path),
        ".",
        cwd=context,
    )
    (wheel,) = tmp_path.glob("convox_bot-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        scripts = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
    assert "convox-bot = bot.cli.main:main" in scripts
    packed = {
        file.relative_to(context).as_posix()
        for top in ("bot", "core", "storage")
        for file in (context / top).rglob("*")
        if file.is_file()
    }
    assert packed <= names


def pip(*words: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
