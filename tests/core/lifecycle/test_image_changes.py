"""Images of two builds, compared so that a person sees at a glance which differ and how."""

import pytest

from core.lifecycle.image_changes import image_changes

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("r.example:5000/shop/web:v1", "r.example:5000/shop/web:v2", "v1 → v2"),
        (f"r.example/web:v1@{A}", f"r.example/web:v2@{B}", "v1 → v2"),
        (f"r.example/web:v1@{A}", f"r.example/web:v1@{B}", "aaaaaaa → bbbbbbb"),
        (f"r.example/web@{A}", f"r.example/web@{B}", "aaaaaaa → bbbbbbb"),
        ("r.example/web:v1", f"r.example/web@{B}", "v1 → bbbbbbb"),
        ("r.example:5000/web", f"r.example:5000/web@{B}", "latest → bbbbbbb"),
        ("r.example/api:v1", "r.example/web:v2", "api:v1 → web:v2"),
        ("", "r.example/web:v2", "new, v2"),
        ("", f"r.example/web@{B}", "new, bbbbbbb"),
        ("", "r.example:5000/web", "new, web"),
        ("r.example/web:v1", "", "gone"),
    ],
)
def test_a_change_is_told_by_what_tells_both_apart(before, after, said):
    old, new = ({"web": each} if each else {} for each in (before, after))

    assert image_changes(old, new) == (f"web {said}",)


def test_services_that_change_alike_are_told_together_and_those_that_do_not_change_not_at_all():
    old = {"api": "r.example/a:v1", "job": "r.example/j:v1", "web": "r.example/w:v1", "db": "postgres:16"}
    new = {"api": "r.example/a:v2", "job": "r.example/j:v3", "web": "r.example/w:v2", "db": "postgres:16"}

    assert image_changes(old, new) == ("api, web v1 → v2", "job v1 → v3")
    assert image_changes(old, old) == ()
