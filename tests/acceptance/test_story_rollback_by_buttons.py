"""At 3 a.m., on a phone: from the Home tab back to an older build with the variables of now, by buttons alone."""

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.scenarios.arrangement import ALICE
from tests.scenarios.harness import Stage

CHROMIUM = next(
    filter(
        None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))
    ),
    None,
)
pytestmark = [
    pytest.mark.parametrize("plane", [None]),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]
PATIENCE_MS = 60_000


@pytest.fixture
async def phone(stage: Stage) -> AsyncIterator[Page]:
    """A phone of 390 pixels that shows the workspace as Alice sees it."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
        page.set_default_timeout(PATIENCE_MS)
        await page.goto(f"{stage.slack.url}/?as={ALICE}")
        yield page
        await browser.close()


async def test_a_rollback_takes_the_older_build_with_the_variables_of_now(stage: Stage, phone: Page):
    await stage.command("env set A=1")
    first = await stage.running(web="v1")
    await stage.command("env set A=2 B=3")
    await stage.running(web="v2")

    await phone.get_by_role("button", name="Channels and people").tap()
    await phone.get_by_role("button", name="Home").tap()
    await phone.get_by_role("button", name="Roll back… myapp").tap()
    dialog = phone.get_by_role("dialog", name="Roll back myapp")
    await dialog.get_by_role("combobox", name="Release").tap()
    option = dialog.get_by_role("option", name=first)
    await expect(option).to_contain_text("✓ ran before")
    await option.tap()
    await expect(dialog).to_contain_text("With the variables of then: changes A; removes B.")
    await dialog.get_by_role("radio", name="Those of now").check()
    await dialog.get_by_role("button", name="Roll back").tap()
    await expect(dialog).to_be_hidden()

    async def asked() -> bool:
        return (await stage.newest()).kind == "rollback"

    await stage.until(asked)
    ended = await stage.ended((await stage.newest()).id)
    assert ended.phase == "Running"
    read = stage.bot.store.read
    release = await read.release("myapp", ended.release)
    old = await read.release("myapp", first)
    assert (release.build, release.copy_of) == (old.build, first)
    assert release.environment.pairs == (("A", "2"), ("B", "3"))
    told = f"it goes back to an older build with the variables of now, those of {ended.variables_of}"
    assert ended.cautions == (told,)
    assert "A=2" not in stage.slack.transcript()
