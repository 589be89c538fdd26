"""Every app of `examples/` goes out, meets a bad image and comes back, on both clusters."""

from pathlib import Path

import pytest

from core.manifest.convox_yml import images_needed, parse_manifest, required
from core.records.environment import Environment
from tests.scenarios.harness import Stage

EXAMPLES = Path(__file__).parents[2] / "examples"
# Those of the playground have scenarios of their own.
APPS = sorted({path.parent.name for path in EXAMPLES.glob("*/convox.yml")} - {"myapp", "store"})


def images(manifest: str, tag: str) -> dict[str, str]:
    """Return service → tag for what CI builds; the first service where every image stands in the file."""
    read = parse_manifest(manifest, Environment(), complete=False)
    return dict.fromkeys(images_needed(read) or (read.services[0].name,), tag)


@pytest.mark.parametrize("app", APPS)
async def test_an_example_runs_and_after_a_bad_image_runs_as_before(app: str, stage: Stage):
    manifest = (EXAMPLES / app / "convox.yml").read_text(encoding="utf-8")
    for key in required(parse_manifest(manifest, Environment(), complete=False).services, Environment()):
        assert "Release: R" in await stage.command(f"env set {key}=made-up-for-{app}")
    stage.rule(longest="180s")
    good = await stage.build(manifest=manifest, **images(manifest, "v1"))
    first = await stage.promoted(good)
    assert first.phase == "Running", "\n".join(await stage.thread(first.id))

    before = await stage.everything()
    bad = images(manifest, "v2") | {next(iter(images(manifest, ""))): "v2-notfound"}
    second = await stage.promoted(await stage.build(manifest=manifest, **bad))

    assert (second.phase, second.back_to) == ("Reverted", good), "\n".join(await stage.thread(second.id))
    assert await stage.everything() == before
    assert (await stage.bot.store.read.app("myapp")).active_release == good
