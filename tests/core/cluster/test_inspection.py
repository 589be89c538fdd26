"""What the bot may do in a namespace: read of one answer, and asked one by one where that does not say all."""

from typing import Any

import pytest

from core.cluster.inspection import AccessRight, ClusterInspector, grants, rights_of_builds
from core.errors import Rejected
from core.records.router import NO_ROUTER

GET_LOGS = AccessRight("get", "", "pods/log")
GET_SPACE = AccessRight("get", "", "namespaces")


def rule(verbs="get", groups="", resources="pods/log", names=()):
    return {
        "verbs": verbs.split(","),
        "apiGroups": groups.split(","),
        "resources": resources.split(","),
        "resourceNames": list(names),
    }


@pytest.mark.parametrize(
    ("given", "right", "granted"),
    [
        (rule(), GET_LOGS, True),
        (rule(verbs="*", groups="*", resources="*"), GET_LOGS, True),
        (rule(resources="*/log"), GET_LOGS, True),
        (rule(resources="pods"), GET_LOGS, False),
        (rule(resources="*/log"), AccessRight("get", "", "pods"), False),
        (rule(verbs="list,watch"), GET_LOGS, False),
        (rule(groups="apps"), GET_LOGS, False),
        (rule(names=["one"]), GET_LOGS, False),
        (rule(resources="namespaces", names=["convox-myapp"]), GET_SPACE, True),
        (rule(resources="namespaces", names=["convox-other"]), GET_SPACE, False),
        ({}, GET_LOGS, False),
    ],
)
def test_a_rule_gives_what_rbac_lets_it_give(given, right, granted):
    assert grants(given, right, "convox-myapp") == granted


class Answering:
    """The client of an API server that lists some rules, and says to each single question the same."""

    def __init__(self, rules, *, incomplete=False, allowed=False, who=None):
        self.status = {"resourceRules": rules, "incomplete": incomplete}
        self.allowed = allowed
        self.who = who
        self.asked = []

    async def create(self, _at, body):
        self.asked.append(body["kind"])
        if body["kind"] == "SelfSubjectReview":
            if self.who is None:
                raise Rejected("the cluster is of before 1.28")
            return {"status": {"userInfo": {"username": self.who}}}
        listing = body["kind"] == "SelfSubjectRulesReview"
        return {"status": self.status if listing else {"allowed": self.allowed}}

    async def missing(self):
        client: Any = self
        return await ClusterInspector(client, rack="convox", router=NO_ROUTER).missing_for_builds()


@pytest.mark.parametrize(("who", "said"), [("alice", "alice"), (None, "")])
async def test_who_the_bot_is_to_the_cluster_is_told_where_it_says_so(who, said):
    client: Any = Answering([], who=who)
    assert await ClusterInspector(client, rack="convox", router=NO_ROUTER).identity() == said


async def test_rights_are_read_of_one_answer_where_that_says_all():
    everything = Answering([rule(verbs="*", groups="*", resources="*")])
    assert (await everything.missing(), everything.asked) == ((), ["SelfSubjectRulesReview"])
    nothing = Answering(None)
    assert (await nothing.missing(), len(nothing.asked)) == (rights_of_builds(), 1)


@pytest.mark.parametrize("allowed", [True, False])
async def test_what_a_list_does_not_say_is_asked_one_by_one(allowed):
    jobs = sum(right.group == "batch" for right in rights_of_builds())
    half = Answering([rule(verbs="*", groups="batch", resources="jobs")], incomplete=True, allowed=allowed)
    missing = await half.missing()
    assert len(half.asked) == 1 + len(rights_of_builds()) - jobs
    assert bool(missing) != allowed
    assert not {right for right in missing if right.group == "batch"}
