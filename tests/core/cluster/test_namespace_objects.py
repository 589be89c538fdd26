"""What `convox-bot app-manifest APP` prints."""

import pytest
import yaml

from core.cluster.namespace_objects import namespace_objects
from core.errors import Invalid


def test_it_is_a_namespace_and_the_bots_role_in_it():
    text = namespace_objects("convox", "myapp")
    namespace, binding = yaml.safe_load_all(text)
    labels = {"app.kubernetes.io/managed-by": "convox-bot", "convox.com/app": "myapp"}
    assert namespace["metadata"] == {"name": "convox-myapp", "labels": labels}
    assert binding["metadata"] == {"name": "convox-bot", "namespace": "convox-myapp", "labels": labels}
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "convox-bot-app",
    }
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "convox-bot", "namespace": "convox-system"}
    ]
    assert "reads every Secret" in text


def test_rack_service_account_and_bot_namespace_are_the_callers():
    namespace, binding = yaml.safe_load_all(
        namespace_objects("staging", "shop", service_account="bot", bot_namespace="tools")
    )
    assert namespace["metadata"]["name"] == "staging-shop"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "bot", "namespace": "tools"}]


@pytest.mark.parametrize("app", ["on", "no", "null", "y", "e5"])
def test_an_app_may_be_named_as_yaml_names_its_values(app):
    namespace, _ = yaml.safe_load_all(namespace_objects("convox", app))
    assert namespace["metadata"]["labels"]["convox.com/app"] == app


def test_the_bots_own_namespace_is_no_apps():
    with pytest.raises(Invalid, match="convox-system is the namespace of the bot itself"):
        namespace_objects("convox", "system")


def test_a_name_that_is_no_namespace_is_refused():
    with pytest.raises(Invalid, match="too long for a namespace"):
        namespace_objects("r" * 40, "a" * 30)
