"""What a newcomer finds: the channels of the sample apps, and what to try first with the releases that are there."""

from collections.abc import Sequence

from bot.playground.examples import ExampleBuild
from bot.playground.slack.people import BOT_USER
from bot.playground.slack.state import Conversation
from core.ports.store import StoreReader

TEAM = ["U01ALICE", "U02BOB", "U03CAROL"]
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


async def first_steps(read: StoreReader, builds: Sequence[ExampleBuild]) -> list[TourStep]:
    """Return title, command, explanation and channel of each, for releases that are there.

    Args:
        read: the records.
        builds: the examples of myapp, oldest first.
    """
    myapp, store = CHANNELS["myapp"].id, CHANNELS["store"].id
    made = {release.description: release.id for release in await read.releases("myapp", LATEST_RELEASES)}
    good = next((each for each in builds if not each.fails), None)
    bad = next((each for each in builds if each.fails), None)
    steps = [
        (
            "See the releases",
            "/convox releases",
            "Newest first. The words in brackets say how each will go.",
            myapp,
        ),
        (
            "Promote a good one",
            f"/convox releases promote {made.get(good.description, '') if good else ''}",
            "A card appears and tells how far it is. Open the replies under it: each step is a line, the last one is OK.",
            myapp,
        ),
        (
            "Promote a bad one",
            f"/convox releases promote {made.get(bad.description, '') if bad else ''}",
            "Its image does not exist. In seconds the bot finds out, says why, and runs the good one again.",
            myapp,
        ),
        (
            "Ask for an approval",
            "/convox releases promote",
            "store needs a second person. Act as Bob, at the bottom left, and click Approve on the card.",
            store,
        ),
    ]
    return [(title, command.strip(), about, channel) for title, command, about, channel in steps]
