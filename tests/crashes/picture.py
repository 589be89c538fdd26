"""What a run has left behind, in words that are the same in every run, and what no run may leave."""

import json
import re
from collections import Counter
from typing import Any

from bot.playground.slack import Message
from bot.slack.inbox import DONE_BEFORE
from bot.views.thread import LAST_LINES
from core.promotion import Promotion
from core.records.release import Release, ReleaseStatus
from core.records.step import Step
from storage.store import SqliteStore
from tests.chain import audit_rows, first_broken
from tests.crashes.places import Document
from tests.crashes.world import ENDING, World

POD = re.compile(r"\b(web|worker|mailer)-[a-z0-9]{6,10}(-[a-z0-9]{5})?\b")
TOOK = re.compile(r"(?<=after )\d+ \w+( \d+ \w+)?|(?<=took )\d+ \w+( \d+ \w+)?|<!date\^[^>]*>")
ROW = re.compile(r"\S+ system/k8s/(\S+) (.*)")
PHASE = "Status: "

Picture = dict[str, Any]


async def picture(world: World) -> Picture:
    """Return the state of records, cluster and Slack with ids replaced by R1, P1 … in the order of their making."""
    async with world.records() as store:
        names = await _names(store, world.place.app)
        records = await _records(store, world.place.app)
    seen = {
        "records": records,
        "cluster": [_object(kind, o) for kind in world.place.kinds for o in await world.place.objects(kind)],
        "notices": world.notices(),
        "slack": [_story(world, card) for card in world.cards()],
        "answers": {user: [a for a in world.answers(user) if a != DONE_BEFORE] for user in world.asked},
    }
    plain: Picture = json.loads(_normal(json.dumps(seen, default=str), names))
    # What is random in a name must not decide on the order.
    return plain | {"cluster": sorted(plain["cluster"], key=json.dumps)}


async def _names(store: SqliteStore, app: str) -> dict[str, str]:
    releases = reversed(await store.read.releases(app, 100))
    promotions = reversed(await store.read.promotions(app, 100))
    named = {r.id: f"R{n}" for n, r in enumerate(releases, 1)}
    named |= {p.id: f"P{n}" for n, p in enumerate(promotions, 1)}
    builds = reversed(await store.read.builds(app, 100))
    return (
        named | {b.id: f"B{n}" for n, b in enumerate(builds, 1)} | {f"convox-{app}": "NAMESPACE", app: "APP"}
    )


def _normal(text: str, names: dict[str, str]) -> str:
    for name, stands_for in names.items():
        text = text.replace(name, stands_for).replace(name.lower(), stands_for)
    return TOOK.sub("TIME", POD.sub(lambda found: f"{found[1]}-POD" if found[2] else f"{found[1]}-SET", text))


async def _records(store: SqliteStore, app: str) -> Document:
    read = store.read
    record = await read.app(app)
    promotions = list(reversed(await read.promotions(app, 100)))
    return {
        "active": record.active_release,
        "token": record.token,
        "promotions": [_promotion(p) for p in promotions],
        "releases": [_release(r, await read.release_status(r.id)) for r in await read.releases(app, 100)],
        "steps": [sorted(map(_step, await read.steps(p.id)), key=str) for p in promotions],
        "approvals": [[(a.actor.id, a.decision) for a in await read.approvals(p.id)] for p in promotions],
        "audit": [(row["actor"], row["action"]) for row in await audit_rows(store)],
    }


def _step(step: Step) -> Document:
    # A prune begun again sees that an object is gone already, and has nothing more to write about it.
    state = step.state if step.stage != "prune" else ""
    return {"stage": step.stage, "ref": str(step.ref), "action": step.action, "state": state}


def _release(release: Release, status: ReleaseStatus) -> Document:
    seen = {"id": release.id, "copy of": release.copy_of, "build": release.build}
    if status == ReleaseStatus(release=release.id):
        return seen
    verified = status.verified_at is not None
    return seen | {"verified": verified, "held": status.held, "withdrawn": status.withdrawn}


def _promotion(promotion: Promotion) -> Document:
    kept = (
        "id",
        "release",
        "kind",
        "phase",
        "token",
        "back_to",
        "cause",
        "reason",
        "superseded_by",
        "removed",
    )
    decided = ("declined_by", "cancelled_by", "taken_over_by")
    return {
        name: getattr(promotion, name) for name in (*kept, "baseline_of", "nothing_ran", "approvals_needed")
    } | {
        **{name: (by := getattr(promotion, name)) and by.id for name in decided},
        "touched": promotion.touched_at is not None,
    }


def _object(kind: str, document: Document) -> Document:
    metadata, spec = document["metadata"], document.get("spec", {})
    owners = [o["name"] for o in metadata.get("ownerReferences", [])]
    seen: Document = {
        "kind": kind,
        "name": metadata["name"],
        "release": metadata.get("labels", {}).get("release"),
    }
    match kind:
        case "Deployment":
            pods = spec["template"]["metadata"]["labels"]["release"]
            return seen | {"replicas": spec.get("replicas"), "pods of": pods}
        case "ReplicaSet":
            return seen | {"replicas": spec.get("replicas"), "owners": owners}
        case "Pod":
            ready = [c["status"] for c in document["status"].get("conditions", []) if c["type"] == "Ready"]
            return seen | {"owners": owners, "ready": ready, "restarts": _restarts(document)}
        case "ConfigMap":
            return seen | {"token": document.get("data", {}).get("token")}
        case _:
            return seen


def _restarts(pod: Document) -> int:
    return sum(c.get("restartCount", 0) for c in pod["status"].get("containerStatuses", []))


def _story(world: World, card: Message) -> Document:
    """Return what people see of one promotion."""
    rows = _rows(world.thread(card))
    return {
        "card": card.text,
        "buttons": sum(block["type"] == "actions" for block in card.blocks),
        "phases": [text for _, text in rows if text.startswith(PHASE)],
        "endings": [
            m.text.partition(f"\n{LAST_LINES}\n")[0] for m in world.thread(card) if ENDING.match(m.text)
        ],
    }


def _rows(thread: list[Message]) -> list[tuple[str, str]]:
    """Return the lines of a thread: object and text."""
    found = [ROW.match(row) for m in thread for row in m.text.replace("&gt;", ">").strip("`\n").split("\n")]
    return [(row[1], row[2]) for row in found if row]


async def broken_promises(world: World) -> list[str]:
    """Name everything that may never be, whatever happened: nothing twice, nothing lost, nothing out of order."""
    broken: list[str] = []
    async with world.records() as store:
        damaged = await first_broken(store)
        since = [p.id for p in await store.read.promotions(world.place.app, 100)]
        cards = [await store.read.card(p) for p in since]
    if damaged is not None:
        broken.append(f"the audit is broken at row {damaged}")
    posted = {c.ts for c in cards if c}
    broken += [f"a card that no promotion knows: {c.text}" for c in world.cards() if c.ts not in posted]
    for card in world.cards():
        broken += _broken_in(world.thread(card))
    for user, times in world.asked.items():
        # Between an answer and the note that it was given a bot can die; then it says that it had done so.
        answers = [text for text in world.answers(user) if text != DONE_BEFORE]
        if not len(answers) <= times <= len(world.answers(user)):
            broken.append(f"{user} asked {times} times and was answered {world.answers(user)}")
    log = (world.folder / "log").read_text(errors="replace").splitlines()
    broken += [row for row in log if " ERROR " in row or row.startswith("Traceback")]
    return broken + world.slack.violations


def _broken_in(thread: list[Message]) -> list[str]:
    ends = [n for n, message in enumerate(thread) if ENDING.match(message.text)]
    broken = [] if ends == [len(thread) - 1] else [f"terminal messages {ends} of {len(thread)} in a thread"]
    twice = [row for row, times in Counter(_rows(thread)).items() if times > 1]
    return broken + [f"said twice: {row}" for row in twice]
