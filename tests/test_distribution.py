"""What is released: an sdist and a wheel that hold everything, and run where there is no checkout.

Nothing is fetched: hatchling builds in the environment of the tests, and the fresh one sees the packages of that by a path. Their
versions are those of the locks.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import aiohttp

from tests.serve.program import start, until

ROOT = Path(__file__).parents[1]
PACKAGES = ("bot", "core", "storage")
EXAMPLES = "bot/playground/examples"
SLACK_APP = "bot/admin/manifest.yml"
# What people read in the archive of a release, without the repository.
PAPERS = ("README.md", "LICENSE", "CHANGELOG.md", "requirements.lock", "deploy/rbac.yaml", "manifest.yml")


def tracked(*folders: str) -> set[str]:
    """Return the files that are the project's, those of a change that is not committed yet too."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", *folders]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in said.splitlines() if (ROOT / name).exists()}


def build(folder: Path, source: Path, kind: str) -> Path:
    """Build the sdist or the wheel of a source, and return it."""
    words = [sys.executable, "-m", "hatchling", "build", "-d", str(folder / kind), "-t", kind]
    done = subprocess.run(words, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (made,) = (folder / kind).iterdir()
    return made


def install(wheel: Path, folder: Path) -> Path:
    """Install a wheel into a fresh environment that also sees the packages of the tests', and return its script."""
    venv.create(folder, with_pip=False)
    uv = shutil.which("uv", path=sysconfig.get_path("scripts"))
    assert uv
    words = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-deps",
        "--python",
        str(folder / "bin/python"),
        str(wheel),
    ]
    subprocess.run(words, env={**os.environ, "UV_CACHE_DIR": str(folder / "cache")}, check=True)
    # A plain path: what lies there to find this checkout (its editable install) is not read.
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin/convox-bot"


def said(folder: Path, *words: str) -> str:
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True).stdout


async def play(script: Path, folder: Path) -> None:
    """Start the playground and look at its page, each part of that, and what the examples have made of its database."""
    program = start(folder, {"PYTHONPATH": ""}, str(script), "playground", "--port", "0", "--state", "state")
    try:
        (page,) = await until(lambda: re.findall(r"http://\S+", program.log.read_text()), program)
        async with aiohttp.ClientSession(page, raise_for_status=True) as session:
            text = await (await session.get("/")).text()
            parts = re.findall(r'(?:src|href)="([^":]+\.(?:js|css))"', text)
            assert parts
            for part in parts:
                await session.get("/" + part.lstrip("/"))

            async def first_steps() -> list[dict[str, str]]:
                return (await (await session.get("/do/state")).json())["first_steps"]

            assert "releases promote R" in str(await until(first_steps, program))
    finally:
        program.kill()


async def test_the_wheel_of_the_sdist_holds_everything_and_its_playground_runs(tmp_path: Path):
    sdist = build(tmp_path, ROOT, "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    held = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    assert (tracked() - held, held - tracked()) == (set(), {"PKG-INFO"})
    assert set(PAPERS) <= held

    wheel = build(tmp_path, source, "wheel")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    examples = {name.replace("examples", EXAMPLES, 1) for name in tracked("examples")}
    assert packed == tracked(*PACKAGES) | examples | {SLACK_APP}

    script = install(wheel, tmp_path / "venv")
    places = "import bot, core, storage; print(bot.__file__, core.__file__, storage.__file__)"
    found = said(tmp_path, str(script.with_name("python")), "-c", places)
    assert found.count(str(tmp_path / "venv")) == len(PACKAGES)

    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert said(tmp_path, str(script), "--version") == f"convox-bot {version}\n"
    assert "kind: RoleBinding" in said(tmp_path, str(script), "app-manifest", "myapp")
    assert said(tmp_path, str(script), "slack-manifest") == (ROOT / "manifest.yml").read_text()
    await play(script, tmp_path)
