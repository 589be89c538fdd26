"""The lines of a thread over recorded rollouts, in whatever order the watches deliver."""

import random
import re
from collections import defaultdict
from datetime import UTC, datetime

import pytest

from core.cluster.documents import generation_of, uid_of
from core.cluster.snapshot import Delta, Snapshot
from core.cluster.watching.lines import lines
from core.records.intent import Intent
from core.records.line import Line
from tests.recordings.load import Recording, recordings

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
# contract: the exact texts, whatever the kubelet's version says
TEXTS = re.compile(
    r"(Scaled (up|down) replica set web-[0-9a-z]+ to \d+"
    r"|(Created|Deleted) pod: web-[0-9a-z]+-[0-9a-z]+"
    r"|Successfully assigned [a-z0-9-]+/web-[0-9a-z]+-[0-9a-z]+ to node-\d"
    r'|Pulling image "[^"]+"|Successfully pulled image "[^"]+"|Container image "[^"]+" already present on machine'
    r"|(Created|Started) container [a-z]+)"
)
STAGES = (
    "Successfully assigned",
    "Pulling image",
    "Successfully pulled",
    "Created container",
    "Started container",
)


def baseline(recording: Recording) -> tuple[Snapshot, Intent, list[Delta]]:
    """Return what there was before v2, as an intent, and every change since."""
    snapshot, since = Snapshot(), []
    for step in recording.steps:
        if step.delta is not None and step.phase in {"setup", "v1"}:
            snapshot = snapshot.after(step.delta)
        elif step.delta is not None:
            since.append(step.delta)
    sets = {uid_of(r): (generation_of(r), r["spec"]["replicas"]) for r in snapshot.all("ReplicaSet")}
    pods = {uid_of(p): 0 for p in snapshot.all("Pod")}
    return snapshot, Intent(namespace_uid="n", objects=(), replica_sets=sets, pods=pods), since


def overtaking(deltas: list[Delta], seed: int) -> list[list[Delta]]:
    """Return the deltas in batches in which each watch keeps its order and watches overtake each other."""
    dice = random.Random(seed)
    queues = defaultdict(list)
    for delta in deltas:
        queues[delta.kind].append(delta)
    batches = []
    while any(queues.values()):
        kind = dice.choice([k for k, q in queues.items() if q])
        count = dice.randint(1, 5)
        batches.append(queues[kind][:count])
        queues[kind] = queues[kind][count:]
    return batches


def told(before: Snapshot, intent: Intent, batches: list[list[Delta]]) -> list[Line]:
    out: list[Line] = []
    for batch in batches:
        before, new = lines(before, batch, intent, NOW)
        out += new
    return out


def test_a_good_rollout_reads_like_the_documentation():
    snapshot, intent, deltas = baseline(recordings()["good"])
    texts = [f"{line.object} {line.text}" for line in told(snapshot, intent, [[d] for d in deltas])]
    first = "web-7d679977b9-rdvhk"
    assert texts[:9] == [
        "web Scaled up replica set web-7d679977b9 to 1",
        f"web-7d679977b9 Created pod: {first}",
        f"{first} Successfully assigned good/{first} to node-1",
        f'{first} Pulling image "registry.example/shop/web:v2"',
        f'{first} Successfully pulled image "registry.example/shop/web:v2"',
        f"{first} Created container web",
        f"{first} Started container web",
        "web Scaled down replica set web-b757dc664 to 1",
        "web-b757dc664 Deleted pod: web-b757dc664-bmqmg",
    ]


def test_a_container_that_is_first_seen_backing_off_was_started():
    snapshot, intent, deltas = baseline(recordings()["crash"])
    end = next(i for i, delta in enumerate(deltas) if "CrashLoopBackOff" in str(delta.object)) + 1
    # One look later: of each object only the newest state is left.
    newest = {uid_of(delta.object): delta for delta in deltas[:end]}
    texts = [line.text for line in told(snapshot, intent, [list(newest.values())])]
    assert {t for t in texts if "container" in t} == {"Created container web", "Started container web"}


def test_an_older_kubelet_is_told_in_the_same_words():
    shapes = []
    for name in ("good", "k135/good"):
        snapshot, intent, deltas = baseline(recordings()[name])
        texts = [line.text for line in told(snapshot, intent, [[d] for d in deltas])]
        # The older node had the image already, so it does not pull.
        shapes.append({re.sub(r"-[a-z0-9]{5}\b", "-POD", t) for t in texts if "pull" not in t.lower()})
    assert shapes[0] == shapes[1]
    assert 'Container image "registry.example/shop/web:v2" already present on machine' in shapes[1]


@pytest.mark.parametrize("name", recordings())
def test_every_line_has_a_text_of_the_contract_and_comes_once(name: str):
    snapshot, intent, deltas = baseline(recordings()[name])
    out = told(snapshot, intent, [[d] for d in deltas])
    assert all(TEXTS.fullmatch(line.text) for line in out)
    assert all(line.at.microsecond == 0 and line.at.tzinfo is not None for line in out)
    keys = [line.key for line in out]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    "name", ["good", "crash", "surge-25-25", "pull-transient", "init-slow", "evicted", "superseded"]
)
@pytest.mark.parametrize("seed", range(8))
def test_the_order_holds_however_the_watches_overtake_each_other(name: str, seed: int):
    snapshot, intent, deltas = baseline(recordings()[name])
    out = told(snapshot, intent, overtaking(deltas, seed))
    assert len({line.key for line in out}) == len(out)
    stage: dict[str, int] = defaultdict(int)
    seen: set[str] = set()
    for line in out:
        seen.add(line.text)
        if line.text.startswith("Successfully assigned"):
            assert f"Created pod: {line.object}" in seen
        if line.text.startswith("Started container"):
            assert line.text.replace("Started", "Created") in seen
        found = next((i for i, s in enumerate(STAGES) if line.text.startswith(s)), None)
        if found is not None and name not in {
            "crash",
            "init-slow",
            "superseded",
        }:  # these start more than once
            assert found >= stage[line.object], line
            stage[line.object] = found


@pytest.mark.parametrize("name", ["good", "crash", "surge-25-25", "image-not-found", "recreate"])
def test_after_a_restart_of_the_bot_the_same_happenings_have_the_same_keys(name: str):
    snapshot, intent, deltas = baseline(recordings()[name])
    known: set[str] = set()
    for number, delta in enumerate(deltas):
        snapshot, new = lines(snapshot, [delta], intent, NOW)
        known |= {line.key for line in new}
        if number % 7 == 0:
            whole = [
                Delta(kind, "ADDED", o)
                for kind in ("Pod", "Event", "ReplicaSet", "Deployment")
                for o in snapshot.all(kind)
            ]
            _, again = lines(Snapshot(), whole, intent, NOW)
            late = {line.key for line in again if line.key.startswith("pull")}
            assert {line.key for line in again} - late <= known


def test_an_image_line_that_comes_after_the_start_is_left_out():
    snapshot, intent, deltas = baseline(recordings()["good"])
    events = [d for d in deltas if d.kind == "Event"]
    out = told(snapshot, intent, [[d] for d in deltas if d.kind != "Event"] + [[d] for d in events])
    assert any(line.text.startswith("Started container") for line in out)
    assert not any("image" in line.text for line in out)


def test_a_batch_reads_in_order_whichever_watch_was_first():
    snapshot, intent, deltas = baseline(recordings()["good"])
    batch = sorted(deltas[:20], key=lambda d: ("Pod", "ReplicaSet", "Deployment", "Event").index(d.kind))
    texts = [line.text.partition(" web-")[0] for line in told(snapshot, intent, [batch])]
    assert texts == [
        "Scaled up replica set",
        "Created pod:",
        "Successfully assigned good/web-7d679977b9-rdvhk to node-1",
        'Pulling image "registry.example/shop/web:v2"',
        'Successfully pulled image "registry.example/shop/web:v2"',
        "Created container web",
        "Started container web",
    ]


def test_a_pod_is_told_of_only_after_its_replica_set():
    snapshot, intent, deltas = baseline(recordings()["good"])
    deltas = deltas[:20]  # until the first new pod runs
    late = [d for d in deltas if d.kind == "ReplicaSet"]
    out = told(snapshot, intent, [[d] for d in deltas if d.kind != "ReplicaSet"] + [[d] for d in late])
    texts = [line.text for line in out]
    up = texts.index("Scaled up replica set web-7d679977b9 to 1")
    assert up < texts.index("Created pod: web-7d679977b9-rdvhk")


def test_a_pod_that_came_and_went_between_two_looks_is_told_of():
    snapshot, intent, deltas = baseline(recordings()["crash-one-replica"])
    last = {uid_of(d.object): d for d in deltas if d.kind != "Event"}
    whole = [Delta(d.kind, "ADDED" if d.type == "MODIFIED" else d.type, d.object) for d in last.values()]
    texts = [line.text for line in told(snapshot, intent, [whole])]
    gone = next(t.removeprefix("Deleted pod: ") for t in texts if t.startswith("Deleted pod: web-785db586cb"))
    assert texts.index(f"Created pod: {gone}") < texts.index(f"Deleted pod: {gone}")


def test_a_pod_that_was_going_before_is_not_told_to_go_again():
    snapshot, intent, deltas = baseline(recordings()["good"])
    going = frozenset(intent.pods)
    quiet = Intent(
        namespace_uid="n", objects=(), replica_sets=intent.replica_sets, pods=intent.pods, terminating=going
    )
    out = told(snapshot, quiet, [[d] for d in deltas])
    assert not any(line.text == "Deleted pod: web-b757dc664-bmqmg" for line in out)


def test_a_deletion_stands_at_the_moment_it_was_asked_for():
    snapshot, intent, deltas = baseline(recordings()["good"])
    out = told(snapshot, intent, [[d] for d in deltas])
    line = next(x for x in out if x.text == "Deleted pod: web-b757dc664-bmqmg")
    assert str(line) == "2026-11-23T05:18:08Z system/k8s/web-b757dc664 Deleted pod: web-b757dc664-bmqmg"
