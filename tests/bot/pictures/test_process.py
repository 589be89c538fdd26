"""A picture is drawn in a process of its own, which may fail, stall or be missing."""

import io
import sys
import tomllib
from pathlib import Path

import pytest
from PIL import Image

from bot.pictures import process
from bot.pictures.process import LIBRARY, draw, drawer
from bot.views.timeline import drawing
from core.ports.pictures import PictureFailure
from tests.bot.views.test_timeline import FAILED, shown

# A machine on which much runs beside takes many times what an idle one does.
PATIENCE = 150.0


async def test_a_timeline_becomes_a_picture_of_a_phones_width():
    picture = await draw(drawing(FAILED, shown()), patience=PATIENCE)
    with Image.open(io.BytesIO(picture)) as image:
        assert image.format == "PNG"
        assert image.width == 2 * 390
        assert 300 < image.height < 600
        # Something of each colour that a line or the mark has.
        colours = {pixel for _, pixel in image.convert("RGB").getcolors(2**20)}
    assert {(0, 114, 178), (179, 107, 0), (193, 39, 45)} <= colours
    assert len(picture) < 100_000


async def test_values_that_cannot_be_drawn_are_told_by_their_error():
    with pytest.raises(PictureFailure, match=r"it ended with 1: KeyError: 'services'"):
        await draw({}, patience=PATIENCE)


async def test_a_process_that_takes_too_long_is_ended():
    with pytest.raises(PictureFailure, match="not drawn within 0 s"):
        await draw({}, patience=0)


async def test_what_is_no_picture_is_none(monkeypatch):
    monkeypatch.setattr(sys, "executable", "true")
    with pytest.raises(PictureFailure, match="it ended with 0: it said nothing"):
        await draw({}, patience=PATIENCE)


def test_without_the_library_nothing_draws_which_is_said(monkeypatch, caplog):
    caplog.set_level("INFO")
    assert drawer() is draw
    assert caplog.text == ""
    monkeypatch.setattr(process, "LIBRARY", "no_such_library")
    assert drawer() is None
    assert "no pictures of rollouts are drawn: no_such_library is not installed" in caplog.text


def test_the_library_is_an_extra_only():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert not [each for each in project["dependencies"] if LIBRARY in each]
    assert [each for each in project["optional-dependencies"]["pictures"] if LIBRARY in each]


def test_the_process_knows_no_secret_of_ours(monkeypatch):
    monkeypatch.setenv("CONVOX_KEYS", "secret")
    assert "CONVOX_KEYS" not in process._environment("/nowhere")
