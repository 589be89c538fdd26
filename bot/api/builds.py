"""`POST /apps/{app}/builds`: how releases come in from CI (contract 4)."""

from typing import Any

from aiohttp import web
from pydantic import ConfigDict, Field, model_validator

from bot.api.authentication import caller_of
from bot.api.bodies import Body, read_body
from bot.http.errors import json_response
from bot.prefixes import in_terminal
from core.build_run import BuildRequest
from core.errors import Invalid
from core.sentence import Sentence
from core.usecases.build_starter import BuildStarter
from core.usecases.registrar import Registrar


def _manifest_or_git(schema: dict[str, Any]) -> None:
    """Say in the schema what `_told_by_its_clone` does: of git no manifest is sent."""
    schema["required"].remove("manifest")
    schema["anyOf"] = [
        {"required": ["manifest"]},
        {"required": ["git"], "properties": {"git": {"minLength": 1}}},
    ]


class NewBuild(Body):
    """What CI sends."""

    model_config = ConfigDict(json_schema_extra=_manifest_or_git)

    manifest: str
    """The text of convox.yml; of git its clone tells it."""
    images: dict[str, str] = Field(default_factory=dict)
    """Service → image reference, for each service with `build:`; with a source, for those that are not to be built."""
    description: str = ""
    """A commit message, say; lists show its first line."""
    git_sha: str = Field(default="", alias="git-sha", max_length=64, pattern=r"^[!-~]*$")
    repository: str = Field(default="", max_length=1000, pattern=r"^[!-~]*$")
    """Where the sha lies: what git clones from; credentials in it are left out."""
    committed_at: str = Field(default="", alias="committed-at", max_length=40, pattern=r"^[0-9T:.+Z-]*$")
    """When the commit of the sha was made, as git writes it (`%cI`), for the lead time in `stats`."""
    promote: bool = False
    """Whoever asks promotes its release next: who may not do that makes none, and no channel is told of the build alone."""
    source: str = Field(default="", max_length=64)
    """What was uploaded, for a build that the cluster makes; what follows is of such a build alone."""
    git: str = Field(default="", max_length=1000)
    """A repository that the cluster clones and builds, in place of a source."""
    ref: str = Field(default="", max_length=1000)
    """Its branch, tag or commit."""
    manifest_path: str = Field(default="convox.yml", alias="manifest-path", max_length=255)
    build_args: dict[str, str] = Field(default_factory=dict, alias="build-args")
    no_cache: bool = Field(default=False, alias="no-cache")
    only_newest: bool = Field(default=False, alias="only-newest")

    @model_validator(mode="before")
    @classmethod
    def _told_by_its_clone(cls, given: Any) -> Any:
        return {"manifest": "", **given} if isinstance(given, dict) and given.get("git") else given

    def request(self) -> BuildRequest:
        """Return what the cluster is asked to build; raise Invalid where more is said of a repository than its clone will tell."""
        names = ("manifest", "source", "git_sha", "repository", "committed_at")
        if self.git and (said := [name.replace("_", "-") for name in names if getattr(self, name)]):
            raise Invalid(f"{', '.join(said)}: of git its clone tells that")
        return BuildRequest(
            manifest=self.manifest,
            manifest_path=self.manifest_path,
            source=self.source,
            git_url=self.git,
            git_ref=self.ref,
            git_sha=self.git_sha,
            repository=self.repository,
            committed_at=self.committed_at,
            build_args=self.build_args,
            no_cache=self.no_cache,
            images=self.images,
            description=self.description,
            promote=self.promote,
        )


class BuildsEndpoint:
    """Registers builds, and asks for such as the cluster makes."""

    def __init__(self, registrar: Registrar, starter: BuildStarter) -> None:
        self._registrar = registrar
        self._starter = starter

    async def create(self, request: web.Request) -> web.Response:
        """Store one build and its release; of a source, ask for it, since its release is still to come (202)."""
        app, given = request.match_info["app"].lower(), await read_body(request, NewBuild)
        if given.ref and not given.git:
            raise Invalid("ref: without git nothing is cloned")
        if given.git or given.source:
            asked = given.request()
            queued = await self._starter.start(caller_of(request), app, asked, only_newest=given.only_newest)
            return json_response({"id": queued.run.id, "ahead": queued.ahead}, status=202)
        _refuse_without_source(given)
        made = await self._registrar.register_build(
            caller_of(request),
            app,
            manifest=given.manifest,
            images=given.images,
            description=given.description,
            git_sha=given.git_sha,
            repository=given.repository,
            committed_at=given.committed_at,
            to_promote=given.promote,
        )
        assert made.build is not None
        note = {"note": made.skipped} if made.skipped else {}
        notes = {"notes": [Sentence.of(each).shown(in_terminal) for each in made.notes]} if made.notes else {}
        return json_response({"id": made.build.id, "release": made.release.id, **note, **notes}, status=201)


def _refuse_without_source(given: NewBuild) -> None:
    """Raise Invalid where somebody says how to build what is not there."""
    names = [
        name
        for name, said in (
            ("manifest-path", given.manifest_path != "convox.yml"),
            ("build-args", given.build_args),
            ("no-cache", given.no_cache),
            ("only-newest", given.only_newest),
        )
        if said
    ]
    if names:
        raise Invalid(f"{', '.join(names)}: without a source nothing is built")
