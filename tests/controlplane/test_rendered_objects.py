"""What a release is rendered into is taken by a real API server: every field known, every value valid."""

import json
import secrets
from pathlib import Path

import pytest

from core.cluster.rendering.controllers import CONTROLLERS
from core.manifest.convox_yml import parse_manifest, required
from core.policy.rules import Rules
from core.records.environment import Environment
from core.records.router import Router
from tests.core.cluster.rendering.samples import bundle

EXAMPLES = Path(__file__).parents[2] / "examples"
# Of a registry, which nothing declares.
PASSWORDS = {"PAYMENTS_KEY": "pk"}
EVERYTHING_ALLOWED = Rules(privileged=True, host_paths=True)
MANIFESTS = {
    **{path.stem: path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("*/convox-*.yml"))},
    **{path.parent.name: path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("*/convox.yml"))},
    "everything": """
        balancers:
          edge: {service: web, ports: {80: 3000, 53: {port: 53, protocol: UDP}}, whitelist: [10.0.0.0/8]}
          plain: {service: web, ports: {25: 3000}, annotations: [example.com/note=some words]}
        services:
          web:
            command: bin/web
            port: https:3000
            ports: [9090, 53/udp, 53]
            health: {path: /ready, timeout: 2}
            liveness: {path: /alive}
            startupProbe: {path: /started}
            labels: {example.com/tier: front}
            annotations: [example.com/note=some words]
            scale: {count: 2, limit: {cpu: 500, memory: 600}}
            lifecycle: {preStop: sleep 5, postStart: bin/warm}
            nodeSelectorLabels: {example.com/disk: ssd}
            nodeAffinityLabels: [{weight: 100, label: example.com/zone, value: a}]
            dnsConfig: {ndots: 15}
          known: {annotations: [eks.amazonaws.com/role-arn=arn:aws:iam::1:role/x]}
          rpc: {port: grpc:50051, grpcHealthEnabled: true, liveness: {path: /live, port: 8080}}
          tight: {deployment: {minimum: 100, maximum: 100}}
          grpc: {port: grpc:5051, startupProbe: {tcpSocketPort: 5051}}
          still: {scale: 0, deployment: {minimum: 0, maximum: 100}}
          one: {singleton: true}
          busy: {scale: {count: 2-5, targets: {cpu: 70, memory: 90}}}
        timers:
          nightly: {schedule: 0 4 * * ?, service: web, command: bin/clean --all, concurrency: forbid}
          often: {schedule: "*/5 * * * *", service: still, parallelCount: 3, annotations: [example.com/note=x]}
    """,
    "beside": """
        configs: [{id: app, value: "a: 1"}]
        resources:
          database: {type: postgres, options: {version: 14, storage: 20, cpu: 250, mem: 512}}
          geo: {type: postgis}
          old: {type: mysql}
          other: {type: mariadb}
          store: {type: redis, options: {storage: 2}}
          cache: {type: memcached}
        services:
          web:
            resources: [database, "store:CACHE_URL", cache, geo, old, other]
            volumes: [/data, "shared:/shared", "/var/run/docker.sock:/var/run/docker.sock:ro"]
            volumeOptions:
              - emptyDir: {id: scratch, mountPath: /scratch, medium: Memory}
              - awsEfs: {id: files, accessMode: ReadWriteMany, mountPath: /files, storageClass: efs-sc}
            configMounts: [{id: app, dir: /etc/app, filename: settings}]
            initContainer:
              command: bin/prepare
              configMounts: [{id: app, dir: /etc/app, filename: settings}]
              volumeOptions: [{emptyDir: {id: scratch, mountPath: /scratch}}]
            imagePullSecrets: [regcred, {registry: r.example, username: u, passwordEnv: PAYMENTS_KEY}]
            securityContext: {runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000, runAsNonRoot: true, readOnlyRootFilesystem: true,
              capabilities: {add: [NET_BIND_SERVICE], drop: [ALL]}, seccompProfile: RuntimeDefault}
          agent: {agent: true, ports: [8125/udp], privileged: true}
          surging: {agent: true, port: 8080, health: {path: /up}}
          gpu: {scale: {gpu: {count: 1, vendor: amd}}}
    """,
}


ROUTED = """
    services:
      web:
        port: https:3000
        domain: [www.example.com, '*.example.com']
        certificate: {duration: 2160h}
        sticky: true
        timeout: 600
        tls: {redirect: false}
      own: {port: grpc:3000, certificate: {id: ours}, ingressAnnotations: [example.com/note=some words]}
      plain: {port: 80}
"""
DOMAIN = {"domain": "apps.example.com", "issuer": "letsencrypt"}
ROUTERS = {
    **{name: Router(kind="ingress", name=name, **DOMAIN) for name in (*CONTROLLERS, "unheard-of")},
    "gateway": Router(kind="gateway", name="main", namespace="infra", **DOMAIN),
}


async def take(control_plane, objects):
    """Let the API server judge objects strictly, without keeping them."""
    said = await control_plane.kubectl(
        "apply",
        "--server-side",
        "--dry-run=server",
        "--validate=strict",
        "--field-manager=convox-bot",
        "-f-",
        stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}),
    )
    assert len(said.splitlines()) == len(objects)


@pytest.mark.parametrize("router", ROUTERS.values(), ids=ROUTERS)
async def test_routes_are_accepted_with_strict_validation(
    router: Router, control_plane, app_namespace, gateway_api
):
    app = f"app-{secrets.token_hex(3)}"
    await app_namespace(app)
    await take(control_plane, bundle(ROUTED, app=app, router=router).objects)


@pytest.mark.parametrize("name", MANIFESTS)
async def test_rendered_objects_are_accepted_with_strict_validation(name: str, control_plane, app_namespace):
    app = f"app-{secrets.token_hex(3)}"
    await app_namespace(app)
    # No more: a variable that is set stands for the resource that would give it.
    needed = required(parse_manifest(MANIFESTS[name], Environment(), complete=False).services, Environment())
    given = {**dict.fromkeys(needed, "made-up"), **PASSWORDS}
    objects = bundle(MANIFESTS[name], app=app, environment=given, rules=EVERYTHING_ALLOWED).objects
    await take(control_plane, objects)


async def test_applying_the_same_bundle_again_makes_no_new_generation(control_plane, app_namespace):
    app = f"app-{secrets.token_hex(3)}"
    namespace = await app_namespace(app)
    objects = bundle(MANIFESTS["everything"], app=app).objects
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    for _ in range(2):
        await control_plane.kubectl(
            "apply", "--server-side", "--field-manager=convox-bot", "-f-", stdin=document
        )

    listed = await control_plane.kubectl("get", "deployments", f"-n{namespace}", "-ojson")
    generations = {
        item["metadata"]["name"]: item["metadata"]["generation"] for item in json.loads(listed)["items"]
    }
    del generations["busy"]  # its autoscaler has set a count
    assert set(generations.values()) == {1}, generations
