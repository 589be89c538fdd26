"""What `build:` says of the images of a convox.yml."""

import pytest

from core.errors import Invalid
from core.manifest.image_builds import ImageBuild, read_image_builds
from core.records.environment import Environment

ENVIRONMENT = Environment((("PLACE", "web"),))


def images(services: str, *names: str, **args: str) -> tuple[ImageBuild, ...]:
    return read_image_builds(f"services:\n{services}", ENVIRONMENT, names or ("a",), args)


def test_services_that_are_built_alike_share_an_image():
    text = "  a: {build: .}\n  b:\n    port: 3000\n  c: {build: {path: ./, manifest: Dockerfile}}\n  d: {build: lib}\n"
    assert images(text, "a", "b", "c", "d") == (
        ImageBuild(services=("a", "b", "c")),
        ImageBuild(services=("d",), path="lib"),
    )


@pytest.mark.parametrize(
    ("said", "image"),
    [
        ("${PLACE}", ImageBuild(services=("a",), path="web")),
        (
            "{path: ./web/, manifest: ci/Dockerfile.prod}",
            ImageBuild(services=("a",), path="web", dockerfile="ci/Dockerfile.prod"),
        ),
        ("{args: [A=1, 'B=x,y=z', C]}", ImageBuild(services=("a",), args=(("A", "1"), ("B", "x,y=z")))),
        ("{args: {B: 2, A: x}}", ImageBuild(services=("a",), args=(("A", "x"), ("B", "2")))),
    ],
)
def test_a_path_a_dockerfile_and_arguments(said: str, image: ImageBuild):
    assert images(f"  a: {{build: {said}}}\n") == (image,)


def test_what_is_given_with_the_build_wins():
    assert images("  a: {build: {args: [A=1, B=2]}}\n", B="3", C="4")[0].args == (
        ("A", "1"),
        ("B", "3"),
        ("C", "4"),
    )


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("../other", "must stay inside the source"),
        ("{path: /etc}", "must stay inside the source"),
        ("{manifest: ../../Dockerfile}", "manifest of build of service a must stay inside"),
        ("{args: ['1=x']}", 'no name of a build argument: "1"'),
        ("{args: {a-b: x}}", 'no name of a build argument: "a-b"'),
        ("{args: x}", "must be a list"),
        ("{other: x}", 'unknown key "other"'),
    ],
)
def test_what_cannot_be_built_is_told(said: str, problem: str):
    with pytest.raises(Invalid, match=problem):
        images(f"  a: {{build: {said}}}\n")


@pytest.mark.parametrize(
    "said",
    ["../${S}", "{path: '/${S}'}", "{args: ['${S}=1']}", "{args: {'${S}': 1}}", "{manifest: '../${S}'}"],
)
def test_no_sentence_repeats_a_value_of_the_environment(said: str):
    with pytest.raises(Invalid) as refused:
        read_image_builds(
            f"services:\n  a: {{build: {said}}}\n", Environment((("S", "Hunter2-Hunter2"),)), ["a"], {}
        )
    assert "Hunter2" not in str(refused.value)
    assert "line 2" in str(refused.value)


def test_names_of_arguments_are_told():
    with pytest.raises(Invalid, match="no name of a build argument: a-b"):
        images("  a: {build: .}\n", **{"a-b": "1"})
