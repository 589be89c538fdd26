"""A newcomer who only clicks and reads, in a real browser."""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from bot.playground.wiring import Playground
from tests.playground.playing import PATIENCE, playing
from tests.prepare import find_browser

CHROMIUM = find_browser()
pytestmark = [
    pytest.mark.browser,
    # In CI nothing may be left out: there these fail without one.
    pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason="no Chromium on this machine"),
]


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Playground]:
    async with playing(tmp_path) as made:
        yield made
        assert made.slack.violations == []


@pytest.fixture
async def page(made: Playground) -> AsyncIterator[Page]:
    expect.set_options(timeout=PATIENCE * 1000)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(made.slack.url)
        yield page
        await browser.close()
        assert errors == []
    expect.set_options(timeout=5_000)


async def take_step(page: Page, title: str) -> None:
    """Click a first step and then the arrow that sends its command."""
    await page.get_by_role("button", name=title).click()
    await page.locator("#composer").get_by_role("button", name="Send").click()


def card(page: Page, release: str):
    """The parent message of a release's promotion, not what was said in its thread or to one person."""
    return page.locator("#messages article:not(.ephemeral):not(.broadcast)", has_text=release).last


async def test_the_first_steps_lead_from_the_list_to_an_approval(page: Page, made: Playground):
    await expect(page.get_by_role("heading", name="# myapp")).to_be_visible()

    await take_step(page, "See the releases")
    table = page.locator("#messages .ephemeral table")
    await expect(table).to_contain_text("Greet by name (good)")
    rows = (await table.inner_text()).splitlines()
    assert rows[0].split() == ["ID", "STATUS", "DESCRIPTION", "BUILD", "CREATED"]
    good = next(row.split()[0] for row in rows if "Greet by name" in row)
    bad = next(row.split()[0] for row in rows if "no such image" in row)

    await take_step(page, "Promote a good one")
    await expect(card(page, good)).to_contain_text("Rolling out")
    await expect(card(page, good)).to_contain_text("Live")
    await card(page, good).locator(".replies").click()
    await expect(page.locator("#thread-messages .body").last).to_have_text(
        re.compile(f"^OK\\s+myapp runs {good}")
    )
    await page.get_by_role("button", name="Close the thread").click()

    await take_step(page, "Promote a bad one")
    await expect(card(page, bad)).to_contain_text("Rolled back")
    await expect(card(page, bad)).to_contain_text("does not exist in the registry")
    await expect(card(page, bad)).to_contain_text(f"myapp runs {good} again")
    await expect(page.locator("#messages .broadcast").last).to_contain_text(f"ERROR: rolled back to {good}")

    await take_step(page, "Ask for an approval")
    await expect(page.get_by_role("heading", name="# store")).to_be_visible()
    waiting = card(page, "store")
    await expect(waiting).to_contain_text("Waiting for approval 0/1")
    await page.get_by_title("Act as Bob Okafor").click()
    await expect(page.get_by_title("Act as Bob Okafor")).to_have_attribute("aria-pressed", "true")
    await waiting.get_by_text("Approve", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    await expect(waiting).to_contain_text("Live")
    await expect(waiting).to_contain_text("approved by @bob")

    await page.get_by_title("Act as Nina Petrova").click()
    await take_step(page, "Be told what you may not")
    refusal = page.locator("#messages .ephemeral").last
    await expect(refusal).to_contain_text("that needs one of the roles owner, developer")
    await expect(refusal).to_contain_text("@Carol Lindqvist")
    assert await page.locator(".step.done").count() == 5
    await page.reload()
    await expect(page.locator(".step.done")).to_have_count(5)


async def test_the_newest_release_goes_out_without_an_id(page: Page):
    await page.locator("#composer-text").fill("/convox releases promote")
    await page.keyboard.press("Enter")

    newest = card(page, "Reload the settings at night (bad: crashes later)")
    await expect(newest).to_contain_text("Removed")
    await newest.locator(".replies").click()
    await expect(page.locator("#thread-messages .body").last).to_have_text(re.compile("^ERROR: removed"))
    # A card of a page that was loaded later is the same.
    shown = await newest.locator(".body").inner_text()
    await page.reload()
    await expect(newest.locator(".body")).to_have_text(re.compile("Removed"))
    assert await newest.locator(".body").inner_text() == shown
