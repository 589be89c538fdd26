"""Who works in the emulated workspace: enough kinds of people to try every rule about people."""

from bot.playground.slack.state import PARTNER_TEAM_ID, SLACKBOT, Conversation, User, Usergroup

BOT_USER = "U0CONVOX"
BOT_ID = "B0CONVOX"


def people() -> list[User]:
    """Return the members: three colleagues, a guest, a stranger, someone who left, the bots."""
    return [
        User(id="U01ALICE", name="alice", real_name="Alice Moreau", title="Developer", color="2b6cb0"),
        User(
            id="U02BOB", name="bob", real_name="Bob Okafor", title="Developer", color="b7472a", is_admin=True
        ),
        User(
            id="U03CAROL",
            name="carol",
            real_name="Carol Lindqvist",
            title="Release owner",
            color="2f855a",
            tz="America/New_York",
        ),
        User(
            id="U04GITA",
            name="gita",
            real_name="Gita Rao",
            title="Guest",
            color="b7791f",
            is_restricted=True,
            tz="Asia/Kolkata",
        ),
        User(
            id="U05SAM",
            name="sam",
            real_name="Sam Ferreira",
            title="From another company",
            color="6b46c1",
            team_id=PARTNER_TEAM_ID,
            is_stranger=True,
        ),
        User(id="U06DANA", name="dana", real_name="Dana Weiss", title="Left", color="718096", deleted=True),
        User(id=BOT_USER, name="convox", real_name="Convox", color="4a154b", is_bot=True, bot_id=BOT_ID),
        User(id=SLACKBOT, name="slackbot", real_name="Slackbot", color="1d1c1d", is_bot=True, bot_id="B01"),
    ]


def channels() -> list[Conversation]:
    """Return the channels: two with the bot, one without, one private without, one archived."""
    team = ["U01ALICE", "U02BOB", "U03CAROL"]
    direct = [
        Conversation(id=f"D{user[1:]}", name=user, is_im=True, members=[user, BOT_USER])
        for user in [*team, "U04GITA"]
    ]
    return [
        Conversation(
            id="C01DEPLOYS",
            name="deploys",
            topic="Where releases go out",
            members=[*team, "U04GITA", "U05SAM", BOT_USER],
        ),
        Conversation(
            id="C02GENERAL",
            name="general",
            topic="Everything else",
            members=[*team, "U04GITA", BOT_USER],
        ),
        Conversation(id="C03RANDOM", name="random", topic="Anything at all", members=list(team)),
        Conversation(
            id="C04WARROOM",
            name="war-room",
            topic="When something is wrong",
            is_private=True,
            members=["U02BOB", "U03CAROL"],
        ),
        Conversation(
            id="C05OLD", name="old-deploys", topic="Archived", is_archived=True, members=[*team, BOT_USER]
        ),
        *direct,
    ]


def usergroups() -> list[Usergroup]:
    """Return the groups a policy can name."""
    return [
        Usergroup(id="S01DEVS", handle="devs", name="Developers", users=["U01ALICE", "U02BOB"]),
        Usergroup(id="S02OWNERS", handle="release-owners", name="Release owners", users=["U03CAROL"]),
    ]
