"""What people read of a promotion, with everything taken out that differs from run to run and from cluster to cluster.

Left as it is: every object's lines in their order, phases, causes, the ending. Taken out: times, random names, and what
depends on how busy a machine is: the steps between two counts of a replica set, and which of a release's pods of one
image was the first to pull it.
"""

import html
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ROW = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ system/k8s/(\S+) (.*)$")
EVIDENCE = re.compile(r"^last log lines of (\S+):$")
POD = re.compile(r"\b([a-z]+-[a-z0-9]{4,10})-[a-z0-9]{5}\b")
PULLED = re.compile(r'^Successfully pulled image "([^"]+)"')
PRESENT = re.compile(r'^Container image "([^"]+)" already present on machine')
OF_SET = re.compile(r"^Scaled (?:up|down) replica set (\S+) to \d+$")
SCALED = re.compile(r"^(Scaled (?:up|down) replica set \S+) to \d+$")
COUNTS = re.compile(r"^services ready |^took ")
DOCUMENTED = (
    "Status: ", "Scaled ", "Created pod: ", "Deleted pod: ", "Successfully ", "Pulling image ", "Container image ",
    "Created container ", "Started container ",
)  # fmt: skip
ATOM = "atom/app"


@dataclass(frozen=True, slots=True)
class Told:
    """One line, or one block of log lines."""

    about: str
    text: str


def rows_of(messages: Sequence[str]) -> list[Told]:
    """Return the lines of a thread's messages, as they stand in Slack, oldest first."""
    entries: list[Told] = []
    for message in messages:
        rows = html.unescape(message).strip("`\n").split("\n")
        if found := EVIDENCE.match(rows[0]):
            entries.append(Told(found[1], "\n".join(["last log lines:", *rows[1:]])))
            continue
        for row in rows:
            matched = ROW.match(row)
            assert matched, f"not a line of contract 7: {row!r}"
            entries.append(Told(matched[1], matched[2]))
    return entries


class Normal:
    """Gives things names that are the same in every run.

    Args:
        names: what is replaced as it stands: ids of releases, the namespace.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)

    def text(self, text: str) -> str:
        """Return text without times and ids."""
        for name, stands_for in self._names.items():
            text = text.replace(name, stands_for)
        text = re.sub(r"\b\d\d:\d\d:\d\d\.\d+\b", "TIME", text)
        text = re.sub(r"<!date\^[^>]*>", "DATE", text)
        return re.sub(r"(?<=, after )\d+ (?:s|min)(?: \d+ s)?$", "TIME", text, flags=re.MULTILINE)

    def card(self, text: str) -> str:
        """Return a card's text without what is counted while it goes on: pods and seconds."""
        rows = self.text(text).split("\n")
        return "\n".join(row for row in rows if not COUNTS.match(row))

    def by_object(self, entries: Sequence[Told]) -> str:
        """Return the lines of each object in their order; pods, which have no order, sorted by what is told of them."""
        lines: defaultdict[str, list[str]] = defaultdict(list)
        pulled = {found[1] for each in entries if (found := PULLED.match(each.text))}
        for each in entries:
            present = PRESENT.match(each.text)
            if present and present[1] in pulled:
                lines[each.about] += [
                    f'Pulling image "{present[1]}"',
                    f'Successfully pulled image "{present[1]}"',
                ]
            else:
                lines[each.about].append(each.text)
        sets = _sets(lines)
        shown: defaultdict[str, list[list[str]]] = defaultdict(list)
        for about, texts in lines.items():
            # How many restarts one look has seen is luck: what is told again of the same pod counts once.
            plain = [_renamed(self.text(text), sets) for text in dict.fromkeys(texts)]
            plain.sort(key=_place)
            shown[_renamed(about, sets)].append(_without_steps(plain))
        parts = [
            "\n".join([about, *(f"  {row}" for text in texts for row in text.split("\n"))])
            for about in sorted(shown, key=lambda name: (name != ATOM, name))
            for texts in sorted(shown[about])
        ]
        return "\n".join(parts)


def _place(text: str) -> tuple[bool, str]:
    """Return what a stable sort goes by, so that nothing is left of how busy the controllers were.

    Which look notices a trouble is luck, so it stands behind what the cluster itself tells in order. And a Deployment
    whose rollout is taken over scales the old and the new replica set at once: only the order within each is fixed.
    """
    found = OF_SET.match(text)
    return (not text.startswith(DOCUMENTED), found[1] if found else "")


def _sets(lines: Mapping[str, list[str]]) -> dict[str, str]:
    """Return replica set → `web-RS1`: what was first scaled up before what was first scaled down, in their order."""
    named: dict[str, str] = {}
    for about, texts in lines.items():
        first: dict[str, bool] = {}
        for text in texts:
            if found := OF_SET.match(text):
                first.setdefault(found[1], text.startswith("Scaled down"))
        ordered = sorted(first, key=lambda name: first[name])
        named |= {name: f"{about}-RS{number}" for number, name in enumerate(ordered, start=1)}
    return named


def _renamed(text: str, sets: Mapping[str, str]) -> str:
    text = POD.sub(lambda m: f"{sets[m[1]]}-POD" if m[1] in sets else m[0], text)
    for name, stands_for in sets.items():
        text = text.replace(name, stands_for)
    return text


def _without_steps(texts: Sequence[str]) -> list[str]:
    """Keep the last of several counts that a replica set was given one after the other."""
    kept: list[str] = []
    for text in texts:
        before, now = (SCALED.match(kept[-1]) if kept else None), SCALED.match(text)
        if before and now and before[1] == now[1]:
            kept.pop()
        kept.append(text)
    return kept
