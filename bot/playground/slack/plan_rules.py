"""What Slack accepts as a plan and as a task of one; both since February 2026, on messages only."""

from bot.playground.slack.fields import (
    Json,
    Problems,
    choice,
    complaint,
    count,
    each,
    length,
    missing,
    repeated,
    unknown_keys,
)
from bot.playground.slack.rich_text_rules import single

# Slack names neither number; a library that is made from its JSON of blocks has the first, the title of a task in a
# stream the second (slack.md 1.4).
TASKS, TITLE = 50, 256
STATES = ("pending", "in_progress", "complete", "error")


def plan(block: Json, pointer: str) -> Problems:
    """Check a plan: a title, and tasks that are told apart by their ids."""
    yield from unknown_keys(block, {"type", "block_id", "title", "tasks"}, pointer)
    yield from length(block.get("title"), f"{pointer}/title", most=TITLE)
    if "tasks" not in block:
        return
    tasks = f"{pointer}/tasks"
    yield from count(block["tasks"], tasks, most=TASKS)
    for task, where in each(block["tasks"], tasks):
        yield from task_card(task, where)
    yield from repeated(block["tasks"], "task_id", tasks)


def task_card(block: Json, pointer: str) -> Problems:
    """Check one task, in a plan or by itself."""
    keys = {"type", "block_id", "task_id", "title", "details", "output", "sources", "status"}
    yield from unknown_keys(block, keys, pointer)
    if block.get("type", "task_card") != "task_card":
        yield complaint(f"unsupported type: {block['type']}", f"{pointer}/type")
    yield from length(block.get("task_id"), f"{pointer}/task_id", most=255)
    yield from length(block.get("title"), f"{pointer}/title", most=TITLE)
    if "status" not in block:
        yield missing(f"{pointer}/status")
    yield from choice(block, "status", pointer, STATES)
    for key in ("details", "output"):
        if key in block:
            yield from single(block[key], f"{pointer}/{key}")
    for source, where in each(block.get("sources"), f"{pointer}/sources"):
        yield from unknown_keys(source, {"type", "url", "text"}, where)
        yield from length(source.get("url"), f"{where}/url", most=3000)
        yield from length(source.get("text"), f"{where}/text", most=TITLE)
