"""The page with every card: each phase is on it, Slack takes each, and a browser shows them light, dark and narrow."""

import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright, expect

from bot.clock import ScaledClock
from bot.playground.card_sheet import card_sheet, card_states
from bot.playground.slack import SlackWorkspace
from bot.playground.slack.limits import problems
from core.promotion import Phase
from tests.fakes import START
from tests.prepare import find_browser

CHROMIUM = find_browser()
SHEET = card_sheet(START)


def test_every_phase_is_on_the_sheet_under_a_title_of_its_own():
    assert {promotion.phase for _, promotion in card_states(START)} == set(Phase)
    titles = [sample["title"] for sample in SHEET]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("sample", SHEET, ids=lambda sample: sample["title"])
def test_slack_takes_each(sample):
    payload = {key: value for key, value in sample.items() if key != "title"}
    method = "response_url" if "response_type" in payload else "chat.update"

    assert problems(payload, method=method) == []


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    slack = SlackWorkspace(ScaledClock(1.0), samples=SHEET)
    await slack.start()
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = await browser.new_page(viewport={"width": 1500, "height": 900})
            await page.goto(f"{slack.url}/samples")
            yield page
            await browser.close()
    finally:
        await slack.stop()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason="no Chromium on this machine")
async def test_a_browser_shows_each_three_times_and_nothing_sticks_out_of_a_phone(page: Page):
    await expect(page.locator(".sample")).to_have_count(len(SHEET))
    ground = "node => getComputedStyle(node).backgroundColor"
    first = page.locator(".sample").first
    assert await first.locator(".light").evaluate(ground) == "rgb(255, 255, 255)"
    assert await first.locator(".dark").evaluate(ground) == "rgb(26, 29, 33)"
    phones = page.locator(".phone")
    assert await phones.count() == len(SHEET)
    wide = await phones.evaluate_all(
        "all => all.filter(node => node.scrollWidth > node.clientWidth).map(node => node.ariaLabel)"
    )
    assert wide == []
    box = await phones.first.bounding_box()
    assert box is not None
    assert box["width"] == 390
    # Nothing on it acts.
    await first.locator(".light").get_by_role("button", name="Approve promotion").click()
    await expect(page.locator(".sample")).to_have_count(len(SHEET))
