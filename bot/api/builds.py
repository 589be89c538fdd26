"""`POST /apps/{app}/builds`: how releases come in from CI (contract 4)."""

from aiohttp import web
from pydantic import Field

from bot.api.authentication import caller_of
from bot.api.bodies import Body, read_body
from bot.http.errors import json_response
from bot.prefixes import in_terminal
from core.sentence import Sentence
from core.usecases.registrar import Registrar


class NewBuild(Body):
    """What CI sends."""

    manifest: str
    """The text of convox.yml."""
    images: dict[str, str] = Field(default_factory=dict)
    """Service → image reference, for each service with `build:`."""
    description: str = ""
    """A commit message, say; lists show its first line."""
    git_sha: str = Field(default="", alias="git-sha", max_length=64, pattern=r"^[!-~]*$")
    repository: str = Field(default="", max_length=1000, pattern=r"^[!-~]*$")
    """Where the sha lies: what git clones from; credentials in it are left out."""
    promote: bool = False
    """Whoever asks promotes its release next: who may not do that makes none, and no channel is told of the build alone."""


class BuildsEndpoint:
    """Registers builds."""

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar

    async def create(self, request: web.Request) -> web.Response:
        """Store one build and its release."""
        app, given = request.match_info["app"].lower(), await read_body(request, NewBuild)
        made = await self._registrar.register_build(
            caller_of(request),
            app,
            manifest=given.manifest,
            images=given.images,
            description=given.description,
            git_sha=given.git_sha,
            repository=given.repository,
            to_promote=given.promote,
        )
        assert made.build is not None
        note = {"note": made.skipped} if made.skipped else {}
        notes = {"notes": [Sentence.of(each).shown(in_terminal) for each in made.notes]} if made.notes else {}
        return json_response({"id": made.build.id, "release": made.release.id, **note, **notes}, status=201)
