"""Pods of each service over time: one small chart below the other, under one axis of time.

Made for a phone: at 390 points wide every word can be read. Colours are those of Okabe and Ito, which people who are colour-blind
can tell apart; and each line is told by its stroke and its label too.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

# 390 points, at two pixels a point.
WIDTH, DPI = 3.9, 200
HEAD, STRIP, EACH, FOOT = 0.62, 0.17, 0.9, 0.52
NEW, OLD, BAD, INK, FAINT, PAPER = "#0072B2", "#B36B00", "#C1272D", "#1D1C1D", "#616061", "#FFFFFF"
BANDS = {"rolling out": "#EAF3F9", "failed, waiting": "#F9E8E8", "going back": "#EFEDEA"}
SMALL, NORMAL = 7.0, 8.0
KEY = "pods that are ready; pale: new and not ready; dotted: wanted"
# What part of the width belongs to the charts: the rest is for the labels at the end of each line.
LEFT, RIGHT = 0.09, 0.77
MINUTE, HOUR = 60.0, 3600.0
# The highest count and 0 keep a little away from the edges, as parts of the highest.
BELOW, ABOVE = -0.06, 1.12
# A longer name of a service would run into the labels; the words beside the picture have all of it.
MOST_NAME = 36
# Seconds between two ticks, of which the first is taken that gives few enough.
STEPS = (5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
MOST_TICKS = 6


def chart(values: Mapping[str, Any]) -> bytes:
    """Return a PNG of what `bot.views.timeline.drawing` gives."""
    services = values["services"]
    height = HEAD + EACH * len(services) + FOOT
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=PAPER)
    left: dict[str, Any] = {"x": 0.03, "color": INK, "va": "top", "weight": "bold"}
    figure.text(y=1 - 0.08 / height, s=values["title"], size=_fitting(values["title"]), **left)
    seconds = max(1.0, float(values["seconds"]))
    strip = figure.add_axes((LEFT, 1 - HEAD / height, RIGHT - LEFT, STRIP / height))
    _strip(strip, values, seconds)
    for number, service in enumerate(services):
        bottom = (FOOT + EACH * (len(services) - 1 - number)) / height
        axes = figure.add_axes((LEFT, bottom, RIGHT - LEFT, (EACH - 0.36) / height))
        _service(axes, service, seconds)
        _phases(axes, values)
        _times(axes, seconds, told=number == len(services) - 1)
    for line, text in enumerate(filter(None, (KEY, values["left_out"]))):
        figure.text(0.03, (0.17 - 0.13 * line) / height, text, size=SMALL, color=FAINT, va="bottom")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=DPI)
    return picture.getvalue()


def _fitting(title: str) -> float:
    """Return the size in which a title has room: a bold letter is about 0.63 of it wide."""
    return min(NORMAL + 1, 0.94 * WIDTH * 72 / (0.63 * max(1, len(title))))


def _strip(axes: Axes, values: Mapping[str, Any], seconds: float) -> None:
    """Say above the charts which way it went when, and what ended it."""
    axes.set_xlim(0, seconds)
    axes.set_ylim(0, 1)
    axes.set_axis_off()
    _phases(axes, values)
    for span in values["spans"]:
        # A letter of this size is about a hundredth and a half of the width; what has no room is told by its colour alone.
        if (span["end"] - span["start"]) / seconds > 0.022 * len(span["name"]):
            middle = (span["start"] + span["end"]) / 2
            axes.text(middle, 0.45, span["name"], size=SMALL, color=FAINT, ha="center", va="center")
    if mark := values["mark"]:
        side = "right" if mark["at"] > seconds / 2 else "left"
        axes.text(mark["at"], 1.1, mark["text"], size=NORMAL, color=BAD, weight="bold", ha=side, va="bottom")


def _service(axes: Axes, service: Mapping[str, Any], seconds: float) -> None:
    points = [*service["points"]]
    # Each count holds until the next, and the last until the end.
    points = [[0.0, *points[0][1:]], *points, [seconds, *points[-1][1:]]]
    times, new, ready, old, wanted = (list(each) for each in zip(*points, strict=True))
    most = max(1, *new, *old, *wanted)
    axes.fill_between(times, ready, new, step="post", color=NEW, alpha=0.18, linewidth=0)
    axes.step(times, wanted, where="post", color=FAINT, linewidth=1.0, linestyle=(0, (1, 2)))
    axes.step(times, old, where="post", color=OLD, linewidth=1.6, linestyle=(0, (4, 1.5)))
    axes.step(times, ready, where="post", color=NEW, linewidth=2.2)
    axes.set_xlim(0, seconds)
    axes.set_ylim(BELOW * most, ABOVE * most)
    axes.set_yticks(sorted({0, most}))
    axes.tick_params(axis="y", labelsize=SMALL, colors=FAINT, length=0)
    axes.set_title(_short(service["name"]), loc="left", size=NORMAL, weight="bold", color=INK, pad=3)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#BBBBBB")
    unready = max(0, new[-1] - ready[-1])
    labels = [
        (_height(ready[-1] / most), f"new {ready[-1]}" + (f" (+{unready} not)" if unready else ""), NEW)
    ]
    labels.append((_height(old[-1] / most), f"old {old[-1]}", OLD))
    for height, text, colour in _apart(labels):
        axes.text(
            1.02,
            height,
            text,
            transform=axes.transAxes,
            size=NORMAL,
            color=colour,
            va="center",
            weight="bold",
        )


def _short(name: str) -> str:
    return name if len(name) <= MOST_NAME else f"{name[: MOST_NAME - 1]}…"


def _height(part: float) -> float:
    """Return where in a chart this part of its highest count is."""
    return (part - BELOW) / (ABOVE - BELOW)


def _apart(labels: Sequence[tuple[float, str, str]]) -> list[tuple[float, str, str]]:
    """Return the labels so far apart that neither covers the other."""
    least = 0.42
    low, high = sorted(labels)
    gap = max(0.0, least - (high[0] - low[0])) / 2
    down = min(gap, low[0] + 0.1)
    return [(low[0] - down, *low[1:]), (high[0] + 2 * gap - down, *high[1:])]


def _phases(axes: Axes, values: Mapping[str, Any]) -> None:
    for span in values["spans"]:
        axes.axvspan(span["start"], span["end"], color=BANDS[span["name"]], zorder=-2, linewidth=0)
    if mark := values["mark"]:
        axes.axvline(mark["at"], color=BAD, linewidth=1.4)


def _times(axes: Axes, seconds: float, *, told: bool) -> None:
    step = next((step for step in STEPS if seconds / step < MOST_TICKS), STEPS[-1])
    axes.set_xticks([step * n for n in range(int(seconds // step) + 1)])
    axes.tick_params(axis="x", labelsize=SMALL, colors=FAINT, length=2, labelbottom=told)
    axes.xaxis.set_major_formatter(lambda value, _: _clock(value, step))


def _clock(seconds: float, step: float) -> str:
    if not seconds:
        return "0"
    if step >= HOUR:
        return f"{seconds / HOUR:g} h"
    # Two minutes are no 120 s to whoever reads them at night.
    return f"{seconds / MINUTE:g} min" if step >= MINUTE else f"{seconds:g} s"
