"""The last words of a container, made safe to show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cluster.evidence import MAX_LINE_CHARS, MAX_LINES, as_text, evidence, printable
from core.cluster.fencing import AppNamespace
from core.records.observation import Diagnosis, DiagnosisKind
from tests.core.cluster.faultserver import Answer, faulty, refused
from tests.fakes import NO_SECRETS

CRASH = Diagnosis(kind=DiagnosisKind.CRASH, sentence="", pod="web-1", container="main", previous=True)
HOME = AppNamespace("convox", "myapp")


async def test_it_asks_for_the_end_of_the_right_container_and_no_more():
    async with faulty() as (server, client):
        server.others = [Answer(body=b"boom\n")]
        assert await evidence(client, HOME, CRASH, NO_SECRETS) == "boom"
        query = server.calls[0][1]
        assert (query["container"], query["previous"], query["tailLines"]) == ("main", "true", "100")
        assert int(query["limitBytes"]) <= 262144


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b"unable to retrieve container logs for containerd://4f2a"),
        refused(400, "BadRequest", 'container "main" in pod "web-1" is waiting to start: ContainerCreating'),
        refused(404, "NotFound", 'pods "web-1" not found'),
        refused(403, "Forbidden", 'cannot get resource "pods/log" in API group ""'),
        Answer(status=204),
        Answer(status=500, body=b""),
        Answer(end="abort"),
    ],
    ids=["collected", "waiting", "gone", "no right", "no node", "broken", "cut"],
)
async def test_where_there_is_no_log_there_is_no_evidence(answer: Answer):
    async with faulty() as (server, client):
        server.others = [answer]
        assert await evidence(client, HOME, CRASH, NO_SECRETS) == ""


def test_colours_and_control_characters_go():
    assert printable("\x1b[31mred\x1b[0m\x07 \x1b]0;title\x07plain\ttab\x00") == "red plain\ttab"


def test_text_cannot_turn_its_direction():
    assert printable("a\u202eb\u200bc") == "abc"


def test_what_is_no_utf_8_is_shown_as_such():
    assert printable(as_text(b"caf\xe9 ok")) == "caf\ufffd ok"


def test_a_progress_bar_is_lines_and_a_dos_line_end_is_one():
    assert printable("10%\r20%\r\ndone\r\n") == "10%\n20%\ndone"


def test_only_the_last_lines_are_kept_and_long_ones_are_cut():
    text = printable("\n".join(f"line {n}" for n in range(50)))
    assert text.splitlines() == [f"line {n}" for n in range(30, 50)]
    assert len(printable("x" * 10_000)) == MAX_LINE_CHARS + 1


@given(st.binary(max_size=400))
def test_no_bytes_break_it(body: bytes):
    text = printable(as_text(body))
    assert len(text.splitlines()) <= MAX_LINES
    assert not any(ord(c) < 32 and c not in "\t\n" for c in text)
