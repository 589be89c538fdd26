"""What a terminal is answered, whole: Convox's transcripts, with the differences that docs/compatibility.md names."""

import re

from bot.command.parser import parse
from core.actor import Caller
from core.errors import UserError
from tests.bot.handling import handlers_of
from tests.core.world import ALICE, World


class Terminal:
    """Types commands, and shows answers with the ids of releases and builds as R1, R2, B1 in the order of their making."""

    def __init__(self, w: World) -> None:
        self._w = w

    async def _ids(self) -> dict[str, str]:
        read = self._w.store.read
        releases = [release.id for release in await read.release_entries("myapp", 100)]
        builds = [build.id for build in await read.builds("myapp", 100)]
        return {
            each: f"{kind}{number}"
            for kind, found in (("R", releases), ("B", builds))
            for number, each in enumerate(reversed(found), 1)
        }

    async def types(self, text: str) -> str:
        """Return the answer, or the refusal after what was done before it, as `convox-bot do` prints them."""
        real = {label: each for each, label in (await self._ids()).items()}
        typed = re.sub(r"\b[RB]\d\b", lambda found: real[found[0]], text)
        try:
            command = parse(typed, linked_app="myapp", slack=False)
            answer = (await handlers_of(self._w).handle(command, Caller(actor=ALICE, source="http"))).answer
        except UserError as error:
            return f"ERROR: {error}"
        await self._w.idle()
        refused = [f"ERROR: {answer.refusal.sentence}"] if answer.refusal else []
        said = "\n".join(part for part in (str(answer.text), *refused) if part)
        for each, label in (await self._ids()).items():
            said = said.replace(each, label)
        return said


async def test_a_session_reads_as_it_does_in_convox(w: World):
    terminal = Terminal(w)
    await w.build()

    for typed, answer in (
        ("env set CCC=c AAA=a", "Setting AAA, CCC... OK\nRelease: R2"),
        ("env unset CCC", "Unsetting CCC... OK\nRelease: R3"),
        ("env", "AAA=****"),
        ("env --reveal", "AAA=a"),
        ("env get AAA", "a"),
        ("env get NOPE", "ERROR: env not found: NOPE"),
        ("releases promote", "Promoting R3..."),
        ("releases promote R1", "ERROR: can not promote an older release, try rollback"),
        ("releases rollback R1", "Rolling back to R1... OK, R4"),
        (
            "releases create-from --build-from R1 --env-from R3",
            "Using build from release: R1\nUsing env from release: R3\nCreated release: R5\nOK",
        ),
        (
            "releases create-from --use-active-release-build --env-from R3 --promote",
            "Using build from release: R4\nUsing env from release: R3\nCreated release: R6\nPromoting R6...",
        ),
        (
            "releases create-from --env-from R3",
            "ERROR: must specify either --build-from or --use-active-release-build",
        ),
        (
            "releases create-from --build-from R3",
            "ERROR: must specify either --env-from or --use-active-release-env",
        ),
        ("apps cancel", "ERROR: app is not updating"),
        (
            "apps info",
            "Name        myapp\nStatus      running\nGeneration  3\nLocked      false\nRelease     R6",
        ),
        ("apps create myapp", "ERROR: app already exists: myapp"),
        ("apps create system", "ERROR: app name is reserved"),
        ("releases -a nope", "ERROR: app not found: nope"),
        ("releases info", "ERROR: 1 arg required"),
        ("releases info R1 R2", "ERROR: 1 arg required"),
        ("releases promote R1 R2", "ERROR: no more than 1 arg expected"),
        ("env unset", "ERROR: at least 1 arg required"),
    ):
        assert (typed, (await terminal.types(typed)).split(": P")[0]) == (typed, answer)


async def test_an_app_without_releases_is_answered_in_convox_words(w: World):
    terminal = Terminal(w)

    assert await terminal.types("releases promote") == "ERROR: no releases to promote"
    assert await terminal.types("releases") == "ID  STATUS  BUILD  CREATED  DESCRIPTION"
    assert await terminal.types("builds") == "ID  STATUS  RELEASE  STARTED  ELAPSED  DESCRIPTION"
    assert await terminal.types("env set FOO=bar") == "Setting FOO... OK\nRelease: R1"
    assert await terminal.types("releases manifest R1") == "ERROR: no build for release: R1"
    assert await terminal.types("releases promote R1") == (
        "ERROR: can not promote a release with an empty manifest"
    )


async def test_each_release_is_described_by_what_it_changed(w: World):
    """Convox's TestReleaseCreate, and its rule of forking: the newest one, promoted or not."""
    terminal = Terminal(w)
    for description in ("desc1", None, "desc3"):
        if description is None:
            await terminal.types("env set FOO=bar")
        else:
            await w.registrar.register_build(
                Caller(actor=ALICE, source="http"),
                "myapp",
                manifest="services: {web: {image: a}}",
                images={},
                description=description,
            )
    first = (await w.store.read.release_entries("myapp", 9))[-1].id
    await terminal.types("releases promote")
    await terminal.types("releases rollback R1")

    found = list(reversed(await w.store.read.releases("myapp", 9)))
    described = [release.description.replace(first, "R1") for release in found]
    assert described == ["desc1", "env add:FOO", "desc3", "rollback to R1"]
    assert [release.build == found[0].build for release in found] == [True, True, False, True]
    assert [release.environment.get("FOO") for release in found] == [None, "bar", "bar", None]
