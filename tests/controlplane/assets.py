"""Where the real control plane's binaries lie: without this the build and the tests would each have their own idea."""

import hashlib
import os
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path

HERE = Path(__file__).parent
VERSION = "1.37.2"
_STAMP = "k8s.io/component-base/version"
# Without the stamp the API server introduces itself as v0.0.0-master.
KUBE_LDFLAGS = (
    f"-s -w -X {_STAMP}.gitVersion=v{VERSION} -X {_STAMP}.gitMajor=1 -X {_STAMP}.gitMinor={VERSION.split('.')[1]} "
    f"-X {_STAMP}.gitTreeState=clean"
)
# -buildvcs=false: the repository around the module says nothing about what is built. GOWORK: nor does a workspace.
GO_ENVIRONMENT = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false", "GOWORK": "off"}

# binary: (module folder beside this file, package, linker flags)
BINARIES = {
    "etcd": ("etcd", "go.etcd.io/etcd/server/v3", "-s -w"),
    "kube-apiserver": ("kube", "k8s.io/kubernetes/cmd/kube-apiserver", KUBE_LDFLAGS),
    "kube-controller-manager": ("kube", "k8s.io/kubernetes/cmd/kube-controller-manager", KUBE_LDFLAGS),
    "kube-scheduler": ("kube", "k8s.io/kubernetes/cmd/kube-scheduler", KUBE_LDFLAGS),
    "kubectl": ("kube", "k8s.io/kubernetes/cmd/kubectl", KUBE_LDFLAGS),
}
# One module each: together they would raise each other's dependencies to versions nobody released.
MODULES = ("etcd", "kube")


def hash_key(files: Mapping[str, bytes], flags: Iterable[str]) -> str:
    """Name a build by what it is made from, so that a second clone finds it and a changed one does not."""
    digest = hashlib.sha256()
    parts = [part for name in sorted(files) for part in (name.encode(), files[name])]
    for part in [*parts, *(flag.encode() for flag in flags)]:
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()[:16]


def supplied(environ: Mapping[str, str] = os.environ) -> dict[str, Path]:
    """Return the binaries that KUBEBUILDER_ASSETS, the folder of controller-runtime's envtest, holds already."""
    folder = environ.get("KUBEBUILDER_ASSETS")
    if not folder:
        return {}
    found = {name: Path(folder).expanduser().resolve() / name for name in BINARIES}
    return {name: path for name, path in found.items() if usable(path)}


def directory(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder in the user's cache that belongs to this build, whether or not it is there yet."""
    cache = environ.get("XDG_CACHE_HOME") or environ.get("HOME", "~") + "/.cache"
    files = {
        f"{module}/{name}": (HERE / module / name).read_bytes()
        for module in MODULES
        for name in ("go.mod", "go.sum")
    }
    foreign = [f"{path} {path.stat().st_size}" for path in supplied(environ).values()]
    flags = [platform.system(), platform.machine(), *GO_ENVIRONMENT.values(), KUBE_LDFLAGS, *foreign]
    return Path(cache).expanduser() / "convox-bot" / "cluster" / hash_key(files, flags)


def missing(folder: Path) -> list[str]:
    """Name the binaries that `folder` does not hold."""
    return [name for name in BINARIES if not usable(folder / name)]


def find(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return a folder that holds every binary, or None where `make cluster` has not run."""
    if len(given := supplied(environ)) == len(BINARIES):
        return given["etcd"].parent
    folder = directory(environ)
    return None if missing(folder) else folder


def usable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
