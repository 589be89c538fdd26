"""`build` and `deploy` in Slack without an address: a dialog that offers repositories beside images, where the cluster clones."""

from dataclasses import replace
from typing import Any

import pytest

from bot.command.build_forms import BuildForm
from bot.command.commands import BuildGit
from bot.command.forms import Form
from bot.command.parser import parse
from core.errors import Conflict, Forbidden, NotFound
from core.policy.authorization import parse_policy
from core.records.git_account import GitAccount
from core.usecases.build_chooser import BuildChoices, BuildSource
from core.usecases.build_registrar import NewestBuild
from tests.bot.api.asking import IMAGES, MANIFEST, policy_of
from tests.bot.handling import handlers_of
from tests.core.building.nursery import start_git, starter_of
from tests.core.world import ALICE, World, by

APP = "myapp"
NEWEST = NewestBuild(build="BABCDEFGHIJ", images={"web": "r/web:1"})
URL = "https://github.com/shop/web"


async def asked(w: World, text: str, *, why_not: str = "", source: Any = "slack"):
    caller = replace(by(ALICE, "C1"), source=source)
    return await handlers_of(w, why_not=why_not).handle(parse(text, linked_app=APP), caller)


async def account(w: World, host: str) -> None:
    async with w.store.transaction() as tx:
        kept = GitAccount(app=APP, host=host, user="x", secret="t0ken", created_at=tx.now, created_by=ALICE)
        await tx.save_git_account(kept)


def offers(form: Form) -> list[str]:
    return [each.value for each in form.fields[0].choices]


def dialog(
    hosts: tuple[str, ...] = ("github.com",),
    last: BuildSource | None = None,
    newest: NewestBuild | None = NEWEST,
) -> Form:
    return BuildForm(app=APP).form_of(BuildChoices(newest=newest, hosts=hosts, last=last or BuildSource()))


async def test_hosts_with_a_token_any_other_and_images_are_offered(w: World):
    first = await w.build(text=MANIFEST, **IMAGES)
    await account(w, "github.com")
    await account(w, "git.shop.example:8443")
    form = (await asked(w, "deploy -d mended")).form
    assert offers(form) == ["at:git.shop.example:8443", "at:github.com", "anywhere", "images"]
    assert (form.title, form.submit, form.seen) == ("Deploy myapp", "Deploy", first.build.id)
    assert [each.name for each in form.fields] == ["source", "repository", "ref", "images"]
    assert "t0ken" not in repr(form)
    # What was registered so far came with images.
    assert form.fields[0].chosen.value == "images"


async def test_what_was_cloned_last_stands_in_it(w: World):
    await account(w, "github.com")
    assert offers((await asked(w, "build")).form) == ["at:github.com", "anywhere"]
    await start_git(starter_of(w), by(ALICE), APP, url=URL, ref="main")
    form = (await asked(w, "build")).form
    assert [each.text for each in form.fields] == ["", "shop/web", "main"]
    assert (form.fields[0].chosen.value, form.submit) == ("at:github.com", "Build")


async def test_what_ci_says_that_it_built_of_stands_in_it_and_images_are_chosen(w: World):
    await w.registrar.register_build(
        by(ALICE), APP, manifest=MANIFEST, images=IMAGES, repository="git@github.com:shop/web.git"
    )
    form = (await asked(w, "build")).form
    assert [each.text for each in form.fields][:3] == ["", URL, ""]
    assert form.fields[0].chosen.value == "images"


async def test_where_nothing_can_be_cloned_images_alone_are_asked_for_and_why_is_said(w: World):
    assert isinstance((await asked(w, "build", why_not="it is off")).answer.refusal, NotFound)
    await w.build(text=MANIFEST, **IMAGES)
    form = (await asked(w, "build", why_not="it is off")).form
    assert [each.name for each in form.fields] == ["images"]
    assert form.notes == ("No repository can be chosen: it is off.",)
    for text, source in (("deploy --force", "slack"), ("build", "http")):
        form = (await asked(w, text, source=source)).form
        assert ([each.name for each in form.fields], form.notes) == (["images"], ())


async def test_who_may_not_promote_is_refused_before_anything_is_shown(w: World):
    w.policy = parse_policy(policy_of("build", who="U01ALICE"))
    assert isinstance((await asked(w, "deploy")).answer.refusal, Forbidden)
    assert (await asked(w, "build")).form is not None
    w.policy = parse_policy(policy_of("view", who="U01ALICE"))
    assert isinstance((await asked(w, "build")).answer.refusal, Forbidden)


async def test_an_app_whose_services_have_their_images_offers_repositories_alone(w: World):
    await w.build()
    assert isinstance((await asked(w, "build", source="http")).answer.refusal, Conflict)
    assert offers((await asked(w, "build")).form) == ["anywhere"]


def test_an_address_at_a_host_without_a_token_stands_whole():
    form = dialog(last=BuildSource(url="https://git.example/a/b", cloned=True))
    assert (form.fields[0].chosen.value, form.fields[1].text) == ("anywhere", "https://git.example/a/b")
    assert dialog(newest=None).fields[0].chosen.value == "at:github.com"
    tokenless = dialog(newest=None, hosts=())
    assert tokenless.fields[0].choices[0].label == "A repository"
    assert tokenless.fields[1].hint.startswith("Its https address")


def test_no_more_is_offered_than_slack_shows():
    hosts = (f"{'x' * 141}.example", *(f"git{number}.example" for number in range(9)))
    assert offers(dialog(hosts=hosts)) == [*(f"at:git{n}.example" for n in range(8)), "anywhere", "images"]


@pytest.mark.parametrize(
    ("source", "repository", "url"),
    [
        ("at:github.com", "shop/web", URL),
        ("at:github.com", " github.com/shop/web ", URL),
        ("at:github.com", URL, URL),
        ("at:git.example:8443", "git.example:8443/web", "https://git.example:8443/web"),
        ("anywhere", "github.com/shop/web", URL),
        ("anywhere", "http://127.0.0.1:3000/web", "http://127.0.0.1:3000/web"),
    ],
)
def test_a_repository_is_taken_as_people_write_it(source: str, repository: str, url: str):
    given = {"source": source, "repository": repository, "ref": " main "}
    form = BuildForm(app=APP, promote=True, description="mended")
    assert form.problems(given, {}) == {}
    assert form.filled(given, "B1") == BuildGit(
        app=APP, url=url, ref="main", description="mended", promote=True
    )


HERE = {"source": "at:github.com", "repository": "shop/web"}
LISTED = {"source": "images", "images": "web=r/web:2"}


@pytest.mark.parametrize(
    ("entered", "offered", "wrong"),
    [
        (HERE | {"repository": ""}, {}, {"repository": "name the repository"}),
        (
            HERE | {"repository": "https://gitlab.com/a/b"},
            {},
            {"repository": "this repository is not at github.com"},
        ),
        (
            HERE | {"repository": "git@github.com:shop/web"},
            {},
            {"repository": "a build clones by https, and this"},
        ),
        (
            {"source": "anywhere", "repository": "shop/web"},
            {},
            {"repository": "not the address of a git repository: shop"},
        ),
        (HERE | {"ref": "a..b"}, {}, {"ref": "no branch, tag or commit"}),
        (HERE | {"images": "web=r/web:2"}, {"images": "web=r/web:1\n"}, {"source": "images were entered"}),
        (HERE | {"images": "web=r/web:1"}, {"images": "web=r/web:1\n"}, {}),
        (LISTED | {"repository": "shop/web"}, {}, {"source": "a repository was entered"}),
        (LISTED | {"ref": "next"}, {"ref": "main"}, {"source": "a repository was entered"}),
        (LISTED | {"repository": "shop/web"}, {"repository": "shop/web"}, {}),
        (LISTED | {"images": ""}, {}, {"images": "name the images"}),
        (LISTED | {"images": "web"}, {}, {"images": "not SERVICE=IMAGE: line 1"}),
        ({"images": "web"}, {}, {"images": "not SERVICE=IMAGE: line 1"}),
    ],
)
def test_what_is_wrong_is_said_at_its_field(entered, offered, wrong):
    found = BuildForm(app=APP).problems(entered, offered)
    assert {name: text[: len(wrong.get(name, ""))] for name, text in found.items()} == wrong
