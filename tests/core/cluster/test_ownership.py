"""Who owns which field, as the API server has written it, and how a sentence names it."""

from typing import Any

from core.cluster.ownership import (
    claimed,
    managed_fields,
    owner_of,
    shared_fields,
    shown_fields,
    template_owners,
)

MAIN = 'k:{"name":"main"}'
FOO = 'k:{"name":"FOO"}'


def entry(manager: str, fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "time": "t1", "fieldsV1": fields} | more


def of_containers(fields: dict[str, Any]) -> dict[str, Any]:
    return {"f:spec": {"f:template": {"f:spec": {"f:containers": fields}}}}


def live(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "web", "managedFields": list(entries)}}


OURS = entry("convox-bot", of_containers({MAIN: {".": {}, "f:name": {}, "f:image": {}}}), operation="Apply")
VARIABLE = entry(
    "kubectl-set", of_containers({MAIN: {"f:env": {FOO: {".": {}, "f:name": {}, "f:value": {}}}}})
)


def test_a_status_and_a_count_have_owners_of_another_kind():
    controller = entry("kube-controller-manager", {"f:status": {"f:replicas": {}}}, subresource="status")
    scale = entry("kubectl", {"f:spec": {"f:replicas": {}}}, subresource="scale")
    assert [e.manager for e in managed_fields(live(OURS, controller, scale))] == ["convox-bot"]


def test_only_what_the_bot_applies_is_its_own():
    by_name = entry("convox-bot", of_containers({MAIN: {"f:command": {}}}))
    assert [e.ours for e in managed_fields(live(OURS, by_name))] == [True, False]
    assert [e.manager for e in template_owners(live(OURS, by_name))] == ["convox-bot"]


def test_of_a_template_the_last_writer_comes_first_and_only_with_what_the_bot_does_not_own():
    shared = entry("argocd", of_containers({MAIN: {"f:image": {}}}), time="t9")
    labels = entry("kubectl-label", {"f:metadata": {"f:labels": {"f:x": {}}}}, time="t9")
    restart: dict[str, Any] = {
        "f:spec": {
            "f:template": {"f:metadata": {"f:annotations": {"f:kubectl.kubernetes.io/restartedAt": {}}}}
        }
    }
    later = entry("kubectl-edit", of_containers({MAIN: {"f:command": {}}}), time="t2")
    found = template_owners(live(OURS, shared, labels, entry("kubectl-rollout", restart), VARIABLE, later))
    assert [e.manager for e in found] == ["kubectl-edit", "kubectl-set"]


def test_an_item_that_is_owned_as_a_whole_is_named_once():
    (found,) = template_owners(live(OURS, VARIABLE))
    assert shown_fields(found.fields) == '.spec.template.spec.containers[name="main"].env[name="FOO"]'
    listed: dict[str, Any] = {MAIN: {"f:env": {".": {}, FOO: {".": {}, "f:name": {}, "f:value": {}}}}}
    (found,) = template_owners(live(OURS, entry("kubectl-set", of_containers(listed))))
    assert shown_fields(found.fields) == '.spec.template.spec.containers[name="main"].env[name="FOO"]'


def test_few_fields_are_named_and_the_rest_is_counted():
    finalizer = ("f:metadata", "f:finalizers", 'v:"x"')
    fields = {("f:spec", f"f:{name}") for name in "abcd"} | {finalizer}
    assert shown_fields(fields) == '.metadata.finalizers["x"], .spec.a, .spec.b and 2 more'
    assert shown_fields({("f:spec", "f:env", ".")}) == ".spec.env"


def test_whoever_owns_a_field_is_named_the_last_of_several_and_never_the_bot():
    paused: dict[str, Any] = {"f:spec": {"f:paused": {}}}
    path = ("f:spec", "f:paused")
    both = live(entry("kubectl", paused), entry("argo", paused, time="t2"), entry("", paused, time="t0"))
    assert owner_of(both, path) == "argo"
    assert owner_of(live(entry("convox-bot", paused, operation="Apply")), path) == "somebody"
    assert owner_of(live(entry("", paused)), path) == "somebody"


# Taking fields over (engine rules 45 and 46).

SET_IMAGE = entry("kubectl-set", of_containers({MAIN: {"f:image": {}}}))
STATUS = entry("kube-controller-manager", {"f:status": {"f:replicas": {}}}, subresource="status")
ELSEWHERE = entry("kubectl-patch", {"f:spec": {"f:paused": {}}})


def test_where_nobody_else_owns_anything_of_ours_nothing_is_written():
    assert claimed(live(OURS, STATUS, ELSEWHERE), template=True) is None
    assert claimed(live(OURS, VARIABLE), template=False) is None


def test_what_is_shared_becomes_ours_alone_and_an_owner_of_nothing_goes():
    assert shared_fields(live(OURS, SET_IMAGE)) == {
        ("f:spec", "f:template", "f:spec", "f:containers", MAIN, "f:image")
    }
    assert claimed(live(OURS, SET_IMAGE, STATUS), template=False) == [OURS, STATUS]


def test_a_whole_template_becomes_ours_so_that_leaving_a_field_out_removes_it():
    books = claimed(live(OURS, VARIABLE, ELSEWHERE), template=True)
    assert books is not None
    (mine,) = [e for e in managed_fields({"metadata": {"managedFields": books}}) if e.ours]
    assert (*mine_path(), "f:env", FOO, "f:value") in mine.fields
    assert [b["manager"] for b in books] == ["convox-bot", "kubectl-patch"]
    assert template_owners({"metadata": {"managedFields": books}}) == []


def mine_path() -> tuple[str, ...]:
    return ("f:spec", "f:template", "f:spec", "f:containers", MAIN)


def test_a_restart_by_kubectl_stays_where_it_is():
    note: dict[str, Any] = {"f:annotations": {".": {}, "f:kubectl.kubernetes.io/restartedAt": {}}}
    restart = entry("kubectl-rollout", {"f:spec": {"f:template": {"f:metadata": note}}})
    assert template_owners(live(OURS, restart)) == []
    assert claimed(live(OURS, restart), template=True) is None
