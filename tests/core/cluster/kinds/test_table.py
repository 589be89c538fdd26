"""A kind of object is one file and one line of the table: whoever else has to know something of it asks there."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from core.cluster import bundling
from core.cluster.kinds import FOLLOWED, KINDS, MANAGED, POD_OWNERS, WORKLOADS, followed
from core.cluster.kinds.kind import Json, Kind, ManagedKind
from core.cluster.rendering.input import RenderInput
from core.records.bundle import Ref
from core.records.router import Router
from core.records.traits import Traits
from tests.core.cluster.rendering.samples import bundle

CORE = Path(__file__).parents[4] / "core"
HERE = CORE / "cluster" / "kinds"
EVERYTHING = """
resources:
  database: {type: postgres}
services:
  web: {port: 3000, scale: 1-2, annotations: [eks.amazonaws.com/role-arn=x]}
  agent: {agent: true}
timers:
  yearly: {schedule: "0 0 1 1 *", service: web}
"""
MANIFEST = "services:\n  web: {port: 3000}\n  worker:\n"
# No bundle holds routes of both.
ROUTERS = (
    Router(kind="ingress", name="nginx", domain="apps.example.com"),
    Router(kind="gateway", name="main", namespace="infra", domain="apps.example.com"),
)


def constants(tree: ast.AST) -> Iterator[str]:
    """Yield every text that stands in code, but for what a module says it exports."""
    if isinstance(tree, ast.Assign) and any(getattr(t, "id", "") == "__all__" for t in tree.targets):
        return
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        yield tree.value
    for child in ast.iter_child_nodes(tree):
        yield from constants(child)


def test_no_module_outside_the_table_names_a_kind():
    """A kind alone, or a ref such as `Deployment/web`; a sentence may speak of one."""
    names = set(KINDS)
    named = {
        str(file.relative_to(CORE)): found
        for file in sorted(CORE.rglob("*.py"))
        if HERE not in file.parents
        and (
            found := {
                text
                for text in constants(ast.parse(file.read_text(encoding="utf-8")))
                if text in names or (text.partition("/")[0] in names and " " not in text)
            }
        )
    }
    assert named == {}


def test_every_file_is_one_kind_and_stands_in_the_table():
    told: dict[str, str] = {}
    for file in sorted(HERE.glob("*.py")):
        module = import_module(f"core.cluster.kinds.{file.stem}")
        own = [v for k, v in vars(module).items() if isinstance(v, Kind) and k == file.stem.upper()]
        told |= {kind.name: file.stem for kind in own}
    assert told.keys() == KINDS.keys()
    assert len(list(HERE.glob("*.py"))) == len(KINDS) + len({"__init__", "kind", "phrases"})


def test_no_two_kinds_share_a_name_or_a_place():
    assert len({kind.resource for kind in KINDS.values()}) == len(KINDS)
    assert all(kind.name == name == str(kind) for name, kind in KINDS.items())


def test_a_bundle_holds_managed_kinds_in_the_order_of_the_table():
    seen: set[str] = set()
    for router in ROUTERS:
        found = bundle(EVERYTHING, router=router)
        kinds = list(dict.fromkeys(ref.kind for ref in found.refs))
        assert kinds == [kind for kind in MANAGED if kind in kinds]
        for document in found.objects:
            assert document["apiVersion"] == KINDS[document["kind"]].resource.api_version
        seen |= set(kinds)
    assert seen == MANAGED.keys(), "a manifest has objects of every kind"


def test_a_kind_is_given_the_whole_manifest_and_a_workload_only_the_services_that_run_as_it(
    monkeypatch: pytest.MonkeyPatch,
):
    seen: dict[str, RenderInput] = {}

    def noted(kind: ManagedKind) -> ManagedKind:
        def render(given: RenderInput) -> Iterator[Json]:
            seen[kind.name] = given
            # An object of no service: one of the manifest itself.
            yield {"kind": kind.name, "metadata": {"name": f"of-{len(given.manifest.services)}"}}

        return replace(kind, render=render)

    table = {name: noted(kind) for name, kind in MANAGED.items()}
    monkeypatch.setattr(bundling, "MANAGED", table)
    monkeypatch.setattr(bundling, "workload_of", lambda _service: table["Deployment"])
    found = bundle(MANIFEST)
    assert [str(ref) for ref in found.refs] == [f"{kind}/of-2" for kind in MANAGED]
    for kind, given in seen.items():
        run = ["web", "worker"] if kind == "Deployment" or kind not in WORKLOADS else []
        assert [s.name for s in given.services] == run
        assert [s.name for s in given.manifest.services] == ["web", "worker"]


def test_every_service_is_run_by_one_workload_of_its_bundle():
    found = bundle(MANIFEST)
    assert [s.workload for s in found.services] == [Ref("Deployment", "web"), Ref("Deployment", "worker")]
    assert [ref for ref in found.refs if ref.kind in WORKLOADS] == [s.workload for s in found.services]


@pytest.mark.parametrize("kind", MANAGED.values(), ids=str)
def test_what_the_bot_applies_it_may_read_make_change_and_remove(kind: Kind):
    assert kind.rights[""] >= {"get", "create", "patch"}
    traits = MANAGED[kind.name].traits
    assert ("delete" in kind.rights[""]) == (traits.pruned or traits.removed), "data is not ours to delete"
    assert ("scale" in kind.rights) == MANAGED[kind.name].traits.counted, "a count is set through /scale"


@pytest.mark.parametrize("kind", [k for k in KINDS.values() if k.follow], ids=str)
def test_what_is_followed_may_be_listed_and_watched(kind: Kind):
    assert kind.rights[""] >= {"list", "watch"}


def test_a_verdict_rests_on_workloads_on_what_makes_their_pods_and_on_the_pods():
    judged = {kind for kind, how in FOLLOWED.items() if how.judged}
    assert judged == {*WORKLOADS, *POD_OWNERS, *(k.revision.name for k in WORKLOADS.values()), "Pod"}
    assert {kind for kind, how in FOLLOWED.items() if how.fresh} == judged


def test_changes_are_told_of_an_object_before_its_parts_and_of_events_before_pods():
    assert list(FOLLOWED) == [
        *("StatefulSet", "DaemonSet", "Deployment", "ReplicaSet", "ControllerRevision", "Event", "Pod")
    ]


def test_of_the_workload_kinds_only_those_that_an_app_has_are_followed():
    """A watch costs the API server, and a start waits for all of them."""
    common = ["Event", "Pod"]
    assert (
        list(followed([]))
        == list(followed([Ref("Deployment", "web")]))
        == ["Deployment", "ReplicaSet", *common]
    )
    assert list(followed([Ref("DaemonSet", "dd"), Ref("Secret", "x")])) == [
        "DaemonSet",
        "ControllerRevision",
        *common,
    ]
    assert list(followed(Ref(kind, "x") for kind in WORKLOADS)) == list(FOLLOWED)


@pytest.mark.parametrize(
    ("kind", "traits"),
    [
        ("Secret", Traits(counted=False, pruned=False, removed=True, after_verdict=False)),
        ("Service", Traits(counted=False, pruned=True, removed=True, after_verdict=False)),
        ("Deployment", Traits(counted=True, pruned=True, removed=True, after_verdict=False)),
        ("DaemonSet", Traits(counted=False, pruned=True, removed=True, after_verdict=False)),
        ("StatefulSet", Traits(counted=False, pruned=True, removed=True, after_verdict=False)),
        ("PersistentVolumeClaim", Traits(counted=False, pruned=False, removed=False, after_verdict=False)),
        ("PodDisruptionBudget", Traits(counted=False, pruned=True, removed=True, after_verdict=False)),
        (
            "HorizontalPodAutoscaler",
            Traits(counted=False, pruned=True, removed=True, after_verdict=True, scales=True),
        ),
        ("CronJob", Traits(counted=False, pruned=True, removed=True, after_verdict=True, suspended=True)),
    ],
)
def test_what_becomes_of_the_objects_of_a_kind(kind: str, traits: Traits):
    assert MANAGED[kind].traits == traits


def test_a_rollout_waits_for_workloads_only_so_only_they_are_asked_what_they_lack():
    assert {name for name, kind in MANAGED.items() if hasattr(kind, "unready")} == set(WORKLOADS)
