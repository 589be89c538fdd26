"""The Helm chart: it is what `kubectl apply -k deploy/` applies, and its values are checked before anything is."""

import gzip
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from bot.api.openapi.operation import ApiAccess
from bot.api.openapi.operations import OPERATIONS
from tests.tools.programs import needed

DEPLOY = Path(__file__).parents[1] / "deploy"
CHART = DEPLOY / "chart"
# What Helm's users look for on every object and Kustomize's do without.
ADDED = {"app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart"}
EVERYTHING = ("selfService=true", "builds.enabled=true")

Document = dict[str, Any]


def helm(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([needed("helm"), *words], capture_output=True, text=True, check=False)


def rendered(*values: str, namespace: str = "convox-system") -> list[Document]:
    # A later `--set` would not win over a file.
    given = any(value.startswith("policy=") for value in values)
    policy = [] if given else [f"--set-file=policy={DEPLOY / 'policy.yaml'}"]
    words = [word for value in values for word in ("--set", value)]
    done = helm("template", "convox-bot", str(CHART), "-n", namespace, *policy, *words)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def refused(*values: str, namespace: str = "convox-system") -> str:
    words = [word for value in values for word in ("--set", value)]
    done = helm("template", "convox-bot", str(CHART), "-n", namespace, "--set", "policy=x", *words)
    assert done.returncode, done.stdout
    return done.stderr


def of_kind(documents: list[Document], kind: str, name: str = "convox-bot") -> Document:
    (found,) = [each for each in documents if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def plain() -> list[Document]:
    """Return what the manifests beside the chart are, as Kustomize puts them together."""
    kustomization = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())
    names = [*kustomization["resources"], "self-service.yaml", "builds.yaml"]
    found = [each for name in names for each in yaml.safe_load_all((DEPLOY / name).read_text())]
    (image,), (policy,) = kustomization["images"], kustomization["configMapGenerator"]
    (container,) = of_kind(found, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == image["name"]
    container["image"] = f"{image['newName']}:{image['newTag']}"
    about = {"name": policy["name"], "namespace": policy["namespace"]}
    data = {name: (DEPLOY / name).read_text() for name in policy["files"]}
    return [*found, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": data}]


def comparable(documents: list[Document]) -> dict[tuple[str, str, str], Document]:
    """Return each object by its name, without what only one of the two ways to install needs."""
    found = {}
    for document in documents:
        about = document["metadata"]
        # Helm does not make the namespace of its own release.
        if (document["kind"], about["name"]) == ("Namespace", "convox-system"):
            continue
        kept = about["name"] == "convox-builds"
        labels = {key: value for key, value in about.get("labels", {}).items() if kept or key not in ADDED}
        named = {"app.kubernetes.io/name", "app.kubernetes.io/part-of"}
        about["labels"] = {key: value for key, value in labels.items() if key not in named}
        about.pop("annotations", None)
        if document["kind"] == "Deployment":
            document["spec"]["template"]["metadata"].pop("annotations", None)
            (container,) = document["spec"]["template"]["spec"]["containers"]
            container.pop("imagePullPolicy", None)
        found[document["kind"], about.get("namespace", ""), about["name"]] = document
    return found


def test_the_chart_applies_what_the_plain_manifests_apply_and_nothing_else():
    ours, theirs = comparable(rendered(*EVERYTHING)), comparable(plain())

    assert ours.keys() == theirs.keys()
    for key, document in theirs.items():
        assert ours[key] == document, key


def test_without_a_word_nothing_optional_is_applied():
    kinds = [each["kind"] for each in rendered()]

    assert sorted(kinds) == sorted(
        [
            "ServiceAccount",
            "ClusterRole",
            "ConfigMap",
            "PersistentVolumeClaim",
            "Deployment",
            "Service",
            "NetworkPolicy",
        ]
    )


def test_helm_lint_finds_nothing():
    done = helm("lint", "--strict", str(CHART), f"--set-file=policy={DEPLOY / 'policy.yaml'}")

    assert done.returncode == 0, done.stdout
    assert "0 chart(s) failed" in done.stdout
    assert "WARNING" not in done.stdout + done.stderr


def test_the_chart_and_the_bot_have_one_version():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    (version,) = re.findall(
        r'^version = "(.+)"$', (DEPLOY.parent / "pyproject.toml").read_text(), re.MULTILINE
    )

    assert (chart["version"], str(chart["appVersion"])) == (version, version)


def test_every_value_is_described_and_every_default_is_one():
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    Draft7Validator.check_schema(schema)

    assert list(Draft7Validator(schema).iter_errors(values)) == []
    assert values.keys() == schema["properties"].keys() - {"global"}
    for name, part in schema["properties"].items():
        assert part["description"], name
        if "properties" in part:
            assert values[name].keys() == part["properties"].keys(), name


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("nonsense=1", "additional properties 'nonsense' not allowed"),
        ("rack=Convox", "at '/rack'"),
        ("router=nginx", "at '/router'"),
        ("image.digest=latest", "at '/image/digest'"),
        ("persistence.size=much", "at '/persistence/size'"),
        ("env[0].name=lower", "at '/env/0/name'"),
        ("builds.notInternal[0]=fd00", "at '/builds/notInternal/0'"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_name(value: str, said: str):
    assert said in refused(value)


def test_what_cannot_work_is_refused_with_the_reason():
    assert "--set-file policy=policy.yaml" in refused("policy=")
    assert "names convox-bot in convox-system" in refused("selfService=true", namespace="elsewhere")
    assert "the Secret with the certificate" in refused("ingress.enabled=true", "ingress.host=h")
    assert "under which name" in refused("ingress.enabled=true", "ingress.tlsSecret=s")


def test_another_rack_has_its_own_builds_and_its_own_fence():
    found = rendered(*EVERYTHING, "rack=staging", "builds.registry=registry.example.com/apps")
    text = yaml.safe_dump_all(found)

    assert "convox-builds" not in text.replace("name: convox-builds", "")
    fence = of_kind(found, "ValidatingAdmissionPolicy", "convox-bot-self-service")
    assert 'startsWith("staging-")' in str(fence)
    (container,) = of_kind(found, "Deployment")["spec"]["template"]["spec"]["containers"]
    said = {each["name"]: each["value"] for each in container["env"]}
    assert said["CONVOX_RACK"] == "staging"
    assert said["CONVOX_REGISTRY"] == "registry.example.com/apps"
    assert said["CONVOX_BUILD_ADDRESS"] == "http://convox-bot.convox-system:3001"


def test_builds_of_a_list_without_ipv6_reach_nothing_by_it():
    found = rendered("builds.enabled=true", "builds.notInternal={10.0.0.0/8,203.0.113.0/24}")

    (world,) = [
        rule["to"]
        for rule in of_kind(found, "NetworkPolicy", "builds")["spec"]["egress"]
        if {"port": 443} in rule["ports"]
    ]
    assert world == [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "203.0.113.0/24"]}}]


def test_another_namespace_is_the_bots_everywhere():
    found = rendered("builds.enabled=true", namespace="elsewhere")

    assert "convox-system" not in yaml.safe_dump_all(found)
    binding = of_kind(found, "RoleBinding", "convox-bot-builds")
    assert binding["subjects"][0]["namespace"] == "elsewhere"


def test_a_changed_policy_restarts_the_bot_and_an_uninstall_leaves_the_database():
    def template(*values: str) -> Document:
        return of_kind(rendered(*values), "Deployment")["spec"]["template"]

    assert template() == template()
    assert template()["metadata"] != template("policy=members: []")["metadata"]
    claim = of_kind(rendered(), "PersistentVolumeClaim")
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_the_ingress_has_a_certificate_leads_to_what_asks_for_a_token_and_lets_slack_reach_its_path_alone():
    where = ("ingress.enabled=true", "ingress.host=bot.example.com", "ingress.tlsSecret=bot-tls")
    spec = of_kind(rendered(*where, "ingress.slackHost=slack.example.com"), "Ingress")["spec"]

    assert spec["tls"] == [{"secretName": "bot-tls", "hosts": ["bot.example.com", "slack.example.com"]}]
    places = {
        (rule["host"], path["path"], path["pathType"], path["backend"]["service"]["port"]["name"])
        for rule in spec["rules"]
        for path in rule["http"]["paths"]
    }
    inside = {"/metrics", "/readyz"}
    outside = {f"/{each.path.split('/')[1]}" for each in OPERATIONS} - inside
    assert {each.path for each in OPERATIONS if each.access is ApiAccess.OPEN} == {"/healthz", *inside}
    assert places == {
        *(("bot.example.com", path, "Prefix", "api") for path in outside),
        ("slack.example.com", "/slack/events", "Exact", "slack"),
    }


def merged(base: Any, patch: Any) -> Any:
    """Return what Kustomize makes of a patch: objects by key, lists of named things by name."""
    if isinstance(base, dict) and isinstance(patch, dict):
        return base | {key: merged(base.get(key), value) for key, value in patch.items()}
    if isinstance(base, list) and all(isinstance(each, dict) and "name" in each for each in [*base, *patch]):
        known = {each["name"]: each for each in base}
        return list(
            (known | {each["name"]: merged(known.get(each["name"]), each) for each in patch}).values()
        )
    return patch


def test_tls_of_the_chart_and_of_the_patch_are_the_same():
    ours = of_kind(rendered("tls.secretName=convox-bot-tls"), "Deployment")
    theirs = merged(of_kind(plain(), "Deployment"), yaml.safe_load((DEPLOY / "tls.yaml").read_text()))

    (key,) = comparable([ours])
    assert comparable([ours])[key] == comparable([theirs])[key]
    container = ours["spec"]["template"]["spec"]["containers"][0]
    probes = [
        container[name]["httpGet"]["scheme"] for name in ("startupProbe", "livenessProbe", "readinessProbe")
    ]
    assert probes == ["HTTPS"] * 3
    built = rendered("tls.secretName=x", "builds.enabled=true", "builds.registry=registry.example/apps")
    env = of_kind(built, "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "CONVOX_BUILD_ADDRESS", "value": "https://convox-bot.convox-system:3001"} in env


def test_what_a_pod_may_be_told_arrives():
    found = rendered(
        "image.digest=sha256:" + "0" * 64,
        "image.pullSecrets={pull}",
        "tolerations[0].operator=Exists",
        "nodeSelector.disk=ssd",
        "priorityClassName=high",
        "podAnnotations.a=b",
        "persistence.existingClaim=mine",
        "networkPolicy.from[0].podSelector.matchLabels.ci=yes",
        "env[0].name=CONVOX_COMMAND",
        "env[0].value=/deploy",
    )
    pod = of_kind(found, "Deployment")["spec"]["template"]["spec"]

    assert pod["containers"][0]["image"] == "registry.example.com/convox-bot@sha256:" + "0" * 64
    assert pod["containers"][0]["env"][-1] == {"name": "CONVOX_COMMAND", "value": "/deploy"}
    assert pod["imagePullSecrets"] == [{"name": "pull"}]
    assert pod["tolerations"][-1] == {"operator": "Exists"}
    assert (pod["nodeSelector"], pod["priorityClassName"]) == ({"disk": "ssd"}, "high")
    assert pod["volumes"][0]["persistentVolumeClaim"] == {"claimName": "mine"}
    assert not [each for each in found if each["kind"] == "PersistentVolumeClaim"]
    (api, _) = of_kind(found, "NetworkPolicy")["spec"]["ingress"]
    assert api["from"] == [{"podSelector": {"matchLabels": {"ci": "yes"}}}]


def strict(schema: Any) -> Any:
    """Return the schema of a kind so that a key which the API server would drop in silence is refused."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    # A property may itself be called `properties`; only a schema has a type.
    return made | {"additionalProperties": False} if "properties" in made and made.get("type") else made


def test_prometheus_operator_takes_what_it_is_to_scrape_and_the_rules_that_are_tested():
    monitored = ("monitoring.serviceMonitor.enabled=true", "monitoring.rules.enabled=true")
    found = rendered(*monitored, "monitoring.serviceMonitor.labels.release=prometheus")
    # Of the CustomResourceDefinitions of v0.85.0, without their descriptions.
    schemas = json.loads(
        gzip.decompress((Path(__file__).parent / "prometheus_operator.json.gz").read_bytes())
    )
    monitor, rules = (of_kind(found, kind) for kind in ("ServiceMonitor", "PrometheusRule"))
    for each in (monitor, rules):
        judge = Draft7Validator(strict(schemas[each["kind"]]["properties"]["spec"]))
        assert list(judge.iter_errors(each["spec"])) == []
        assert list(judge.iter_errors(each["spec"] | {"typo": 1}))

    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    service = of_kind(found, "Service")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}
    private = "monitoring.serviceMonitor.tlsConfig.ca.secret"
    by_tls = rendered(*monitored, "tls.secretName=bot-tls", f"{private}.name=ca", f"{private}.key=ca.crt")
    endpoint = of_kind(by_tls, "ServiceMonitor")["spec"]["endpoints"][0]
    assert (
        list(
            Draft7Validator(strict(schemas["ServiceMonitor"]["properties"]["spec"])).iter_errors(
                of_kind(by_tls, "ServiceMonitor")["spec"]
            )
        )
        == []
    )
    assert endpoint["scheme"] == "https"
    assert endpoint["tlsConfig"] == {
        "serverName": "convox-bot.convox-system",
        "ca": {"secret": {"name": "ca", "key": "ca.crt"}},
    }
    assert rules["spec"] == yaml.safe_load((DEPLOY / "monitoring/alerts.yaml").read_text())
