"""`why` answers what would really come of what may be done: it promises nothing that the use case would not keep."""

import pytest

from bot.views.explanations import why_document, why_text
from core.lifecycle.rights import Explanation
from core.usecases.explainer import AppExplanation
from tests.core.world import ALICE, BOB, ONE_APPROVAL, World, by
from tests.fakes import broken


async def why(w: World, release: str | None = None) -> AppExplanation:
    return await w.explainer.why(by(ALICE), "myapp", release)


async def said(w: World, release: str | None = None) -> list[str]:
    return str(why_text(await why(w, release))).split("\n")[1:]


async def test_of_an_app_that_never_ran_nothing_is_gone_back_to(w: World):
    assert await said(w) == []
    release = (await w.build()).release.id
    assert await said(w) == [f"promote {release}: yes, without an approval"]
    assert await said(w, release) == [
        f"promote {release}: yes, without an approval",
        f"rollback {release}: yes, nothing of myapp runs yet: a copy of it goes out as with a promote, without an approval",
    ]


async def test_without_a_release_it_is_the_one_that_a_rollback_would_go_to(w: World):
    first = await w.good()
    assert (await said(w))[
        1
    ] == "rollback: no, no other release of myapp ran well, so there is none to go back to"
    second = await w.good()
    assert await said(w) == [
        f"promote {second}: yes, without an approval",
        f"rollback {first}: yes, without an approval",
    ]
    assert (await said(w, second))[1] == (
        f"rollback {second}: yes, it is active, and a copy of it takes its place, without an approval"
    )


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_of_what_never_ran_well_a_rollback_needs_what_a_promote_needs(w: World):
    first = (await w.build()).release.id
    asked = (await w.ask(first)).promotion
    await w.decider.approve(by(BOB), asked.id)
    await w.end(asked.id)
    never = (await w.build()).release.id
    assert await said(w, never) == [
        f"promote {never}: yes, after 1 approval",
        f"rollback {never}: yes, it never ran well: a copy of it goes out as with a promote, after 1 approval",
    ]
    # What was said is what is done.
    back = (await w.ask(never, kind="rollback")).promotion
    assert back.approvals_needed == 1
    assert (await w.ask(first, kind="rollback")).promotion.approvals_needed == 0
    await w.idle()


@pytest.mark.world(policy=ONE_APPROVAL)
async def test_what_waits_already_is_pointed_to(w: World):
    release = (await w.build()).release.id
    asked = (await w.ask(release)).promotion
    assert (await said(w, release))[0] == f"promote {release}: yes, it waits already, as {asked.id}"
    told = why_document(await why(w, release))["actions"][0]
    assert (told["allowed"], told["comes"]) == (True, f"it waits already, as {asked.id}")


async def test_what_failed_is_promoted_with_a_reason_and_is_not_gone_back_to(w: World):
    await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    await w.promote(bad)
    promote, rollback = (await why(w, bad)).possibilities
    assert promote.explanation != Explanation()
    assert str(promote.explanation.why).endswith(
        f"; `releases promote {bad} -a myapp --ask` asks why it should go out all the same"
    )
    assert not rollback.explanation.allowed
    assert not rollback.comes
