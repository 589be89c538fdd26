"""What was done in a playground is there after a restart, and what was going on goes on."""

from pathlib import Path

from bot.clock import ScaledClock
from bot.playground.state_folder import FILES, StateFolder
from bot.playground.tour import CHANNELS
from bot.playground.wiring import Playground
from core.actor import Actor, Caller
from core.records.release import Release
from tests.playground.playing import PATIENCE, SPEED, playing


async def releases(made: Playground) -> list[Release]:
    return await made.bot.store.read.releases("myapp", 50)


async def ending(made: Playground) -> str:
    """Return the last message of the only thread, once it is the terminal one."""

    def ended() -> str:
        (card,) = made.slack.messages("myapp")
        thread = made.slack.thread("myapp", card.ts)
        return thread[-1].text if thread and thread[-1].text.startswith(("OK", "ERROR:")) else ""

    return await made.slack.wait_for(ended, timeout=PATIENCE)


async def test_a_rollout_that_was_going_on_goes_on_after_a_restart_in_the_same_thread(tmp_path: Path):
    clock = ScaledClock(SPEED)
    async with playing(tmp_path, clock) as made:
        good = next(each.id for each in await releases(made) if each.description.endswith("own (good)"))
        await made.slack.command("alice", "myapp", f"releases promote {good}")
        card = await made.slack.wait_for(
            lambda: next(
                (m for m in made.slack.messages("myapp") if m.text.startswith("🔄 Rolling out")), None
            ),
            timeout=PATIENCE,
        )
        before = [release.id for release in await releases(made)]

    async with playing(tmp_path, clock) as made:
        assert (await ending(made)).startswith("OK")
        (after,) = made.slack.messages("myapp")
        assert after.ts == card.ts
        await made.slack.wait_for(lambda: "Live" in after.text.splitlines()[0], timeout=PATIENCE)
        assert [release.id for release in await releases(made)] == before
        assert made.slack.violations == []


async def test_a_terminal_that_knows_the_playground_goes_on_after_a_restart(tmp_path: Path):
    async with playing(tmp_path) as made:
        before = made.rack_url

    async with playing(tmp_path) as made:
        assert made.rack_url == before


async def test_half_a_first_start_is_begun_anew(tmp_path: Path):
    state_folder = StateFolder(tmp_path)
    async with playing(tmp_path) as made:
        whole = len(await releases(made))
        kept = state_folder.load("credentials")
    state_folder.save("credentials", kept | {"furnished": False})

    async with playing(tmp_path) as made:
        assert len(await releases(made)) == whole


def test_forgetting_removes_what_the_playground_made_and_nothing_else(tmp_path: Path):
    foreign = tmp_path / "thesis.txt"
    foreign.write_text("years of work")
    state_folder = StateFolder(tmp_path)
    for name in FILES:
        (tmp_path / name).write_text("kept")
    state_folder.save("slack", {"messages": []})

    state_folder.forget()

    assert list(tmp_path.iterdir()) == [foreign]
    assert state_folder.load("slack") is None


def test_what_is_kept_can_be_read_by_its_owner_only(tmp_path: Path):
    state_folder = StateFolder(tmp_path / "state")
    state_folder.save("credentials", {"key": "secret"})
    state_folder.write("env", "export RACK_URL=…\n")

    assert [path.stat().st_mode & 0o777 for path in state_folder.folder.iterdir()] == [0o600, 0o600]
    assert state_folder.folder.stat().st_mode & 0o777 == 0o700


async def test_a_build_that_somebody_registers_is_announced_and_those_of_the_start_are_not(tmp_path: Path):
    async with playing(tmp_path) as made:
        channel = CHANNELS["store"].id

        def announced() -> list[str]:
            return [m.text for m in made.slack.messages(channel) if "not promoted yet" in m.text]

        assert announced() == []
        store, registrar = made.bot.store, made.bot.registrar
        (entry,) = await store.read.builds("store", 1)
        newest = await store.read.build("store", entry.id)
        carol = Caller(actor=Actor("slack", "U03CAROL", "carol"), source="slack", channel=channel)
        await registrar.register_build(
            carol, "store", manifest=newest.manifest, images=newest.images, description="by hand"
        )
        told = await made.slack.wait_for(announced, timeout=PATIENCE)
        assert "by hand" in told[0]
