"""What somebody asks to have built, as it is stored: a pure function of what a terminal, CI, Slack or a webhook gives."""

from dataclasses import replace

from core.build_run import BuildRequest
from core.manifest.image_builds import check_argument_names
from core.records.build import described, printable_line
from core.records.git_address import COMMIT, check_commit, check_git_ref, check_git_url, check_manifest_path
from core.records.push import PushedBuild
from core.records.repository import repository_url

MAX_AUTHOR_CHARS = 100


def uploaded_request(asked: BuildRequest) -> BuildRequest:
    """Return what is stored of a build of what was uploaded."""
    line, message = described(asked.description)
    return replace(asked, description=line, message=message, repository=repository_url(asked.repository))


def git_request(asked: BuildRequest, schemes: frozenset[str]) -> BuildRequest:
    """Return what is stored of a build of a repository, of which nobody knows yet what its convox.yml says.

    A ref that is a whole commit is one. `git_sha` is what is cloned; "" for the newest of the ref.

    Args:
        asked: `git_url` without credentials; `description` may be "" for the commit's own.
        schemes: of addresses that are cloned.

    Raises:
        Invalid: the address, the ref, the commit, the path or the name of an argument cannot be used.
    """
    address, ref, sha = (
        check_git_url(asked.git_url, schemes),
        check_git_ref(asked.git_ref),
        check_commit(asked.git_sha),
    )
    if not sha and COMMIT.fullmatch(ref.lower()):
        sha, ref = ref.lower(), ""
    check_argument_names(asked.build_args)
    line, message = described(asked.description)
    return replace(
        asked,
        git_url=address,
        git_ref=ref,
        git_sha=sha,
        author=printable_line(asked.author)[:MAX_AUTHOR_CHARS],
        manifest_path=check_manifest_path(asked.manifest_path),
        description=line,
        message=message,
        repository=repository_url(address),
        promote=asked.promote or asked.promote_after != "never",
    )


def pushed_request(request: BuildRequest, pushed: PushedBuild) -> BuildRequest:
    """Return it as of a push: what becomes of its release is of the rule of the policy."""
    return replace(
        request,
        promote=pushed.promote != "never",
        promote_after=pushed.promote,
        pushed_to=pushed.push.ref,
        compare=pushed.push.compare_url,
    )
