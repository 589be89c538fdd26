"""The page in a real browser, against a tiny unmodified Bolt application."""

import os

import pytest
from playwright.async_api import async_playwright, expect

from tests.prepare import find_browser

CHROMIUM = find_browser()
pytestmark = [
    pytest.mark.browser,
    # In CI nothing may be left out: there these fail without one.
    pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason="no Chromium on this machine"),
]


@pytest.fixture
async def page(workspace, socket_app):
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        made = await browser.new_page(viewport={"width": 1280, "height": 800})
        errors = []
        made.on("pageerror", lambda error: errors.append(str(error)))
        made.on("console", lambda line: errors.append(line.text) if is_fault(line) else None)
        await made.goto(workspace.url)
        await expect(made.get_by_role("heading", name="# deploys")).to_be_visible()
        yield made
        await browser.close()
        assert errors == []


def is_fault(line):
    """A connection that a test cuts is no fault of the page's."""
    return line.type == "error" and "Failed to load resource" not in line.text and "net::ERR" not in line.text


async def type_and_send(page, text):
    await page.locator("#composer-text").fill(text)
    await page.keyboard.press("Enter")


async def test_a_typed_command_is_answered_to_the_one_who_typed_it(page):
    await type_and_send(page, "/convox releases -l 3")

    answer = page.locator("#messages .ephemeral")
    await expect(answer).to_contain_text("You said releases -l 3")
    await expect(answer).to_contain_text("Only visible to you")
    await (
        page.get_by_role("button", name="Act as Bob Okafor")
        .or_(page.get_by_title("Act as Bob Okafor"))
        .click()
    )
    await expect(page.get_by_title("Act as Bob Okafor")).to_have_attribute("aria-pressed", "true")
    await expect(page.locator("#messages .ephemeral")).to_have_count(0)


async def test_a_thread_opens_beside_the_channel_and_counts_its_replies(page, workspace):
    await type_and_send(page, "/convox releases promote RABCDEFGHIJ")
    await page.get_by_role("button", name="1 reply").click()
    await expect(page.locator("#thread-messages pre")).to_have_text("line 1")

    await page.locator("#thread-composer-text").fill("thanks, *looks good*")
    await page.keyboard.press("Enter")

    await expect(page.locator("#thread-messages strong").last).to_have_text("looks good")
    await expect(page.locator("#messages .reply-count")).to_have_text("2 replies")
    (card,) = workspace.messages("deploys")
    assert [reply.user for reply in workspace.thread("deploys", card.ts)] == ["U0CONVOX", "U01ALICE"]


async def test_a_button_asks_first_and_acts_for_the_person_one_is(page, workspace, socket_app):
    await type_and_send(page, "/convox releases promote RABCDEFGHIJ")
    await expect(page.locator("#messages").get_by_role("button", name="Approve")).to_be_visible()
    await page.get_by_title("Act as Carol Lindqvist").click()
    await expect(page.get_by_title("Act as Carol Lindqvist")).to_have_attribute("aria-pressed", "true")

    await page.locator("#messages").get_by_role("button", name="Approve").click()
    dialog = page.get_by_role("dialog", name="Promote RABCDEFGHIJ?")
    await expect(dialog).to_contain_text("It goes to web in production.")
    await dialog.get_by_role("button", name="Not now").click()
    await expect(dialog).to_be_hidden()
    assert socket_app.seen.actions == []

    await page.locator("#messages").get_by_role("button", name="Approve").click()
    await dialog.get_by_role("button", name="Promote").click()

    await expect(page.locator("#messages")).to_contain_text("Approved by @Carol Lindqvist")
    await expect(page.locator("#messages").get_by_role("button", name="Approve")).to_have_count(0)


async def test_what_the_bot_says_and_changes_appears_without_a_reload(page, client):
    said = await client.chat_postMessage(channel="C01DEPLOYS", text="Rolling out")
    await expect(page.locator("#messages .body")).to_have_text("Rolling out")
    await expect(page.locator("#announcer")).to_have_text("Convox: Rolling out")

    await client.chat_update(channel="C01DEPLOYS", ts=said["ts"], text="Live")

    await expect(page.locator("#messages .body")).to_have_text("Live(edited)")


async def test_news_in_another_channel_are_counted_in_the_sidebar(page, client):
    await client.chat_postMessage(channel="C02GENERAL", text="elsewhere")

    row = page.locator("#channels li", has_text="general")
    await expect(row.locator(".count")).to_have_text("1")
    await row.get_by_role("button").click()
    await expect(page.locator("#messages .body")).to_have_text("elsewhere")
    await expect(row.locator(".count")).to_have_count(0)


async def test_markup_in_a_message_stays_text(page, client):
    hostile = "&lt;img src=x onerror=alert(1)&gt; <javascript:alert(1)|click> `&lt;b&gt;`"
    await client.chat_postMessage(channel="C01DEPLOYS", text=hostile)

    body = page.locator("#messages .body")
    await expect(body).to_contain_text("<img src=x onerror=alert(1)> click <b>")
    await expect(body.locator("img, a")).to_have_count(0)


async def test_mrkdwn_is_shown_as_slack_shows_it(page, client):
    text = "*bold* _it_ ~no~ `a*b*` <https://x.io|docs> <@U01ALICE> <#C02GENERAL|> <!subteam^S01DEVS> :rocket: 2*3*4"
    await client.chat_postMessage(channel="C01DEPLOYS", text=text)

    body = page.locator("#messages .body")
    await expect(body).to_have_text("bold it no a*b* docs @Alice Moreau #general @devs 🚀 2*3*4")
    await expect(body.locator("strong")).to_have_text("bold")
    await expect(body.locator("a")).to_have_attribute("href", "https://x.io")


async def test_suggestions_complete_a_command_from_the_keyboard(page):
    box = page.locator("#composer-text")
    await box.press_sequentially("/convox rel")
    await expect(page.get_by_role("option")).to_have_count(2)

    await box.press("ArrowDown")
    await box.press("ArrowDown")
    await expect(page.locator('[aria-selected="true"]')).to_contain_text("releases promote R…")
    await box.press("Enter")

    await expect(box).to_have_value("/convox releases promote ")


async def test_the_first_steps_put_their_command_into_the_composer(page):
    await page.get_by_role("button", name="Roll one out").click()
    await expect(page.locator("#composer-text")).to_have_value("/convox releases promote RABCDEFGHIJ")
    await expect(page.locator("#composer-text")).to_be_focused()

    await page.keyboard.press("Enter")

    await expect(page.locator(".step.done")).to_contain_text("Roll one out")


async def test_a_button_keeps_the_focus_when_its_message_changes(page, client, workspace):
    await type_and_send(page, "/convox releases promote RABCDEFGHIJ")
    button = page.locator("#messages").get_by_role("button", name="Approve")
    await button.focus()
    (card,) = workspace.messages("deploys")

    changed = [{"type": "section", "text": {"type": "plain_text", "text": "1 of 2"}}, *card.blocks[1:]]
    await client.chat_update(channel="C01DEPLOYS", ts=card.ts, text="1 of 2", blocks=changed)

    await expect(page.locator("#messages .body").first).to_contain_text("1 of 2")
    await expect(button).to_be_focused()


async def test_the_bot_is_invited_where_it_is_missing(page, workspace):
    await page.locator("#channels li", has_text="random").get_by_role("button").click()
    await expect(page.locator("#notice")).to_contain_text("Convox is not in this channel")

    await page.locator("#notice button").click()
    await page.keyboard.press("Enter")

    await expect(page.locator("#notice")).to_be_hidden()
    assert "U0CONVOX" in workspace.channel("random").members


async def test_on_a_narrow_screen_the_sidebar_is_behind_a_button(page):
    await page.set_viewport_size({"width": 400, "height": 760})
    await expect(page.locator("#sidebar")).not_to_be_in_viewport()

    await page.get_by_role("button", name="Channels and people").click()
    await page.locator("#channels li", has_text="general").get_by_role("button").click()

    await expect(page.get_by_role("heading", name="# general")).to_be_visible()
    await expect(page.locator("#sidebar")).not_to_be_in_viewport()
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= 400


async def test_the_page_finds_the_workspace_again_after_an_outage(page, workspace):
    await workspace.go_down("refuse")
    await expect(page.locator("#offline")).to_be_visible()

    await workspace.come_up()
    await workspace.say("bob", "deploys", "back again")

    await expect(page.locator("#offline")).to_be_hidden()
    await expect(page.locator("#messages")).to_contain_text("back again")


async def test_a_modal_is_filled_in_corrected_and_sent(page, socket_app):
    await type_and_send(page, "/convox releases hold")
    modal = page.get_by_role("dialog", name="Why?")
    await modal.get_by_role("button", name="Send").click()
    await expect(modal).to_contain_text("Please complete this required field.")

    await modal.get_by_label("Reason").fill("no")
    await modal.get_by_role("button", name="Send").click()
    await expect(modal).to_contain_text("say more")
    await modal.get_by_label("Reason").fill("it leaks memory")
    await modal.get_by_role("button", name="Send").click()

    await expect(modal).to_be_hidden()
    values = socket_app.seen.views[-1]["view"]["state"]["values"]
    assert values["why"]["text"]["value"] == "it leaks memory"


async def test_the_callers_own_button_asks_and_then_acts(page, pressed):
    await page.get_by_role("button", name="Reset").click()
    dialog = page.get_by_role("dialog", name="Reset")
    await expect(dialog).to_contain_text("Begin anew?")
    await dialog.get_by_role("button", name="Reset").click()

    await expect(dialog).to_be_hidden()
    assert pressed == ["reset"]


async def test_a_permalink_opens_its_thread(page, client):
    card = await client.chat_postMessage(channel="C02GENERAL", text="the card")
    reply = await client.chat_postMessage(channel="C02GENERAL", text="a line", thread_ts=card["ts"])
    link = await client.chat_getPermalink(channel="C02GENERAL", message_ts=reply["ts"])

    await page.goto(link["permalink"])

    await expect(page.get_by_role("heading", name="# general")).to_be_visible()
    await expect(page.locator("#thread-messages .body").last).to_have_text("a line")


async def test_the_bot_is_reached_in_a_direct_conversation(page, socket_app):
    await page.locator("#directs").get_by_role("button", name="Convox").click()
    await type_and_send(page, "/convox help")

    await expect(page.locator("#messages .ephemeral")).to_contain_text("You said help")
    assert socket_app.seen.commands[-1]["channel_name"] == "directmessage"


async def test_a_plan_tells_each_task_by_a_word_and_a_table_has_headings(page, client):
    def rich(text):
        return {
            "type": "rich_text",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}],
        }

    tasks = [
        {"type": "task_card", "task_id": "apply", "title": "apply", "status": "complete"},
        {"task_id": "web", "title": "web", "status": "in_progress", "details": rich("2 of 3 ready")},
        {"task_id": "worker", "title": "worker", "status": "error", "output": rich("exit 1")},
        {"task_id": "watch", "title": "watch", "status": "pending"},
    ]
    rows = [["ID", "STATUS"], ["RAAAAAAAAAA", "active"]]
    blocks = [
        {"type": "plan", "title": "Rolling out", "tasks": tasks},
        {"type": "table", "rows": [[{"type": "raw_text", "text": text} for text in row] for row in rows]},
    ]

    await client.chat_postMessage(channel="C01DEPLOYS", text="rolling out", blocks=blocks)

    shown = page.locator("#messages .block-plan")
    await expect(shown.get_by_role("listitem")).to_have_text(
        ["✓apply", "◐web2 of 3 ready", "✕workerexit 1", "○watch"]
    )
    for word in ("done", "in progress", "failed", "to do"):
        await expect(shown.get_by_role("img", name=word, exact=True)).to_be_visible()
    await expect(page.get_by_role("columnheader", name="STATUS")).to_be_visible()
    await expect(page.get_by_role("cell", name="active")).to_be_visible()


async def fill(workspace, client, rows=60):
    await client.chat_postMessage(
        channel="C01DEPLOYS", text="\n".join(f"row {number}" for number in range(rows))
    )


def is_at_end(page, where="#messages"):
    return page.evaluate(
        "where => { const r = document.querySelector(where); return r.scrollHeight - r.scrollTop - r.clientHeight < 2 }",
        where,
    )


async def scroll_up(page):
    await page.locator("#messages").evaluate("root => { root.scrollTop = 0 }")
    # The page hears of it with the next frame.
    await page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


async def test_an_answer_of_ones_own_is_in_sight_wherever_one_was_reading(page, workspace, client):
    await fill(workspace, client)
    await expect(page.locator("#messages")).to_contain_text("row 59")
    await scroll_up(page)

    await type_and_send(page, "/convox releases -l 3")

    await expect(page.locator("#messages .ephemeral")).to_be_in_viewport()
    assert await is_at_end(page)


async def test_what_others_say_below_is_told_of_and_moves_nobody(page, workspace, client):
    await fill(workspace, client)
    await expect(page.locator("#messages")).to_contain_text("row 59")
    await scroll_up(page)

    await workspace.say("bob", "deploys", "first")
    await workspace.say("bob", "deploys", "second")

    more = page.get_by_role("button", name="2 new messages")
    await expect(more).to_be_visible()
    assert not await is_at_end(page)
    await more.click()
    assert await is_at_end(page)
    await expect(more).to_be_hidden()


async def test_a_channel_opens_with_a_mark_before_what_came_meanwhile(page, workspace):
    await workspace.say("bob", "general", "seen before")
    await page.get_by_role("button", name="general").click()
    await expect(page.locator("#messages")).to_contain_text("seen before")
    await (
        page.get_by_role("button", name="# deploys")
        .or_(page.get_by_role("button", name="deploys", exact=True))
        .first.click()
    )
    await workspace.say("bob", "general", "while you were away")

    await page.get_by_role("button", name="general").click()

    mark = page.get_by_role("separator", name="New messages")
    await expect(mark).to_be_visible()
    after = page.locator(".new-rule + article")
    await expect(after).to_contain_text("while you were away")


async def test_a_step_that_was_tried_has_its_tick_after_a_reload(page):
    await type_and_send(page, "/convox releases")
    await expect(page.get_by_role("button", name="Look around (done)")).to_be_visible()

    await page.reload()

    await expect(page.get_by_role("button", name="Look around (done)")).to_be_visible()
    assert await page.locator(".step.done").count() == 1


async def test_hints_say_that_they_are_the_playgrounds(page):
    await page.locator("#composer-text").fill("/convox rel")

    hints = page.locator("#composer-list")
    await expect(hints).to_contain_text(
        "Hints of the playground: Slack itself suggests /convox, and no words after it"
    )
    assert await hints.get_by_role("option").count() == 2


async def test_a_card_that_changes_while_its_dialog_is_open_is_pressed_as_it_was_seen(
    page, workspace, client, socket_app
):
    await type_and_send(page, "/convox releases promote RABCDEFGHIJ")
    await page.locator("#messages").get_by_role("button", name="Approve").click()
    await expect(page.get_by_role("dialog", name="Promote RABCDEFGHIJ?")).to_be_visible()
    (card,) = workspace.messages("deploys")
    await client.chat_update(channel="C01DEPLOYS", ts=card.ts, text="Declined by somebody", blocks=[])
    await expect(page.locator("#messages")).to_contain_text("Declined by somebody")

    await page.get_by_role("dialog").get_by_role("button", name="Promote").click()

    await workspace.wait_for(lambda: socket_app.seen.actions)
    assert socket_app.seen.actions[0]["message"]["text"] == "Declined by somebody"


async def test_a_shortcut_stands_in_the_menu_of_a_message(page, workspace, socket_app):
    await workspace.say("bob", "deploys", "build 42 is ready")
    message = page.locator("#messages article", has_text="build 42 is ready")
    await message.hover()

    await message.get_by_role("button", name="Promote this build").click()

    await expect(page.locator("#messages .ephemeral")).to_contain_text(
        "a message that says build 42 is ready"
    )
