"""What is asked for before something is built: images made elsewhere, or a repository that the cluster clones."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.command.commands import BuildGit, Command
from bot.command.forms import Form, FormChoice, FormCommand, FormField
from core.errors import Invalid
from core.records.git_address import INSECURE, check_git_ref, check_git_url, host_of_git
from core.usecases.build_chooser import BuildChoices

SOURCE, REPOSITORY, REF, IMAGES = "source", "repository", "ref", "images"
# Values of what is chosen; a host of git stands behind `AT`.
_IMAGES, _ANYWHERE, AT = "images", "anywhere", "at:"
_WITH_HOSTS = "As in shop/web, or its whole https address. A private one at another host needs a token first: git add HOST."
_WITHOUT = (
    "Its https address, as in https://github.com/shop/web. A private one needs a token first: git add HOST."
)
# Slack shows ten buttons in one block, of which two are no host, and takes 150 characters of what each means.
MOST_HOSTS, LONGEST_HOST = 8, 140


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildForm(FormCommand):
    """A build of a repository, or of the newest manifest with other images.

    Attributes:
        description: "" takes the time, or the commit's own.
        promote: it goes out at once (`deploy`); `force` and `overwrite` are of that, and of images alone.
        images: service and image, as entered; None before anybody entered them.
        seen: the build whose manifest it is.
    """

    app: str
    description: str = ""
    promote: bool = False
    force: bool = False
    overwrite: bool = False
    images: tuple[tuple[str, str], ...] | None = None
    seen: str | None = None

    @property
    def words(self) -> list[str]:
        description = [f"--description={self.description}"] if self.description else []
        switches = [f"--{name}" for name in ("force", "overwrite") if getattr(self, name)]
        return ["deploy" if self.promote else "build", "-a", self.app, *description, *switches]

    @property
    def images_alone(self) -> bool:
        """What it says is of what rolls out now, and a repository is built first."""
        return self.force or self.overwrite

    def form(self, images: Mapping[str, str], seen: str, *, why_not: str = "") -> Form:
        """Return what is asked for where it is images alone: one for each service that is built, those of the build before it at first.

        Args:
            images: service → image.
            seen: the build that they are of.
            why_not: why no repository can be built here, for whoever might want that.
        """
        return self._form(
            "Register",
            (_images(images),),
            seen,
            (f"No repository can be chosen: {why_not}.",) if why_not else (),
        )

    def form_of(self, choices: BuildChoices) -> Form:
        """Return what is asked for where the cluster can clone, too: where the repository lies, and what is taken of it."""
        newest, last = choices.newest, choices.last
        offered = _places(choices)
        usual = _usual(choices, offered)
        fields = (
            FormField(
                name=SOURCE,
                label="Build",
                kind="choice",
                choices=tuple(offered.values()),
                chosen=offered[usual],
            ),
            FormField(
                name=REPOSITORY,
                label="Repository",
                kind="name",
                hint=_WITH_HOSTS if choices.hosts else _WITHOUT,
                text=_short(last.url) if _at(last.url) in offered else last.url,
                optional=True,
            ),
            FormField(
                name=REF,
                label="Branch, tag or commit",
                kind="name",
                hint="Empty: the branch that the repository shows first.",
                text=last.ref,
                optional=True,
            ),
            *((_images(newest.images, optional=True),) if newest else ()),
        )
        return self._form("Build", fields, newest.build if newest else None, ())

    def _form(
        self, submit: str, fields: tuple[FormField, ...], seen: str | None, notes: tuple[str, ...]
    ) -> Form:
        title, button = ("Deploy", "Deploy") if self.promote else ("Build", submit)
        return Form(title=f"{title} {self.app}"[:24], submit=button, fields=fields, seen=seen, notes=notes)

    def filled(self, entered: Mapping[str, str], seen: str | None) -> Command:
        if entered.get(SOURCE, _IMAGES) == _IMAGES:
            return self._of_images(entered, seen)
        return BuildGit(
            app=self.app,
            url=_url(entered),
            ref=check_git_ref(entered.get(REF, "")),
            description=self.description,
            promote=self.promote,
        )

    def _of_images(self, entered: Mapping[str, str], seen: str | None) -> Command:
        lines = enumerate(entered.get(IMAGES, "").splitlines(), start=1)
        pairs = [
            (at, *line.strip().partition("="))
            for at, line in lines
            if line.strip() and not line.startswith("#")
        ]
        if wrong := [str(at) for at, service, _, image in pairs if not (service.strip() and image.strip())]:
            raise Invalid(f"not SERVICE=IMAGE: line {', '.join(wrong[:10])}")
        if not pairs:
            raise Invalid("name the images", hint="a line each: SERVICE=IMAGE")
        images = {service.strip(): image.strip() for _, service, _, image in pairs}
        return replace(self, images=tuple(images.items()), seen=seen)

    def problems(self, entered: Mapping[str, str], offered: Mapping[str, str]) -> Mapping[str, str]:
        """Return what is wrong by the field where it is said; what was entered for another choice than the one made is, too."""
        source = entered.get(SOURCE)
        if source is None:
            return FormCommand.problems(self, entered, offered)
        images = source == _IMAGES
        if images and any(_changed(name, entered, offered) for name in (REPOSITORY, REF)):
            return {SOURCE: "a repository was entered: choose where it lies, or leave it as it was"}
        if not images and _changed(IMAGES, entered, offered):
            return {SOURCE: "images were entered: choose them, or leave them as they were"}
        wrong = self.problem(entered, offered)
        if not wrong:
            return {}
        return {_at_fault(images, entered): wrong}


def _images(images: Mapping[str, str], *, optional: bool = False) -> FormField:
    return FormField(
        name=IMAGES,
        label="Images",
        kind="lines",
        hint="A line each: SERVICE=IMAGE. Pin it by digest (IMAGE@sha256:…) and it cannot change.",
        text="".join(f"{service}={image}\n" for service, image in images.items()),
        optional=optional,
    )


def _places(choices: BuildChoices) -> dict[str, FormChoice]:
    """Return what can be chosen by its value: each host of git where the app has a token, any other, and images."""
    hosts = [host for host in choices.hosts if len(host) <= LONGEST_HOST][:MOST_HOSTS]
    offered = [
        *(
            FormChoice(
                value=f"{AT}{host}",
                label=f"A repository at {host}",
                about="with the token that the app has there",
            )
            for host in hosts
        ),
        FormChoice(
            value=_ANYWHERE,
            label="A repository at another host" if hosts else "A repository",
            about="by its whole https address; without a token only a public one",
        ),
    ]
    if choices.newest:
        about = f"with the convox.yml of {choices.newest.build}"
        offered.append(FormChoice(value=_IMAGES, label="Images that were built elsewhere", about=about))
    return {each.value: each for each in offered}


def _usual(choices: BuildChoices, offered: Mapping[str, FormChoice]) -> str:
    """Return what is probably meant: as it was built last, else what there is."""
    last = choices.last
    if _IMAGES in offered and not last.cloned:
        return _IMAGES
    if last.url:
        return _at(last.url) if _at(last.url) in offered else _ANYWHERE
    return next(iter(offered))


def _at(url: str) -> str:
    return f"{AT}{host_of_git(url)}"


def _changed(name: str, entered: Mapping[str, str], offered: Mapping[str, str]) -> bool:
    return entered.get(name, "").strip() not in {"", offered.get(name, "").strip()}


def _at_fault(images: bool, entered: Mapping[str, str]) -> str:
    """Return the field where something is wrong."""
    if images:
        return IMAGES
    try:
        _url(entered)
    except Invalid:
        return REPOSITORY
    return REF


def _url(entered: Mapping[str, str]) -> str:
    """Return the address of the repository that was entered, which need not be whole where its host was chosen."""
    text, source = entered.get(REPOSITORY, "").strip(), entered[SOURCE]
    if not text:
        raise Invalid("name the repository", hint="as in: https://github.com/shop/web")
    host = source.removeprefix(AT) if source.startswith(AT) else ""
    first = text.partition("/")[0]
    if host and ":" not in first and first != host:
        text = f"https://{host}/{text}"
    elif "://" not in text and ("." in first or first == host) and "@" not in first:
        text = f"https://{text}"
    # Of which schemes it may be, the rack knows; this judges its form.
    address = check_git_url(text, INSECURE)
    if host and host_of_git(address) != host:
        raise Invalid(f"this repository is not at {host}", hint="choose where it lies")
    return address


def _short(url: str) -> str:
    """Return what stands behind the host of an address."""
    return url.partition("://")[2].partition("/")[2]
