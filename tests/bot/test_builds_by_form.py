"""`build` and `deploy`: images that a person gives for the newest convox.yml."""

from bot.command.build_forms import BuildForm
from bot.command.forms import fill
from bot.command.parser import parse
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.policy.authorization import parse_policy
from core.promotion import Phase
from tests.bot.api.asking import IMAGES, MANIFEST, policy_of
from tests.bot.handling import handlers_of
from tests.core.world import ALICE, World, by, until
from tests.fakes import progressing

APP = "myapp"
NEW = "registry.example/web@sha256:" + "1" * 64


async def answered(w: World, command):
    return await handlers_of(w).handle(command, by(ALICE, "C1"))


async def asked(w: World, text: str):
    return await answered(w, parse(text, linked_app=APP))


async def test_the_newest_manifest_gets_other_images(w: World):
    first = await w.build(text=MANIFEST, **IMAGES)
    reply = await asked(w, "build -d mended")
    assert reply.form.seen == first.build.id
    assert reply.form.fields[0].text == "".join(f"{name}={image}\n" for name, image in IMAGES.items())
    text = reply.form.fields[0].text.replace(IMAGES["web"], NEW)
    done = await answered(
        w, fill(parse("build -d mended", linked_app=APP), {"images": text}, reply.form.seen)
    )
    (build, *_) = await w.store.read.builds(APP, 1)
    assert str(done.answer.text) == f"Build: {build.id}\nRelease: {build.release}"
    assert (build.images, build.description) == ({**IMAGES, "web": NEW}, "mended")
    assert (await w.store.read.build(APP, build.id)).manifest == MANIFEST


async def test_a_deploy_promotes_it_and_says_both_halves_where_it_may_not_start(w: World):
    first = await w.build(text=MANIFEST, **IMAGES)
    images = {"images": f"web={NEW}\nworker={NEW}"}
    filled = fill(parse("deploy", linked_app=APP), images, first.build.id)
    done = await answered(w, filled)
    await w.idle()
    promotion = await w.store.read.promotion(done.promotion)
    assert (promotion.phase, str(done.answer.text).splitlines()[-1]) == (
        Phase.RUNNING,
        f"Promoting {promotion.release}...",
    )
    slow = (await w.build()).release.id
    w.cluster.behaves[slow] = lambda _: progressing()
    flying = (await w.ask(slow)).promotion
    await until(w, flying.id, Phase.UPDATING)
    refused = await answered(w, filled)
    assert str(refused.answer.text).startswith("Build: B")
    assert str(refused.answer.refusal).startswith("app is currently updating")


async def test_what_cannot_be_built_anew_is_said_before_anybody_is_asked(w: World):
    assert isinstance((await asked(w, "build")).answer.refusal, NotFound)
    await w.build()
    assert isinstance((await asked(w, "build")).answer.refusal, Conflict)
    w.policy = parse_policy(policy_of("build", who="U01ALICE"))
    assert isinstance((await asked(w, "deploy")).answer.refusal, Forbidden)
    unseen = BuildForm(app=APP, images=(("web", NEW),))
    assert isinstance((await answered(w, unseen)).answer.refusal, Invalid)


async def test_an_image_is_imported_for_each_service_that_is_built_or_for_one(w: World):
    await w.build(text=MANIFEST, **IMAGES)
    done = await asked(w, f"builds import-image {NEW}")
    (build, *_) = await w.store.read.builds(APP, 1)
    assert str(done.answer.text) == f"Build: {build.id}\nRelease: {build.release}"
    assert (build.images, build.description) == (dict.fromkeys(IMAGES, NEW), f"import {NEW}")
    assert (await w.store.read.build(APP, build.id)).manifest == MANIFEST
    other = NEW.replace("1", "2")
    await asked(w, f"builds import-image {other} -s worker -d 'by hand'")
    (second, *_) = await w.store.read.builds(APP, 1)
    assert (second.images, second.description) == ({**build.images, "worker": other}, "by hand")
    assert (await w.store.read.release(APP, second.release)).build == second.id
    assert (await w.store.read.app(APP)).active_release is None


async def test_what_cannot_be_imported_is_refused_and_makes_nothing(w: World):
    await w.build(text=MANIFEST, **IMAGES)
    refusals = {
        f"builds import-image {NEW} -s wbe": "myapp builds no service wbe",
        "builds import-image not:an:image": "image of web is no image reference",
        "builds import-image https://registry.example/web": "image of web is no image reference",
    }
    for typed, sentence in refusals.items():
        refused = (await asked(w, typed)).answer.refusal
        assert refused is not None
        assert str(refused.sentence).startswith(sentence)
    unbuilt = await asked(w, f"builds import-image {NEW} -s wbe")
    assert str(unbuilt.answer.refusal.hint) == "in its newest convox.yml are built: web, worker"
    assert len(await w.store.read.builds(APP, 9)) == 1
    w.policy = parse_policy(policy_of("view, promote", who="U01ALICE"))
    assert isinstance((await asked(w, f"builds import-image {NEW}")).answer.refusal, Forbidden)


async def test_the_log_of_a_build_tells_what_was_registered(w: World):
    made = await w.registrar.register_build(
        by(ALICE),
        APP,
        manifest=MANIFEST + "    drain: 30\n",
        images=IMAGES,
        git_sha="0123456789",
    )
    answer = (await asked(w, f"builds logs {made.build.id}")).answer
    log = str(answer.text).splitlines()
    assert log[0].endswith("registered by @u01alice; its own log is where it was built")
    assert log[1:4] == [
        "commit 0123456789",
        f"web: {IMAGES['web']}",
        f"worker: {IMAGES['worker']} (not pinned)",
    ]
    assert [str(note) for note in answer.warnings] == [
        "drain of service worker is without effect: termination.grace says how long a process has to stop",
        "nobody outside of the cluster reaches web: this rack has no router",
    ]
