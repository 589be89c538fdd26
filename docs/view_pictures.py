"""Pictures of what opens beside the channel, for `docs/take_pictures.py`: every dialog, and the Home tab of three people.

Each stands three times in one picture: in a light and a dark window, and as wide as a phone.
"""

import io
from collections.abc import Awaitable, Callable

from bot.pictures.chart import chart
from PIL import Image
from playwright.async_api import Page, expect

DESKTOP, PHONE = {"width": 820, "height": 620}, {"width": 390, "height": 620}
FRAMES = (("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE))
WORKING = {"width": 1400, "height": 700}
GAP, PAPER, QUALITY = 12, "#9a9a9a", 40
PEOPLE = ("alice", "bob", "carol")

Send = Callable[[Page, str], Awaitable[None]]
# Name of the picture, what is typed, who types it.
DIALOGS = (
    ("modal-promote", "/convox releases promote --ask", "alice"),
    ("modal-rollback", "/convox releases rollback", "alice"),
    ("modal-env-set", "/convox env set API_KEY", "alice"),
    ("modal-env-edit", "/convox env edit", "alice"),
    ("modal-freeze", "/convox freeze", "carol"),
    ("modal-build", "/convox build", "carol"),
    ("modal-registries-add", "/convox registries add registry.example deploy", "carol"),
    ("modal-apps-delete", "/convox apps delete myapp", "carol"),
)


async def framed(page: Page) -> bytes:
    """Return what is on screen in each window, side by side."""
    shots = []
    for theme, size in FRAMES:
        await page.set_viewport_size(size)
        await page.emulate_media(color_scheme=theme)
        shots.append(Image.open(io.BytesIO(await page.screenshot(animations="disabled", caret="hide"))))
    await page.set_viewport_size(WORKING)
    await page.emulate_media(color_scheme="light")
    wide = sum(shot.width + GAP for shot in shots) - GAP
    sheet = Image.new("RGB", (wide, max(shot.height for shot in shots)), PAPER)
    left = 0
    for shot in shots:
        sheet.paste(shot, (left, 0))
        left += shot.width + GAP
    picture = io.BytesIO()
    sheet.save(picture, format="JPEG", quality=QUALITY, optimize=True)
    return picture.getvalue()


async def act_as(page: Page, who: str) -> None:
    person = page.locator(".person", has_text=who.capitalize())
    await person.click()
    await expect(person).to_have_attribute("aria-pressed", "true")


async def dialogs(page: Page, send: Send, keep: Callable[[str, bytes], None]) -> None:
    """What asks before anything is done."""
    await page.set_viewport_size(WORKING)
    for name, typed, who in DIALOGS:
        await act_as(page, who)
        await page.locator("#channels button", has_text="myapp").click()
        await send(page, typed)
        await dialog(page, name, keep)


async def dialog(page: Page, name: str, keep: Callable[[str, bytes], None]) -> None:
    """Take the dialog that has just been asked for, and leave it."""
    # It opens at once and is filled a moment later.
    await expect(page.locator("#modal button.primary")).to_be_visible()
    keep(name, await framed(page))
    await page.locator("#modal .confirm-buttons button").first.click()


async def homes(page: Page, keep: Callable[[str, bytes], None]) -> None:
    """What concerns each of three people."""
    await page.set_viewport_size(WORKING)
    for who in PEOPLE:
        await act_as(page, who)
        await page.locator("#apps button").click()
        await expect(page.locator("#home")).to_contain_text("Live now")
        keep(f"home-{who}", await framed(page))


# Pods: second, new, new and ready, old and ready, wanted.
WORKER = [[1, 0, 0, 1, 1], [2, 1, 0, 1, 1], [49, 0, 0, 1, 1]]
WEB = [
    *([1, 0, 0, 2, 2], [2, 1, 0, 2, 2], [9, 1, 1, 2, 2], [11, 2, 1, 1, 2]),
    *([19, 2, 2, 0, 2], [58, 2, 2, 1, 2], [60, 1, 1, 1, 2], [68, 0, 0, 2, 2]),
]


def timeline() -> bytes:
    """Return the picture that stands under the verdict of a rollout that failed."""
    return chart(
        {
            "title": "myapp RCDEFGHIJKL: rolled back",
            "seconds": 84.0,
            "spans": [
                {"name": "rolling out", "start": 0.0, "end": 47.0},
                {"name": "going back", "start": 47.0, "end": 84.0},
            ],
            "mark": {"at": 47.0, "text": "failed after 47 s"},
            "services": [{"name": "worker", "points": WORKER}, {"name": "web", "points": WEB}],
            "left_out": "",
        }
    )
