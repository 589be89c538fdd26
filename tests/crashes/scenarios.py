"""What is going on when the bot dies: stories that pass every failpoint between them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from tests.crashes.world import ALICE, BOB, Build, World

SERVICE = """\
  {name}:
    build: .
    port: 3000
    health: {{interval: 1, grace: 1, timeout: 1}}
    scale: {{count: {count}, cpu: 10, memory: 16}}
    termination: {{grace: 2}}
"""
# Nothing here waits for a deadline: what never becomes ready is stopped by somebody.
POLICY = """\
apps:
  - match: ["*"]
    announce_builds: false
    min_ready: 1s
    settle: 4s
    unpinned: true
"""
# Long enough for a stranger, whom another life of the bot may have kept waiting for the line that he waits for.
UNHURRIED = POLICY.replace("settle: 4s", "settle: 25s")
ONE_APPROVAL = POLICY + "    approvals: {promote: {count: 1}}\n"


# What a release may bring along beside its services: a database with a disk, a cache, and one process on every node.
DATABASE = (
    "resources:\n  database: {type: postgres, image: 'registry.example/database:v1', options: {storage: 1}}\n"
)
STORE = "resources:\n  store: {type: redis, image: 'registry.example/store:v1'}\n"
AGENT = """\
  agent:
    image: registry.example/agent:v1
    agent: true
    scale: {cpu: 10, memory: 16}
    termination: {grace: 2}
"""


def build(top: str = "", more: str = "", **services: str) -> Build:
    """Make a build; `web="v1 2"` is the image's tag, whose words say what it does, and the count.

    Args:
        top: what stands above the services; `more`: further ones as they stand in the file.
        **services: see above.
    """
    parts = {name: text.split() for name, text in services.items()}
    rows = [SERVICE.format(name=name, count=count) for name, (_, count) in parts.items()]
    return Build(
        manifest=top + "services:\n" + "".join(rows) + more,
        images={name: f"registry.example/{name}:{tag}" for name, (tag, _) in parts.items()},
    )


# What follows a verdict: an autoscaler, and a timer that is due once a year.
TIMER = 'timers:\n  nightly: {schedule: "0 0 1 1 *", service: web, command: bin/clean}\n'


def unpublished(made: Build) -> Build:
    """Return the build with services that no router leads to."""
    return replace(
        made, manifest=made.manifest.replace("    build: .\n", "    build: .\n    internal: true\n")
    )


def with_followers(made: Build) -> Build:
    """Return the build with an autoscaler of web and a timer."""
    count = made.manifest.partition("count: ")[2].partition(",")[0]
    return replace(made, manifest=made.manifest.replace(f"count: {count},", f"count: {count}-9,", 1) + TIMER)


FIRST = build(web="v1 2", worker="v1 1")
SECOND = build(web="v2 3", worker="v2 1")
BAD = build(STORE, AGENT, web="v2-notfound 3", worker="v2 1", mailer="v2 1")
EVERYTHING = with_followers(build(DATABASE, AGENT, web="v2 3", worker="v2 1"))
STUCK = build(web="v2-neverready 3", worker="v2 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One story.

    Attributes:
        builds: what is registered before, oldest first.
        before: how many of them are promoted and verified before the story begins.
        act: what people do; the releases are given oldest first.
        endings: how the promotions end, oldest first, with releases as R1, R2 … in the order of their making.
        runs: what the newest card says of the services in the end.
        policy: the rules during the story.
        router: the rack's, as `CONVOX_ROUTER`; without one no story has a route.
    """

    builds: tuple[Build, ...]
    before: int = 1
    act: Callable[[World, list[str]], Awaitable[None]]
    endings: tuple[str, ...]
    runs: str
    policy: str = POLICY
    router: str = ""


async def promote_with_approval(world: World, releases: list[str]) -> None:
    await world.type(ALICE, f"releases promote {releases[1]} -a {world.place.app}")
    await world.click(BOB, 1, "promotion.approve")


async def promote(world: World, releases: list[str]) -> None:
    await world.type(ALICE, f"releases promote {releases[-1]} -a {world.place.app}")


async def promote_and_cancel(world: World, releases: list[str]) -> None:
    await promote(world, releases)
    await world.told(1, "Status: Pending =&gt; Updating")
    await world.click(BOB, 1, "promotion.cancel")


async def take_over(world: World, releases: list[str]) -> None:
    await promote(world, releases[:2])
    await world.told(1, "Status: Pending =&gt; Updating")
    await world.type(BOB, f"releases promote {releases[2]} --force -a {world.place.app}")


async def scale_and_restart(world: World, _releases: list[str]) -> None:
    await world.type(ALICE, f"scale worker --count 2 -a {world.place.app}")
    await world.until(world.notices)
    await world.type(BOB, f"restart -a {world.place.app}")


async def roll_back(world: World, releases: list[str]) -> None:
    await world.type(BOB, f"releases rollback {releases[0]} -a {world.place.app}")


async def promote_into_a_strangers_timer(world: World, releases: list[str]) -> None:
    """Let somebody make a CronJob of the timer's name while the pods are watched, so that the timer is refused."""
    await promote(world, releases)
    await world.told(1, "Status: Pending =&gt; Updating")
    await world.place.make_stranger("CronJob", "timer-nightly")


# Either is there on the simulated cluster.
INGRESS, GATEWAY = "ingress:nginx", "gateway:gateways/main"
GONE = "registry.example/web:v2-notfound does not exist in the registry"
SCENARIOS = {
    "a promotion with an approval": Scenario(
        builds=(FIRST, SECOND),
        act=promote_with_approval,
        endings=("OK",),
        runs="web 3/3 · worker 1/1",
        policy=ONE_APPROVAL,
    ),
    "a bad image and the way back": Scenario(
        builds=(FIRST, BAD),
        act=promote,
        endings=(f"ERROR: rolled back to R1: image {GONE}",),
        runs="web 2/2 · worker 1/1",
    ),
    "a bad image and a countdown": Scenario(
        builds=(FIRST, BAD),
        act=promote,
        endings=(f"ERROR: rolled back to R1: image {GONE}",),
        runs="web 2/2 · worker 1/1",
        policy=POLICY + "    rollback_after: 2s\n",
    ),
    "a cancel": Scenario(
        builds=(FIRST, STUCK),
        act=promote_and_cancel,
        endings=("ERROR: cancelled by <@U02BOB>, rolled back to R1",),
        runs="web 2/2 · worker 1/1",
    ),
    "a take-over": Scenario(
        builds=(FIRST, STUCK, build(web="v3 2", worker="v3 2")),
        act=take_over,
        endings=("ERROR: superseded by R3", "OK"),
        runs="web 2/2 · worker 2/2",
    ),
    "a rollback by a person": Scenario(
        builds=(FIRST, SECOND), before=2, act=roll_back, endings=("OK",), runs="web 2/2 · worker 1/1"
    ),
    "a count and a restart by people": Scenario(
        builds=(FIRST,), act=scale_and_restart, endings=("OK",), runs="web 2/2 · worker 2/2"
    ),
    "a first release that fails": Scenario(
        builds=(BAD,),
        before=0,
        act=promote,
        endings=(f"ERROR: removed, there was no release to go back to: image {GONE}",),
        runs="",
    ),
    "an autoscaler and a timer that are new": Scenario(
        builds=(FIRST, with_followers(SECOND)), act=promote, endings=("OK",), runs="web 3/3 · worker 1/1"
    ),
    "an autoscaler and a timer that are no longer wanted": Scenario(
        builds=(with_followers(FIRST), SECOND), act=promote, endings=("OK",), runs="web 2/2 · worker 1/1"
    ),
    # The route is there by then: what follows the verdict is applied in the order of the kinds, timers last.
    "a route, a timer that is refused and the way back": Scenario(
        builds=(unpublished(FIRST), with_followers(SECOND)),
        act=promote_into_a_strangers_timer,
        endings=("ERROR: rolled back to R1: CronJob/timer-nightly exists already",),
        runs="web 2/2 · worker 1/1",
        policy=UNHURRIED,
        router=INGRESS,
    ),
    "a rollback by a person of all that a release can bring": Scenario(
        builds=(unpublished(FIRST), EVERYTHING),
        before=2,
        act=roll_back,
        endings=("OK",),
        # The autoscaler has made three of two, and what goes with it is not the load.
        runs="web 3/3 · worker 1/1",
        router=INGRESS,
    ),
    "a rollback by a person of a route through a Gateway": Scenario(
        builds=(unpublished(FIRST), SECOND),
        before=2,
        act=roll_back,
        endings=("OK",),
        runs="web 2/2 · worker 1/1",
        router=GATEWAY,
    ),
    "a service that is no longer wanted": Scenario(
        builds=(FIRST, build(web="v2 2")), act=promote, endings=("OK",), runs="web 2/2"
    ),
}
