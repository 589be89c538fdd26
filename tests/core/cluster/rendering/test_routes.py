"""The way from outside: an Ingress or an HTTPRoute for what is published, load balancers, and what is told where none comes."""

from typing import Any

import pytest

from core.cluster.rendering.controllers import CONTROLLERS, controller_of
from core.cluster.rendering.routes import route_notes
from core.errors import Invalid
from core.manifest.convox_yml import parse_manifest
from core.records.environment import Environment
from core.records.router import NO_ROUTER, Router
from tests.core.cluster.rendering.samples import bundle, one

NGINX = Router(kind="ingress", name="nginx", domain="apps.example.com", issuer="letsencrypt")
PLAIN = Router(kind="ingress", name="nginx", domain="apps.example.com")
ALB = Router(kind="ingress", name="alb", domain="apps.example.com")
GATEWAY = Router(kind="gateway", name="main", namespace="gateways", domain="apps.example.com")
OTHER = Router(kind="ingress", name="unheard-of", domain="apps.example.com")
WEB = "services:\n  web:\n    port: 3000\n"


def web(keys: str = "", *, port: str = "3000") -> str:
    return f"services:\n  web:\n    port: {port}\n" + "".join(f"    {line}\n" for line in keys.splitlines())


def ingress(text: str, router: Router = NGINX) -> Any:
    return one(bundle(text, router=router), "Ingress")


def annotations(text: str, router: Router = NGINX) -> dict[str, str]:
    found: dict[str, str] = ingress(text, router)["metadata"]["annotations"]
    return found


def notes(text: str, router: Router) -> tuple[str, ...]:
    return route_notes(parse_manifest(text, Environment()), router)


def kinds(text: str, router: Router) -> list[str]:
    return list(dict.fromkeys(ref.kind for ref in bundle(text, router=router).refs))


def test_a_published_service_is_found_by_the_racks_name_for_it_and_by_its_domains():
    found = ingress(web("domain: [www.example.com, web.myapp.apps.example.com]"))

    assert found["spec"]["ingressClassName"] == "nginx"
    assert [rule["host"] for rule in found["spec"]["rules"]] == [
        "web.myapp.apps.example.com",
        "www.example.com",
    ]
    (path,) = found["spec"]["rules"][1]["http"]["paths"]
    assert path["backend"] == {"service": {"name": "web", "port": {"number": 3000}}}
    assert (path["path"], path["pathType"]) == ("/", "Prefix")


def test_a_route_comes_after_the_workloads_and_has_no_release_in_it():
    first = bundle(WEB, router=NGINX)
    other = bundle(WEB, router=NGINX, release="RZZZZZZZZZZ")

    assert [ref.kind for ref in first.refs][-2:] == ["Deployment", "Ingress"]
    assert one(first, "Ingress") == one(other, "Ingress")


@pytest.mark.parametrize("router", [NGINX, GATEWAY])
@pytest.mark.parametrize(
    "text",
    [
        web("internal: true"),
        web("internalRouter: true"),
        "services:\n  web: {ports: [9000]}\n",
        "services:\n  web: {}\n",
    ],
)
def test_what_is_not_published_gets_no_route(text: str, router: Router):
    assert not {"Ingress", "HTTPRoute"} & set(kinds(text, router))


def test_without_a_router_nothing_is_published():
    assert not {"Ingress", "HTTPRoute"} & set(kinds(WEB, NO_ROUTER))


def test_certificates_are_issued_one_for_the_racks_name_and_one_for_the_domains():
    found = ingress(web("domain: www.example.com\ncertificate: {duration: 2160h}"))

    assert found["spec"]["tls"] == [
        {"hosts": ["web.myapp.apps.example.com"], "secretName": "cert-web"},
        {"hosts": ["www.example.com"], "secretName": "cert-web-domains"},
    ]
    notes_of_it = found["metadata"]["annotations"]
    assert notes_of_it["cert-manager.io/cluster-issuer"] == "letsencrypt"
    assert notes_of_it["cert-manager.io/duration"] == "2160h0m0s"
    assert ingress(WEB)["spec"]["tls"] == [
        {"hosts": ["web.myapp.apps.example.com"], "secretName": "cert-web"}
    ]


def test_a_certificate_of_ones_own_is_for_every_name_and_none_is_issued():
    found = ingress(web("domain: www.example.com\ncertificate: {id: ours}"))

    names = ["web.myapp.apps.example.com", "www.example.com"]
    assert found["spec"]["tls"] == [{"hosts": names, "secretName": "ours"}]
    assert "cert-manager.io/cluster-issuer" not in found["metadata"]["annotations"]


def test_without_anybody_who_issues_certificates_it_is_http():
    found = ingress(WEB, PLAIN)

    assert "tls" not in found["spec"]
    assert not any("ssl-redirect" in key for key in found["metadata"]["annotations"])


def test_nginx_is_told_what_convox_tells_it():
    keys = "timeout: 600\nsticky: true\nwhitelist: 10.0.0.0/8, 192.0.2.1\ntls: {redirect: false}"
    prefix = "nginx.ingress.kubernetes.io/"
    told = {k.removeprefix(prefix): v for k, v in annotations(web(keys, port="https:3000")).items()}

    assert told == {
        "affinity": "cookie",
        "backend-protocol": "HTTPS",
        "cert-manager.io/cluster-issuer": "letsencrypt",
        "proxy-connect-timeout": "600",
        "proxy-read-timeout": "600",
        "proxy-send-timeout": "600",
        "session-cookie-name": "CONVOXSESSION",
        "ssl-redirect": "false",
        "whitelist-source-range": "10.0.0.0/8,192.0.2.1/32",
    }


def test_annotations_of_the_manifest_add_to_those_and_change_none():
    keys = "ingressAnnotations:\n- nginx.ingress.kubernetes.io/proxy-read-timeout=1\n- example.com/note=hello"
    told = annotations(web(keys))

    assert told["nginx.ingress.kubernetes.io/proxy-read-timeout"] == "60"
    assert told["example.com/note"] == "hello"


def test_an_application_load_balancer_is_told_the_arn_of_its_certificate():
    arn = "arn:aws:acm:eu-central-1:1:certificate/x"
    found = ingress(web(f"certificate: {{id: '{arn}'}}", port="grpc:3000"), ALB)

    told = found["metadata"]["annotations"]
    assert told["alb.ingress.kubernetes.io/certificate-arn"] == arn
    assert told["alb.ingress.kubernetes.io/ssl-redirect"] == "443"
    assert told["alb.ingress.kubernetes.io/backend-protocol-version"] == "GRPC"
    assert "tls" not in found["spec"], "it reads no Secrets"
    assert "alb.ingress.kubernetes.io/ssl-redirect" not in annotations(
        web(f"certificate: {{id: '{arn}'}}\ntls: {{redirect: false}}"), ALB
    )


@pytest.mark.parametrize("name", CONTROLLERS)
@pytest.mark.parametrize("port", ["3000", "https:3000", "grpc:3000"])
def test_whatever_is_asked_of_a_known_controller_is_text_in_annotations(name: str, port: str):
    router = Router(kind="ingress", name=name, domain="x.example", issuer="letsencrypt")
    keys = "timeout: 90\nsticky: true\ntls: {redirect: true}"
    if controller_of(name).whitelist:
        keys += "\nwhitelist: 10.0.0.0/8"
    told = annotations(web(keys, port=port), router)

    assert any("90" in value for value in told.values()), "the time-out is told to each"
    assert all(isinstance(value, str) and "/" in key for key, value in told.items())


def test_of_a_class_that_nobody_knows_only_the_ingress_itself_is_told():
    assert annotations(web("timeout: 90\nsticky: true"), OTHER) == {}


def test_a_gateway_gets_an_http_route_with_the_same_names_and_the_time_out():
    found = one(bundle(web("domain: www.example.com\ntimeout: 90"), router=GATEWAY), "HTTPRoute")

    assert found["apiVersion"] == "gateway.networking.k8s.io/v1"
    (parent,) = found["spec"]["parentRefs"]
    assert (parent["kind"], parent["namespace"], parent["name"]) == ("Gateway", "gateways", "main")
    assert found["spec"]["hostnames"] == ["web.myapp.apps.example.com", "www.example.com"]
    (rule,) = found["spec"]["rules"]
    assert (rule["backendRefs"][0]["name"], rule["backendRefs"][0]["port"]) == ("web", 3000)
    assert rule["timeouts"] == {"request": "90s"}


@pytest.mark.parametrize(
    ("port", "protocol"), [("3000", None), ("https:3000", "https"), ("grpc:3000", "kubernetes.io/h2c")]
)
def test_a_gateway_is_told_by_the_service_what_a_port_speaks(port: str, protocol: str | None):
    (given,) = one(bundle(web(port=port), router=GATEWAY), "Service")["spec"]["ports"]
    (plain,) = one(bundle(web(port=port)), "Service")["spec"]["ports"]

    assert given.get("appProtocol") == protocol
    assert "appProtocol" not in plain


def test_a_load_balancer_is_a_service_of_its_own_with_convox_name():
    text = (
        "balancers:\n"
        "  edge: {service: web, ports: {80: 3000, 53: {port: 53, protocol: UDP}}, whitelist: [10.0.0.0/8]}\n"
        f"  bare: {{service: web, ports: {{25: 25}}, annotations: [service.beta.kubernetes.io/aws-load-balancer-type=external]}}\n{WEB}"
    )
    found = bundle(text)
    edge, bare = one(found, "Service", "balancer-edge"), one(found, "Service", "balancer-bare")

    assert [ref.name for ref in found.refs if ref.kind == "Service"] == [
        "web",
        "balancer-bare",
        "balancer-edge",
    ]
    assert edge["spec"]["type"] == "LoadBalancer"
    assert edge["spec"]["loadBalancerSourceRanges"] == ["10.0.0.0/8"]
    assert edge["spec"]["selector"] == one(found, "Service", "web")["spec"]["selector"]
    assert edge["spec"]["ports"] == [
        {"name": "port-80", "port": 80, "protocol": "TCP", "targetPort": 3000},
        {"name": "port-53-udp", "port": 53, "protocol": "UDP", "targetPort": 53},
    ]
    assert "loadBalancerSourceRanges" not in bare["spec"]
    kind = "service.beta.kubernetes.io/aws-load-balancer-type"
    assert (edge["metadata"]["annotations"][kind], bare["metadata"]["annotations"][kind]) == (
        "nlb",
        "external",
    )


def test_a_cloud_identity_is_on_an_account_that_the_pods_have():
    found = bundle(web("annotations: ['eks.amazonaws.com/role-arn=arn:aws:iam::1:role/x']"))
    account = one(found, "ServiceAccount")

    assert account["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x"}
    assert account["automountServiceAccountToken"] is False
    pods = one(found, "Deployment")["spec"]["template"]["spec"]
    assert pods["serviceAccountName"] == "web"
    assert one(bundle(WEB), "Deployment")["spec"]["template"]["spec"]["serviceAccountName"] == "default"


def test_without_a_router_it_is_said_once_whom_nobody_outside_reaches():
    text = "balancers:\n  a: {service: lb, ports: {80: 80}}\nservices:\n  lb: {port: 80}\n  web: {port: 1}\n  api: {port: 2}\n  in: {port: 3, internal: true}\n"
    assert notes(text, NO_ROUTER) == (
        "nobody outside of the cluster reaches web, api: this rack has no router",
    )
    assert notes(text, NGINX) == ()


ALL = "domain: x.example\ntimeout: 90\nsticky: true\ntls: {redirect: true}\ncertificate: {id: ours}\ningressAnnotations: [a.b/c=d]"


@pytest.mark.parametrize(
    ("keys", "port", "router", "expected"),
    [
        (ALL, "3000", NGINX, {}),
        (
            ALL,
            "3000",
            NO_ROUTER,
            dict.fromkeys(
                ("domain", "timeout", "sticky", "tls", "certificate", "ingressAnnotations"),
                "this rack has no router",
            ),
        ),
        (
            ALL,
            "3000",
            GATEWAY,
            {
                "sticky": "no HTTPRoute can ask for it",
                "tls": "the listeners of the Gateway say what becomes of http",
                "certificate": "the listeners of the Gateway hold its certificates",
                "ingressAnnotations": "the rack's router is a Gateway, which has no Ingress",
            },
        ),
        (
            ALL,
            "3000",
            OTHER,
            dict.fromkeys(
                ("timeout", "sticky", "tls"), "nothing is known of how ingress class unheard-of is told it"
            ),
        ),
        ("domain: x.example\ninternal: true", "3000", NGINX, {"domain": "the service is internal"}),
        (
            "internalRouter: true",
            "3000",
            NGINX,
            {
                "internalRouter": "this rack has no internal router; inside of the cluster the service is found as web"
            },
        ),
        (
            "certificate: {id: 'arn:aws:x'}",
            "3000",
            NGINX,
            {"certificate": "its id is no name of a Secret"},
        ),
        ("certificate: {id: ours}", "3000", ALB, {"certificate": "its id is no ARN"}),
        (
            "certificate: {duration: 24h}",
            "3000",
            PLAIN,
            {"certificate": "nobody issues certificates here: CONVOX_ISSUER is not set"},
        ),
        ("certificate: {duration: 24h}", "3000", NGINX, {}),
        ("whitelist: 10.0.0.0/8", "3000", NGINX, {}),
        ("whitelist: 10.0.0.0/8\ninternal: true", "3000", OTHER, {"whitelist": "the service is internal"}),
    ],
)
def test_each_key_of_which_nothing_comes_is_told_with_the_reason(
    keys: str, port: str, router: Router, expected: dict[str, str]
):
    told = [note for note in notes(web(keys, port=port), router) if "without effect" in note]
    assert told == [f"{key} of web is without effect: {why}" for key, why in expected.items()]


def test_a_key_of_a_service_without_a_port_has_no_effect():
    assert notes("services:\n  job: {domain: x.example}\n", NGINX) == (
        "domain of job is without effect: the service has no port",
    )


@pytest.mark.parametrize("router", [OTHER, GATEWAY])
def test_a_list_of_addresses_that_could_not_be_kept_is_refused(router: Router):
    text = web("whitelist: 10.0.0.0/8")
    with pytest.raises(Invalid, match="everybody could reach the service"):
        notes(text, router)
    with pytest.raises(Invalid, match="everybody could reach the service"):
        bundle(text, router=router)
