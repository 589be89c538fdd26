"""What is taken from a convox.yml is taken by a real API server: nobody is refused at a promote what passed a build."""

import json
import secrets
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings

from core.errors import Invalid
from tests.core.cluster.rendering.samples import bundle
from tests.core.manifest.grammar import environments, manifests
from tests.soak import times


def rendered(app: str, many: int) -> list[Mapping[str, Any]]:
    """Return the objects of as many manifests, as far as they can be rendered, each once."""
    found: dict[str, Mapping[str, Any]] = {}

    @settings(max_examples=many, database=None)
    @given(manifests(), environments)
    def collect(text: str, variables: Mapping[str, str]) -> None:
        try:
            made = bundle(text, app=app, environment=variables).objects
        except Invalid:
            return
        found.update({json.dumps(each, sort_keys=True): each for each in made})

    collect()
    return list(found.values())


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_whatever_can_be_rendered_is_accepted(control_plane, app_namespace):
    app = f"app-{secrets.token_hex(3)}"
    await app_namespace(app)
    objects = rendered(app, times(200, soak=5_000))
    assert objects

    said = await control_plane.kubectl(
        "apply",
        "--server-side",
        "--dry-run=server",
        "--validate=strict",
        "--field-manager=convox-bot",
        "-f-",
        stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}),
    )

    assert len(said.splitlines()) == len(objects)
