"""Where the cluster is: for the bot and for whoever looks at its cluster beside it, the same."""

import os
from collections.abc import Mapping
from typing import Any

from core.cluster.api.credentials import ConfigurationSource, from_document, from_environment


def cluster_source(path: str | None, kubeconfig: Mapping[str, Any] | None = None) -> ConfigurationSource:
    """Find the cluster as every Kubernetes client does.

    Args:
        path: of a kubeconfig, since KUBECONFIG may also stand in `.env`.
        kubeconfig: a parsed one in its place.
    """
    if kubeconfig is not None:
        return from_document(kubeconfig)
    return from_environment({**os.environ, "KUBECONFIG": path} if path else os.environ)
