"""What a newcomer finds: the channels of the sample apps, and what to try first with the releases that are there."""

from collections.abc import Mapping, Sequence

from bot.playground.examples import ExampleBuild
from bot.playground.slack.people import BOT_USER
from bot.playground.slack.state import Conversation, User
from core.ports.store import StoreReader

# What each may is in examples/playground-policy.yml: one of each kind, to be tried by acting as them.
ROLES = {
    "U01ALICE": "Developer",
    "U02BOB": "Approver",
    "U03CAROL": "Owner",
    "U07NINA": "Viewer",
}
VIEWER = User(id="U07NINA", name="nina", real_name="Nina Petrova", color="00707a")
TEAM = list(ROLES)
CHANNELS = {
    "myapp": Conversation(
        id="C10MYAPP", name="myapp", topic="Releases of myapp go out here", members=[*TEAM, BOT_USER]
    ),
    "store": Conversation(
        id="C11STORE",
        name="store",
        topic="Releases of store go out here; each needs one approval by somebody else",
        members=[*TEAM, BOT_USER],
    ),
    "rails": Conversation(
        id="C12RAILS",
        name="rails",
        topic="An app with a database, a queue and a nightly task",
        members=[*TEAM, BOT_USER],
    ),
    "collector": Conversation(
        id="C13COLLECTOR",
        name="collector",
        topic="An agent on every node, and the gateway behind it",
        members=[*TEAM, BOT_USER],
    ),
}
# The examples have a dozen releases; who has made a hundred more needs no first steps.
LATEST_RELEASES = 100

TourStep = tuple[str, str, str, str]


async def _release(read: StoreReader, app: str, build: ExampleBuild | None) -> str:
    """Return the id of the release that was made of a build, or nothing where it is not there."""
    made = {release.description: release.id for release in await read.releases(app, LATEST_RELEASES)}
    return made.get(build.description, "") if build else ""


async def first_steps(read: StoreReader, builds: Mapping[str, Sequence[ExampleBuild]]) -> list[TourStep]:
    """Return title, command, explanation and channel of each, for releases that are there.

    Args:
        read: the records.
        builds: app → its examples, oldest first.
    """
    myapp, store = CHANNELS["myapp"].id, CHANNELS["store"].id
    good, bad, shop = [
        await _release(
            read, app, next((each for each in builds[app][::way] if each.goes_out_well == well), None)
        )
        for app, well, way in (("myapp", True, 1), ("myapp", False, 1), ("store", True, -1))
    ]
    steps = [
        (
            "See the releases",
            "/convox releases",
            "Newest first. The words in brackets say how each will go.",
            myapp,
        ),
        (
            "Promote a good one",
            f"/convox releases promote {good}",
            "A card appears and tells how far it is. Open the replies under it: each step is a line, the last one is OK.",
            myapp,
        ),
        (
            "Promote a bad one",
            f"/convox releases promote {bad}",
            "Its image does not exist. In seconds the bot finds out, says why, and runs the good one again.",
            myapp,
        ),
        (
            "Ask for an approval",
            f"/convox releases promote {shop}",
            "store needs a second person. Act as Bob, at the bottom left, and click Approve on the card.",
            store,
        ),
        (
            "Build one from its folder",
            "/convox builds",
            "In another terminal, with the line that the first one shows for it. Its log ends with a release, announced here.",
            myapp,
        ),
        (
            "Be told what you may not",
            "/convox env set LOG_LEVEL=trace",
            "Act as Nina first, who may only look. She is told what it needs, and whom to ask.",
            myapp,
        ),
    ]
    return [(title, command.strip(), about, channel) for title, command, about, channel in steps]
