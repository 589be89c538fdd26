"""Yesterday's backup in the place of the database, on both clusters: nothing is written until an operator has adopted."""

import pytest

from bot.admin.adoption import AdoptionRequest, adopt
from bot.admin.doctor.looks.database import look_at_database
from bot.admin.settings import AdoptionSettings
from storage.copies import copy_database
from tests.scenarios.arrangement import APP
from tests.scenarios.harness import Stage


class Operator:
    """Somebody at a terminal beside the bot, who reads what is said and agrees."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.read: list[str] = []

    async def adopts(self) -> str:
        settings = self._stage.settings
        done = await adopt(
            AdoptionSettings(
                convox_database=settings.convox_database,
                convox_keys=settings.convox_keys,
                convox_rack=settings.convox_rack,
            ),
            self._stage.cluster.clock,
            AdoptionRequest(app=APP),
            confirm=lambda _: True,
            tell=self.read.append,
            kubeconfig=self._stage.cluster.kubeconfig(),
        )
        return done.text


async def test_a_backup_with_two_promotions_since_is_adopted_beside_the_bot_and_promotes(stage: Stage):
    first = await stage.running(web="v1")
    database = stage.settings.convox_database
    backup = database.with_name("yesterday.db")
    copy_database(database, backup)
    await stage.running(web="v2")
    lost = await stage.running(web="v3")
    await stage.stop()
    for left in database.parent.glob(f"{database.name}-*"):
        left.unlink()
    backup.replace(database)
    await stage.start()

    release = await stage.build(web="v4")
    refused = await stage.promoted(release)
    assert refused.phase == "Refused"
    assert "newer number" in str(refused.reason)
    assert "`convox-bot adopt myapp`" in str(refused.reason)

    operator = Operator(stage)
    assert (await operator.adopts()).startswith("Adopting myapp... OK\n")
    (said,) = operator.read
    assert f"what runs: Deployment/web {lost}\n" in said
    assert f"Deployment/web runs {lost}, which this database does not know: main=" in said
    assert (
        f"so no release is active until the next promotion, which asks for approvals as any other; the records had {first}"
        in said
    )
    assert (await stage.bot.store.read.app(APP)).active_release is None

    # What was lost is on record: the cluster had seen a longer audit.
    assert "does not have that row: it was restored from a backup, or rewritten" in said

    again = await stage.promoted(release)
    assert again.phase == "Running", again.cause
    await stage.runs(release)
    assert (await operator.adopts()).startswith("There is nothing to adopt")


# What it proves is the bot's own; how a cluster keeps a bot of yesterday out is proved above, on both.
@pytest.mark.parametrize("plane", [None], ids=["simulated"])
async def test_a_backup_of_a_rollout_goes_on_elsewhere_with_its_one_card(stage: Stage, tmp_path, caplog):
    await stage.running(web="v1")
    release = await stage.build(web="v2")
    promotion = await stage.promote(release)
    await stage.phase(promotion, "Updating")
    elsewhere = tmp_path / "another machine" / "convox.db"
    elsewhere.parent.mkdir()
    copy_database(stage.settings.convox_database, elsewhere)
    assert (await stage.ended(promotion)).phase == "Running"
    card = await stage.card(promotion)
    await stage.stop()

    stage.settings = stage.settings.model_copy(update={"convox_database": elsewhere})
    await stage.start()
    assert "this database is a copy of " in caplog.text
    assert (await stage.ended(promotion)).phase == "Running"
    await stage.runs(release)
    assert (await stage.card(promotion)).ts == card.ts
    parents = [
        each for each in stage.slack.store.messages if not each.thread_ts and promotion in str(each.blocks)
    ]
    assert [each.ts for each in parents] == [card.ts], "the card is edited, never posted again"
    look = await look_at_database(
        elsewhere, [key.get_secret_value() for key in stage.settings.convox_keys], whole=True
    )
    assert (look.error, look.key_error, look.chain.broken) == ("", "", None)
    await stage.running(web="v3")
