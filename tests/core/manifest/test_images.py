"""Which service of a build runs which image, and what is no image at all."""

import pytest

from core.errors import Invalid
from core.manifest.convox_yml import images_needed, parse_manifest, resolve_images
from core.manifest.images import image_problem, registry_path
from core.records.environment import Environment

MANIFEST = parse_manifest(
    "services:\n  web: {build: .}\n  worker: {build: .}\n  cache: {image: 'redis:7'}\n", Environment()
)
DIGEST = "sha256:" + "ab" * 32


def test_only_what_ci_builds_needs_an_image():
    assert images_needed(MANIFEST) == ("web", "worker")


def test_images_are_those_given_and_those_the_manifest_names():
    given = {"web": "r.example/web:1", "worker": f"r.example/worker@{DIGEST}"}

    assert resolve_images(MANIFEST, given) == {**given, "cache": "redis:7"}


def test_a_given_image_wins_over_the_manifest():
    given = {"web": "a", "worker": "b", "cache": f"redis@{DIGEST}"}

    assert resolve_images(MANIFEST, given)["cache"] == f"redis@{DIGEST}"


def test_missing_and_unknown_services_and_bad_references_are_named_at_once():
    with pytest.raises(Invalid) as raised:
        resolve_images(MANIFEST, {"wbe": "a", "jobs": "b", "cache": "UP:x y"})

    assert raised.value.status == 422
    assert str(raised.value).splitlines() == [
        "no image for web, worker",
        "no such service: 'wbe', 'jobs'",
        "image of cache is no image reference (it has spaces): 'UP:x y'",
    ]
    assert "web, worker, cache" in str(raised.value.hint)


def test_of_a_flood_of_names_that_are_no_services_as_many_are_repeated_as_there_could_be():
    with pytest.raises(Invalid) as raised:
        resolve_images(MANIFEST, {f"no-{number}": "a" for number in range(5_000)})

    unknown = str(raised.value).splitlines()[1]
    assert unknown.startswith("no such service: 'no-0', 'no-1', ")
    assert unknown.endswith(", 'no-199' and 4,800 more")


@pytest.mark.parametrize(
    "reference",
    [
        "nginx",
        "ubuntu:22.04",
        "registry.example/shop/web:v3-crash",
        "localhost:5000/a/b_c.d:1",
        f"registry.example:443/web@{DIGEST}",
        f"registry.example/web:1.2@{DIGEST}",
        "[::1]:5000/web",
    ],
)
def test_an_image_reference_is_taken(reference: str):
    assert image_problem(reference) == ""


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("", "write [host/]repository"),
        ("https://r.example/web", "leave out the protocol"),
        ("r.example/Web:1", "a repository's name is lower-case"),
        ("r.example/web@sha256:abc", "a digest is sha256: and 64 hexadecimal digits"),
        ("web:1\n", "it has spaces"),
        ("web:", "write [host/]repository"),
        ("a/" * 300 + "b", "more than 512 characters"),
    ],
)
def test_what_is_no_image_reference_says_why(reference: str, why: str):
    assert why in image_problem(reference)


@pytest.mark.parametrize("image", ["sha256:" + "ab" * 32, "ab" * 32])
def test_the_id_of_an_image_is_refused_when_it_is_registered(image: str):
    with pytest.raises(Invalid, match="the id of an image on one machine, which no node can pull"):
        resolve_images(MANIFEST, {"web": image, "worker": "b"})
    assert image_problem("r.example/" + "ab" * 32) == ""
    assert image_problem("ab" * 31) == ""


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("registry.example", "registry.example"),
        ("https://registry.example:5000/team/", "registry.example:5000/team"),
        ("http://registry.example", ""),
        ("registry.example/Team", ""),
        ("", ""),
    ],
)
def test_a_registry_is_what_the_name_of_an_app_may_be_put_behind(written: str, path: str):
    assert registry_path(written) == path
