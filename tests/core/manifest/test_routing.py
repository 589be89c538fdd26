"""How a service is to be reached, in Convox's forms: domains, certificates, time-outs, address ranges, load balancers."""

import pytest

from core.errors import Invalid
from core.manifest.convox_yml import Manifest, Service, parse_manifest
from core.manifest.route import Balancer, BalancerPort, Route
from core.records.environment import Environment


def read(text: str, **variables: str) -> Manifest:
    return parse_manifest(text, Environment(tuple(variables.items())))


def web(keys: str, **variables: str) -> Service:
    indented = "\n".join(f"    {line}" for line in keys.splitlines())
    return read(f"services:\n  web:\n{indented}\n", **variables).services[0]


def balancers(text: str, services: str = "services:\n  web: {}\n") -> tuple[Balancer, ...]:
    found = read(f"balancers:\n{text}\n{services}")
    return tuple(balancer for service in found.services for balancer in service.balancers)


def said(text: str, **variables: str) -> str:
    with pytest.raises(Invalid) as refused:
        read(text, **variables)
    return str(refused.value.sentence)


def about(keys: str, **variables: str) -> str:
    indented = "\n".join(f"    {line}" for line in keys.splitlines())
    return said(f"services:\n  web:\n{indented}\n", **variables)


def test_without_a_word_about_it_a_route_has_convox_defaults():
    assert web("port: 3000").route == Route(timeout=60, sticky=False, redirect=True)


def test_every_key_of_a_route_is_read():
    route = web(
        """port: 3000
domain: [www.example.com, '*.example.com']
certificate: {id: cert-of-ours, duration: 2160h}
tls: {redirect: false}
sticky: true
timeout: 600
whitelist: 10.0.0.0/8, 192.0.2.7
internalRouter: true
ingressAnnotations: ['nginx.ingress.kubernetes.io/limit-rpm=100']"""
    ).route

    assert route == Route(
        domains=("www.example.com", "*.example.com"),
        certificate="cert-of-ours",
        certificate_hours=2160,
        redirect=False,
        sticky=True,
        timeout=600,
        whitelist=("10.0.0.0/8", "192.0.2.7/32"),
        internal_router=True,
        annotations=(("nginx.ingress.kubernetes.io/limit-rpm", "100"),),
        given=(
            *("domain", "certificate", "tls", "sticky", "timeout"),
            *("whitelist", "internalRouter", "ingressAnnotations"),
        ),
    )


@pytest.mark.parametrize(
    ("written", "domains"),
    [
        ("WWW.example.com", ("www.example.com",)),
        ("a.example.com, b.example.com,", ("a.example.com", "b.example.com")),
        ("[a.example.com, 'b.example.com,a.example.com', '']", ("a.example.com", "b.example.com")),
        ("${NOT_SET}", ()),
        ("${HOST}", ("shop.example.com",)),
    ],
)
def test_domains_are_a_text_with_commas_or_a_list(written: str, domains: tuple[str, ...]):
    assert web(f"domain: {written}", HOST="shop.example.com").route.domains == domains


def test_a_certificate_may_be_its_name_alone():
    assert web("certificate: ours").route.certificate == "ours"
    assert web("certificate: {duration: 24h0m0s}").route.certificate_hours == 24
    assert web("certificate: {}").route == Route()
    assert web("tls: {}").route == Route()


@pytest.mark.parametrize(
    "keys", ["domain: ''", "sticky: false", "whitelist: []", "tls: {}", "certificate: ${NOT_SET}"]
)
def test_a_key_that_asks_for_nothing_counts_as_not_given(keys: str):
    assert web(keys).route.given == ()


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ("domain: https://x.example", "domain of service web is no host name such as www.example.com"),
        ("domain: a_b.example", "is no host name"),
        (f"domain: {'a.' * 127}example", "is no host name"),
        ("domain: [[x]]", "unknown type for service domain"),
        ("domain: {x: y}", "unknown type for service domain"),
        ("timeout: 0", 'timeout of service web must be a whole number from 1 to 86400, not "0"'),
        ("timeout: 60s", "must be a whole number"),
        ("sticky: maybe", "must be true or false"),
        ("tls: {redirect: maybe}", "redirect of tls of service web must be true or false"),
        ("tls: {redirects: true}", 'did you mean "redirect"?'),
        ("certificate: {duration: 90d}", "must be hours such as 2160h, not"),
        ("certificate: {duration: 0h}", "must be hours such as 2160h, not"),
        ("whitelist: 10.0.0.0/40", 'whitelist of service web "10.0.0.0/40" is not a valid cidr range'),
        ("whitelist: {a: b}", "unknown type for service whitelist"),
        ("ingressAnnotations: [novalue]", "invalid annotation format"),
        (
            "internal: true\ninternalRouter: true",
            "service web can not have both internal and internalRouter set as true",
        ),
    ],
)
def test_what_cannot_be_read_says_why(keys: str, sentence: str):
    assert sentence in about(keys)


def test_what_came_out_of_an_environment_is_not_repeated():
    told = about("domain: ${SECRET}\nwhitelist: ${SECRET}", SECRET="hush hush")
    assert "hush" not in told
    assert "${SECRET}" in told


@pytest.mark.parametrize(
    ("keys", "published"),
    [
        ("port: 3000", True),
        ("ports: [3000]", False),
        ("port: 3000\ninternal: true", False),
        ("port: 3000\ninternalRouter: true", False),
    ],
)
def test_what_has_a_port_and_is_not_internal_is_published(keys: str, published: bool):
    assert web(keys).published is published


def test_a_cloud_identity_gives_a_service_its_own_account():
    keys = "annotations: ['eks.amazonaws.com/role-arn=arn:aws:iam::1:role/x', 'example.com/note=hello']"
    assert web(keys).account_annotations == (("eks.amazonaws.com/role-arn", "arn:aws:iam::1:role/x"),)
    assert web("annotations: ['iam.gke.io/gcp-service-account=a@b.example']").account_annotations
    assert web("annotations: ['example.com/note=hello']").account_annotations == ()


def test_a_load_balancer_leads_to_its_service():
    text = """
  edge:
    service: web
    ports:
      80: 3000
      443: {port: 3001}
      53: {port: 5353, protocol: udp}
    whitelist: [10.0.0.0/8, '192.0.2.0/24']
    annotations: ['example.com/kind=internal']
  other: {service: web, ports: {25: 25}, whitelist: 10.0.0.0/8}"""
    assert balancers(text) == (
        Balancer(
            name="edge",
            service="web",
            ports=(
                BalancerPort(source=80, target=3000),
                BalancerPort(source=443, target=3001),
                BalancerPort(source=53, target=5353, protocol="UDP"),
            ),
            whitelist=("10.0.0.0/8", "192.0.2.0/24"),
            annotations=(("example.com/kind", "internal"),),
        ),
        Balancer(
            name="other",
            service="web",
            ports=(BalancerPort(source=25, target=25),),
            whitelist=("10.0.0.0/8",),
        ),
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("  a: {service: web}", "line 2: balancer a has no ports"),
        ("  a: {ports: {80: 80}}", "line 2: balancer a has blank service"),
        ("  a: {service: api, ports: {80: 80}}", "line 2: balancer a refers to unknown service api"),
        (
            "  a: {service: web, ports: {80: 80}, whitelist: [10.0.0.1]}",
            "balancer a whitelist 10.0.0.1 is not a valid cidr range",
        ),
        (
            "  a: {service: web, ports: {80: 80}, whitelist: 10.0.0.1/64}",
            "balancer a whitelist 10.0.0.1/64 is not a valid cidr range",
        ),
        (
            "  a: {service: web, ports: {80: 80}, whitelist: [[x]]}",
            "unknown type for balancer whitelist",
        ),
        ("  A: {service: web, ports: {80: 80}}", "balancer name A invalid, must contain only lowercase"),
        (f"  {'a' * 55}: {{service: web, ports: {{80: 80}}}}", "at most 54 of them"),
        ("  a: {service: web, ports: {x: 80}}", "port x of balancer a: a port is a whole number from 1"),
        ("  a: {service: web, ports: {80: x}}", "port 80 of balancer a must be a whole number from 1"),
        ("  a: {service: web, ports: {80: {protocol: TCP}}}", "has no port of the service to lead to"),
        ("  a: {service: web, ports: {80: {port: 1, protocol: SCTP}}}", "must be TCP or UDP, not"),
        ("  a: {servce: web}", 'unknown key "servce" in balancer a; did you mean "service"?'),
    ],
)
def test_a_load_balancer_that_cannot_be_made_has_convox_texts(text: str, sentence: str):
    assert sentence in said(f"balancers:\n{text}\nservices:\n  web: {{}}\n")


def test_a_load_balancer_and_a_service_cannot_share_an_address():
    told = said(
        "balancers:\n  web: {service: balancer-web, ports: {80: 80}}\nservices:\n  balancer-web: {}\n"
    )
    assert "balancer web and service balancer-web would have one address" in told
