"""What the environment says about traces, in the variables that every program of OpenTelemetry knows.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

import os
from collections.abc import Mapping
from importlib.util import find_spec

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
EXPORTER, PROTOCOL = "otlp", "http/protobuf"
EXTRA = "opentelemetry.exporter.otlp.proto.http"


def traces_wanted(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether promotions are to be traced: an endpoint or an exporter is named, and it is not switched off."""
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip()
    off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or exporter == "none"
    return not off and bool(exporter or any(environ.get(name, "").strip() for name in ENDPOINTS))


def why_not_traced(environ: Mapping[str, str] = os.environ) -> str:
    """Return what keeps traces that are wanted from being sent, "" where nothing does."""
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip() or EXPORTER
    if exporter != EXPORTER:
        return f"OTEL_TRACES_EXPORTER={exporter} is not known here: only {EXPORTER} is"
    named = next((name for name in PROTOCOLS if environ.get(name, "").strip()), "")
    if named and environ[named].strip() != PROTOCOL:
        return f"{named}={environ[named].strip()} is not spoken here: only {PROTOCOL} is"
    try:
        installed = find_spec(EXTRA) is not None
    except ModuleNotFoundError:
        installed = False
    return "" if installed else "OpenTelemetry is not installed: pip install 'convox-bot[otel]'"
