"""What another release changes: told by names and paths, never by a value."""

from typing import Any

from core.lifecycle.release_diff import MOST_FIELDS, ReleaseSide, release_diff
from core.records.build import Build
from core.records.bundle import Bundle, Ref
from core.records.environment import Environment
from core.records.release import Release
from tests.core.world import ALICE
from tests.fakes import START


def side(
    number: int,
    *objects: dict[str, Any],
    image: str = "r.example/web:1",
    text: str = "a\n",
    sha: str = "",
    **env: str,
):
    build = Build(
        id=f"B{number}",
        app="myapp",
        manifest=text,
        images={"web": image} if image else {},
        description="",
        git_sha=sha,
        repository="https://github.com/shop/web",
        release=f"RNUMBER{number}",
        started_at=START,
        ended_at=START,
        created_by=ALICE,
    )
    release = Release(
        id=f"RNUMBER{number}",
        app="myapp",
        sequence=number,
        build=build.id,
        environment=Environment(tuple(env.items())),
        description="",
        created_at=START,
        created_by=ALICE,
    )
    bundle = Bundle(release=release.id, app="myapp", objects=objects, services=(), digest="")
    return ReleaseSide(release=release, build=build, bundle=bundle)


def document(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name}, "spec": spec}


def test_builds_images_variables_and_the_manifest_are_compared():
    found = release_diff(
        side(1, A="1", B="1", C="1", text="port: 1\n"),
        side(2, A="1", B="hush", D="1", text="port: 2\n", image="r.example/web:2"),
    )
    assert found.builds == ("B1", "B2")
    assert found.images == {"web": ("r.example/web:1", "r.example/web:2")}
    assert str(found.environment) == "add:D change:B remove:C"
    assert found.manifest == ("@@ -1 +1 @@", "-port: 1", "+port: 2")
    assert "hush" not in repr(found)


def test_the_source_of_another_build_is_compared_on_its_page():
    found = release_diff(side(1, sha="0" * 40), side(2, sha="1" * 40))
    assert found.shas == ("0" * 40, "1" * 40)
    assert found.page is not None
    assert found.page.url == f"https://github.com/shop/web/compare/{'0' * 40}...{'1' * 40}"

    same = side(1, sha="0" * 40)
    assert release_diff(same, same).page is None


def test_objects_are_compared_field_by_field_and_the_id_of_a_release_is_no_difference():
    old = document("Deployment", "web", labels={"release": "RNUMBER1"}, image="a", ports=[1, 2], only="x")
    new = document("Deployment", "web", labels={"release": "RNUMBER2"}, image="b", ports=[1, 3], more="y")
    found = release_diff(
        side(1, old, document("Service", "gone")),
        side(
            2,
            new,
            document("Service", "come"),
            {**document("Secret", "env-web-rnumber2"), "data": {"A": "hush"}},
        ),
        (Ref("Service", "gone"),),
    )
    assert found.changed == {
        Ref("Deployment", "web"): ("spec.image", "spec.more", "spec.only", "spec.ports[1]")
    }
    assert (found.added, found.removed) == ((Ref("Service", "come"),), (Ref("Service", "gone"),))
    assert found.pruned == (Ref("Service", "gone"),)


def test_a_list_of_another_length_is_one_field_and_a_rewritten_object_names_only_so_many():
    old = document("Deployment", "web", ports=[1], **{f"k{n}": 1 for n in range(99)})
    new = document("Deployment", "web", ports=[1, 2], **{f"k{n}": 2 for n in range(99)})
    (fields,) = release_diff(side(1, old), side(2, new)).changed.values()
    assert len(fields) == MOST_FIELDS
    (fields,) = release_diff(
        side(1, document("Service", "web", ports=[1])), side(2, document("Service", "web", ports=[1, 2]))
    ).changed.values()
    assert fields == ("spec.ports",)


def test_a_release_without_a_build_has_nothing_that_would_run():
    after = side(2, document("Service", "web"))
    before = ReleaseSide(release=side(1).release, build=None, bundle=None)
    found = release_diff(before, after)
    assert found.images == {"web": ("", "r.example/web:1")}
    assert found.added == (Ref("Service", "web"),)
    assert found.manifest == ("@@ -0,0 +1 @@", "+a")


def test_the_same_release_differs_in_nothing():
    same = side(1, document("Service", "web", ports=[1]))
    found = release_diff(same, same)
    assert (found.images, len(found.environment), found.manifest, found.changed) == ({}, 0, (), {})
