"""Takes the pictures of docs/pictures from a playground of its own: `.venv/bin/python docs/take_pictures.py`.

It needs Chromium and a minute. Look at each picture afterwards: nothing else does.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import view_pictures
from playwright.async_api import Locator, Page, async_playwright, expect

from bot.clock import ScaledClock
from bot.main import run
from bot.playground.state_folder import StateFolder
from bot.playground.wiring import playground

FOLDER = Path(__file__).parent / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SPEED = 6.0
# Slack's patience of three seconds would be half a second of this machine.
ACK_SECONDS = 60.0
PATIENCE_MS = 60_000
# A picture in a README is shown about 900 wide; GitHub and a clone should both load it in a blink.
LARGEST_PICTURE = 250_000
STATES_A_PICTURE = 3


async def main() -> None:
    """Take every picture."""
    FOLDER.mkdir(exist_ok=True)
    expect.set_options(timeout=PATIENCE_MS)
    (FOLDER / "timeline.png").write_bytes(view_pictures.timeline())
    with tempfile.TemporaryDirectory() as folder:
        async with playing(Path(folder)) as url, browsing(url) as page:
            await releases(page)
            await promote(page)
            await failed(page)
            await again(page)
            await approval(page)
            await dialog_of(page, "Decline", "modal-decline", confirmed=True)
            await view_pictures.dialogs(page, send, keep)
            await view_pictures.homes(page, keep)
            await cards_by_state(page, url)


@asynccontextmanager
async def playing(folder: Path) -> AsyncIterator[str]:
    """Run a playground, and yield the address of its page."""
    stop, started = asyncio.Event(), asyncio.Event()
    async with playground(StateFolder(folder), ScaledClock(SPEED), ack_seconds=ACK_SECONDS) as made:
        running = asyncio.create_task(run(made.bot, stop, started=started.set), name="the bot")
        try:
            await started.wait()
            yield made.slack.url
        finally:
            stop.set()
            await running


@asynccontextmanager
async def browsing(url: str) -> AsyncIterator[Page]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise SystemExit("there is no Chromium here: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1200, "height": 640})
        await page.goto(url)
        yield page
        await browser.close()


async def releases(page: Page) -> None:
    """The list, and what a newcomer is offered."""
    await page.set_viewport_size({"width": 1300, "height": 640})
    await take_step(page, "See the releases")
    await expect(page.locator("#messages table")).to_contain_text("DESCRIPTION")
    await take(page, "releases")
    await page.get_by_role("button", name="Hide").click()


async def promote(page: Page) -> None:
    """A release that rolled out well, with its thread."""
    await page.set_viewport_size({"width": 1400, "height": 640})
    await take_step(page, "Promote a good one")
    await expect(cards(page).last).to_contain_text("Live")
    await cards(page).last.locator(".replies").click()
    await expect(page.locator("#thread-messages")).to_contain_text("after")
    await take(page, "promote")
    await page.get_by_role("button", name="Close the thread").click()


async def failed(page: Page) -> None:
    """A release whose worker ends at once: the cause, the log lines that prove it, and the way back."""
    await page.set_viewport_size({"width": 1400, "height": 700})
    table = await page.locator("#messages table").first.inner_text()
    bad = next(row.split()[0] for row in table.splitlines() if "(bad: crashes)" in row)
    await send(page, f"/convox releases promote {bad}")
    await expect(cards(page).last).to_contain_text("Rolled back")
    await cards(page).last.locator(".replies").click()
    await expect(page.locator("#thread-messages .body").last).to_contain_text("ERROR: rolled back")
    await page.locator("#thread-messages pre", has_text="last log lines").evaluate(
        "node => { const list = node.closest('.messages'); list.scrollTop += node.getBoundingClientRect().top - 220; }"
    )
    await cards(page).last.evaluate(
        "node => { const list = node.closest('.messages'); list.scrollTop += node.getBoundingClientRect().top - 120; }"
    )
    await take(page, "failed")
    await page.get_by_role("button", name="Close the thread").click()


async def approval(page: Page) -> None:
    """A release that waits for somebody, as that person sees it."""
    await page.set_viewport_size({"width": 1100, "height": 600})
    await take_step(page, "Ask for an approval")
    await expect(cards(page).last).to_contain_text("Waiting for approval")
    await page.get_by_title("Act as Bob Okafor").click()
    await expect(page.get_by_title("Act as Bob Okafor")).to_have_attribute("aria-pressed", "true")
    await take(page, "approval")


async def again(page: Page) -> None:
    """What asks for a reason before a release that failed is tried once more."""
    await dialog_of(page, "Promote again", "modal-again")


async def dialog_of(page: Page, button: str, name: str, *, confirmed: bool = False) -> None:
    await cards(page).last.get_by_role("button", name=button).click()
    if confirmed:
        await page.get_by_role("dialog").get_by_role("button", name=button).click()
    await view_pictures.dialog(page, name, keep)


def keep(name: str, picture: bytes) -> None:
    path = FOLDER / f"{name}.jpg"
    path.write_bytes(picture)
    checked(path)


async def cards_by_state(page: Page, url: str) -> None:
    """Every state of a card in a light and a dark window and on a phone, some at a time."""
    await page.set_viewport_size({"width": 1420, "height": 800})
    await page.goto(f"{url}/samples")
    samples = page.locator(".sample")
    await expect(samples.last).to_be_visible()
    count = await samples.count()
    for number, first in enumerate(range(0, count, STATES_A_PICTURE), start=1):
        top = await samples.nth(first).bounding_box()
        end = await samples.nth(min(first + STATES_A_PICTURE, count) - 1).bounding_box()
        assert top is not None
        assert end is not None
        height = end["y"] + end["height"] - top["y"] + 16
        area = {"x": 0, "y": top["y"] - 8, "width": 1420, "height": height}
        path = FOLDER / f"cards-{number}.jpg"
        await page.screenshot(path=path, full_page=True, clip=area, type="jpeg", quality=30)
        checked(path)


def cards(page: Page) -> Locator:
    return page.locator("#messages article:not(.ephemeral):not(.broadcast)")


async def take_step(page: Page, title: str) -> None:
    """Do one of the first steps, whether its panel is folded or not."""
    shown = page.get_by_role("button", name=title)
    if not await shown.is_visible():
        await page.get_by_role("button", name="Show", exact=True).click()
        await shown.click()
        await page.get_by_role("button", name="Hide", exact=True).click()
    else:
        await shown.click()
    await page.locator("#composer").get_by_role("button", name="Send").click()


async def send(page: Page, text: str) -> None:
    await page.locator("#composer-text").fill(text)
    await page.locator("#composer-text").press("Enter")


async def take(page: Page, name: str) -> None:
    """Take one picture of what is on screen, without a cursor that blinks."""
    await page.evaluate("document.activeElement.blur()")
    await page.mouse.move(0, 0)
    path = FOLDER / f"{name}.png"
    await page.screenshot(path=path, animations="disabled", caret="hide")
    checked(path)


def checked(path: Path) -> None:
    """Refuse a picture that is too large to be loaded in a blink."""
    size = path.stat().st_size
    print(f"{path.relative_to(FOLDER.parent.parent)}: {size // 1000} kB")
    if size > LARGEST_PICTURE:
        raise SystemExit(f"{path.name} is larger than {LARGEST_PICTURE // 1000} kB: show less")


if __name__ == "__main__":
    asyncio.run(main())
