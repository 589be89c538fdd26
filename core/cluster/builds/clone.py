"""What the first container of a build runs where its source is a git repository: clone, tell the bot, take what to build.

The token is in the environment and nowhere else: git asks for it through a helper that it knows for one host only, so that no
redirection carries it to another. Nothing of what was cloned is run, no link of it is followed, and no `.git` is left beside it.
"""

from urllib.parse import urlsplit

from core.cluster.builds.script import BEARER, PAUSES, SOURCE, TRYING
from core.ports.builds import GitClone
from core.yaml.source import LARGEST_FILE

# How the container ends where git is to blame, and its message is git's own.
GIT_REFUSED = 3
# How it ends where the bot has answered each time that it cannot store what it is told.
NOT_STORED = 4
# What is sent of a convox.yml that is larger than any may be: enough for the bot to say so.
MOST_BYTES = 2 * LARGEST_FILE
BUILD_SCRIPT = "/tmp/build.sh"  # noqa: S108 - of the container
CLONE = f"""\
set -u
umask 022
export HOME=/tmp GIT_DIR=/tmp/git/.git GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1 LC_ALL=C
refused() {{ grep -v '^hint:' /tmp/git.log | tail -c 2000 | tee /dev/termination-log; exit {GIT_REFUSED}; }}
helper='!f() {{ test "$1" = get && test -n "${{GIT_TOKEN:-}}" && printf "username=%s\\npassword=%s\\n" "$GIT_USER" "$GIT_TOKEN"; }}; f'
run() {{
  git -c credential.helper= -c "credential.$GIT_ORIGIN.helper=$helper" -c http.lowSpeedLimit=1000 -c http.lowSpeedTime=60 \\
    -c core.hooksPath=/dev/null -c advice.detachedHead=false "$@" 2>/tmp/git.log
}}
fetch() {{ run fetch -q --no-tags --no-recurse-submodules "$@"; }}
clone() {{
  fetch --depth 1 -- "$GIT_URL" "${{GIT_COMMIT:-${{GIT_REF:-HEAD}}}}" && return
  # A server that hands out no commit by its id hands out the branch that has it.
  test -n "$GIT_COMMIT" && grep -q -e 'not our ref' -e 'unadvertised object' /tmp/git.log || return
  fetch -- "$GIT_URL" "${{GIT_REF:-HEAD}}"
}}
# Files whose content is elsewhere: Git LFS is not in the image of builds, and would be asked with a token of its own.
pointers() {{
  git grep -q 'filter=lfs' "$commit" -- .gitattributes '*/.gitattributes' || {{ echo 0; return; }}
  git grep -lI '^version https://git-lfs[.]github[.]com/spec/v1$' "$commit" -- | wc -l
}}
rm -rf /tmp/git
find {SOURCE} -mindepth 1 -delete
git init -q /tmp/git 2>/tmp/git.log || refused
for pause in 2 8 0; do
  clone && break
  test $pause = 0 && refused
  grep -qiE 'could not resolve|connect|timed out|reset by peer|early eof|hung up|error: 5[0-9][0-9]' /tmp/git.log || refused
  sleep $pause
done
commit=$(run rev-parse -q --verify "${{GIT_COMMIT:-FETCH_HEAD}}^{{commit}}") || {{
  echo "fatal: couldn't find remote ref $GIT_COMMIT" >/tmp/git.log; refused; }}
run --work-tree={SOURCE} checkout -q --detach "$commit" || refused
{{
  echo "$commit"
  git log -1 --no-show-signature --no-color --format='%an%n%cI%n%s' "$commit" --
  echo "$(git ls-tree -r "$commit" | grep -c '^160000 ') $(pointers)"
  git cat-file blob "$commit:$MANIFEST" 2>/dev/null | head -c {MOST_BYTES}
}} >/tmp/clone
rm -rf /tmp/git
# Eight is GNU's code for an answer that is an error; BusyBox has one code, and words.
answers() {{ test $code = 8 || grep -q 'error: HTTP/[0-9.]* 5' /tmp/wget.log; }}
# One that answers and cannot store has a full disk, say, for which somebody has to make room; one that does not may be on its way.
{TRYING}for pause in {PAUSES}; do
  wget -q $limit -O {BUILD_SCRIPT} {BEARER} --header 'Content-Type: application/octet-stream' \
    --post-file /tmp/clone "$CLONE_URL" 2>/tmp/wget.log && exit 0
  code=$?
  test $pause -lt 60 || ! denied || break
  sleep $pause
done
if answers; then
  echo "the bot at $CLONE_URL could not store what was cloned" | tee /dev/termination-log
  exit {NOT_STORED}
fi
echo "what was cloned could not be told to $CLONE_URL" | tee /dev/termination-log
exit 1
"""


def clone_environment(clone: GitClone, schemes: frozenset[str]) -> dict[str, str]:
    """Return what the script reads, but for what is secret: no value of it is a word of the shell."""
    parts = urlsplit(clone.url)
    return {
        "GIT_URL": clone.url,
        "GIT_ORIGIN": f"{parts.scheme}://{parts.netloc}",
        "GIT_REF": clone.ref,
        "GIT_COMMIT": clone.commit,
        "MANIFEST": clone.manifest_path,
        # Of redirections too.
        "GIT_ALLOW_PROTOCOL": ":".join(sorted(schemes)),
        **({"GIT_USER": clone.account.user} if clone.account else {}),
    }
