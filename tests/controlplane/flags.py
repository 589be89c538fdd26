"""The command lines of the control plane's four programs: functions of values, so that starting is only starting."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Health is asked without a token; everything else needs one.
_OPEN_PATHS = "--authorization-always-allow-paths=/healthz,/readyz,/livez"


@dataclass(frozen=True, slots=True)
class Ports:
    etcd: int
    peer: int
    apiserver: int
    controllers: int
    scheduler: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie in the state directory."""

    state: Path

    @property
    def certificate(self) -> Path:
        return self.state / "tls.crt"

    @property
    def key(self) -> Path:
        return self.state / "tls.key"

    @property
    def signing_key(self) -> Path:
        """What signs the tokens of ServiceAccounts."""
        return self.state / "service-accounts.key"

    @property
    def tokens(self) -> Path:
        return self.state / "tokens.csv"

    def kubeconfig(self, who: str) -> Path:
        return self.state / f"{who}.kubeconfig"

    def log(self, program: str) -> Path:
        return self.state / f"{program}.log"


Arguments = Callable[[Layout, Ports], list[str]]


def etcd(layout: Layout, ports: Ports) -> list[str]:
    client, peer = f"http://127.0.0.1:{ports.etcd}", f"http://127.0.0.1:{ports.peer}"
    return [
        "--name=n0",
        f"--data-dir={layout.state / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=n0={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def apiserver(layout: Layout, ports: Ports) -> list[str]:
    return [
        f"--etcd-servers=http://127.0.0.1:{ports.etcd}",
        "--bind-address=127.0.0.1",
        # Without it the server ends where there is no default route ("Unable to find suitable network address").
        "--advertise-address=127.0.0.1",
        f"--secure-port={ports.apiserver}",
        f"--tls-cert-file={layout.certificate}",
        f"--tls-private-key-file={layout.key}",
        f"--cert-dir={layout.state / 'apiserver'}",
        "--authorization-mode=RBAC",
        f"--token-auth-file={layout.tokens}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={layout.signing_key}",
        f"--service-account-signing-key-file={layout.signing_key}",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--endpoint-reconciler-type=none",
        "--allow-privileged=true",
        "--enable-priority-and-fairness=false",
        "--kubelet-preferred-address-types=InternalIP",
        "--v=1",
    ]


def controller_manager(layout: Layout, ports: Ports) -> list[str]:
    return [
        f"--kubeconfig={layout.kubeconfig('admin')}",
        "--bind-address=127.0.0.1",
        f"--secure-port={ports.controllers}",
        f"--cert-dir={layout.state / 'controllers'}",
        "--leader-elect=false",
        _OPEN_PATHS,
        f"--service-account-private-key-file={layout.signing_key}",
        f"--root-ca-file={layout.certificate}",
        "--use-service-account-credentials=false",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
    ]


def scheduler(layout: Layout, ports: Ports) -> list[str]:
    return [
        f"--kubeconfig={layout.kubeconfig('admin')}",
        "--bind-address=127.0.0.1",
        f"--secure-port={ports.scheduler}",
        f"--cert-dir={layout.state / 'scheduler'}",
        "--leader-elect=false",
        _OPEN_PATHS,
    ]


def kubeconfig(layout: Layout, ports: Ports, token: str) -> str:
    """Return a kubeconfig as JSON, which is YAML as well."""
    cluster = {
        "server": f"https://127.0.0.1:{ports.apiserver}",
        "certificate-authority": str(layout.certificate),
    }
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "user", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "user"}}],
            "current-context": "test",
        },
        indent=1,
    )
