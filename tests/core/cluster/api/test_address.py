"""Every address names what a Role would have to allow: refusals are sentences made of it, whatever was asked for."""

import pytest

from core.cluster.api.address import READYZ, VERSION, Address, discovery, path_of
from core.cluster.kinds import KINDS


@pytest.mark.parametrize(
    ("at", "path", "resource", "called"),
    [
        (
            Address(kind="Deployment", namespace="rack-app", name="web"),
            "/apis/apps/v1/namespaces/rack-app/deployments/web",
            "deployments",
            "Deployment/web",
        ),
        (
            Address(kind="Deployment", namespace="rack-app", name="web", subresource="scale"),
            "/apis/apps/v1/namespaces/rack-app/deployments/web/scale",
            "deployments/scale",
            "Deployment/web",
        ),
        (Address(kind="Namespace"), "/api/v1/namespaces", "namespaces", "namespaces"),
        (READYZ, "/readyz", "readyz", "readyz"),
        (VERSION, "/version", "/version", "/version"),
        (discovery(KINDS["Deployment"].resource), "/apis/apps/v1", "apps/v1", "apps/v1"),
        (
            path_of("/apis/networking.k8s.io/v1/ingressclasses/nginx"),
            "/apis/networking.k8s.io/v1/ingressclasses/nginx",
            "ingressclasses",
            "/apis/networking.k8s.io/v1/ingressclasses/nginx",
        ),
    ],
)
def test_an_address_says_its_path_and_what_a_role_calls_it(
    at: Address, path: str, resource: str, called: str
) -> None:
    assert (at.path, at.resource, str(at)) == (path, resource, called)
