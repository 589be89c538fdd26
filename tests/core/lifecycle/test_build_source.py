"""What a build makes of its source: the images that are built, and those that are copied beside them."""

from dataclasses import replace

import pytest

from core.build_run import BuildRequest
from core.errors import Invalid
from core.lifecycle.build_source import wanted_images
from core.manifest.image_builds import MOST_IMAGES, ImageBuild
from core.records.environment import Environment

MANIFEST = """\
services:
  web: {build: .}
  cache: {image: redis:7}
  second: {image: redis:7}
  mail: {image: "mail.example/smtp@sha256:%s"}
"""
REQUEST = BuildRequest(manifest=MANIFEST % ("0" * 64), source="S", copy_images=True)
BUILT = ImageBuild(services=("web",))


def wanted(**changes):
    return wanted_images(replace(REQUEST, **changes), Environment())


def test_what_image_names_is_copied_once_beside_what_is_built():
    assert wanted() == (
        BUILT,
        ImageBuild(services=("cache", "second"), copied="redis:7"),
        ImageBuild(services=("mail",), copied=f"mail.example/smtp@sha256:{'0' * 64}"),
    )


def test_nothing_is_copied_that_is_given_or_where_a_rack_copies_nothing_or_nothing_is_built():
    given = dict.fromkeys(("cache", "second", "mail"), "elsewhere.example/it:1")
    assert wanted(images=given) == (BUILT,)
    assert wanted(copy_images=False) == (BUILT,)
    assert wanted(images={"web": "elsewhere.example/it:1"}) == ()
    assert wanted(manifest="", source="", git_url="https://git.example/shop") == ()


def test_what_is_copied_counts_as_what_is_built():
    services = "".join(f"  s{number}: {{image: 'a:{number}'}}\n" for number in range(MOST_IMAGES))
    with pytest.raises(Invalid, match="more than 50 images in one build"):
        wanted(manifest=f"services:\n  web: {{build: .}}\n{services}")
