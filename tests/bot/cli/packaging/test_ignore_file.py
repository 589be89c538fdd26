"""`.dockerignore` means here what it means to Docker: its documented rules, and what its own matcher was seen to answer."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.packaging.ignore_file import FolderMatches, read_ignore_file
from bot.cli.rack_url import CliError

NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=3)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


def ignored(file, path, always=()):
    """Ask as the walk does: each folder above first."""
    rules, answer = read_ignore_file(file, always=always), False
    above: FolderMatches = ()
    parts = path.split("/")
    for depth in range(1, len(parts) + 1):
        answer, above = rules.ignores("/".join(parts[:depth]), above)
    return answer


@pytest.mark.parametrize(
    ("pattern", "path", "answer"),
    [
        ("*", "a", True),
        ("*.go", "a.go", True),
        ("*.go", "a/b.go", False),
        ("*/b.go", "a/b.go", True),
        ("*/*/temp*", "a/b/temporary", True),
        ("temp?", "tempa", True),
        ("temp?", "temp", False),
        ("docs/", "docs/README.md", True),
        ("/docs", "docs/README.md", True),
        ("./docs/../docs//", "docs/README.md", True),
        ("../docs", "docs", False),
        ("docs / ", "docs/a", True),
        ("docs/ /", "docs/a", True),
        (".", "a", False),
        ("/", "a", False),
        # ** is any number of folders, none too.
        ("**", "a/b/c", True),
        ("**/", "a", True),
        ("**/dir", "dir", True),
        ("**/dir", "x/dir/file", True),
        ("**/dir", "x/adir", False),
        ("**/.env", "bar.env", False),
        ("**/*.go", "a.go", True),
        ("**/*.go", "x/y/a.go", True),
        ("**/dir2/*", "dir/dir2/file", True),
        ("**/dir2/**", "dir/dir2/dir3/file", True),
        ("a/**", "a", False),
        ("a/**", "a/b/c", True),
        ("a/**/z", "a/z", True),
        ("a/**/z", "a/b/c/z", True),
        ("a/**/z", "a/b/c/y", False),
        ("a**/*.txt", "a/dir/file.txt", True),
        ("a/*.txt**", "a/file.txt", True),
        # At one end of a literal it stands for letters too.
        ("**file", "x/afile", True),
        ("**file?", "afile1", False),
        ("log**", "logs/a", True),
        # Go's classes.
        ("a[b-d]e", "ace", True),
        ("a[b-d]e", "aae", False),
        ("a[^b-d]e", "aze", True),
        ("a[!b]e", "a!e", True),
        ("a[!b]e", "aze", False),
        (r"a[\]x]e", "a]e", True),
        (r"a[\-x]e", "a-e", True),
        ("a[d-b]e", "ace", False),
        ("a]", "a]", True),
        (r"a\*b", "a*b", True),
        (r"a\*b", "axb", False),
        # Nothing else is special.
        ("a.|)$(}+{bc", "a.|)$(}+{bc", True),
        ("a.c", "abc", False),
        ("dist/*.whl", "dist/proxy-2.4+g08-py3.whl", True),
        ("naïve?", "naïve☺", True),
    ],
)
def test_a_pattern_names_what_it_names_for_docker(pattern, path, answer):
    assert ignored(pattern, path) is answer


@pytest.mark.parametrize(
    ("lines", "path", "answer"),
    [
        ("*.md\n!README.md", "README.md", False),
        ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", True),
        ("*.md\nREADME-secret.md\n!README*.md", "README-secret.md", False),
        ("!README.md\n*.md", "README.md", True),
        ("docs\n!docs/README.md", "docs/README.md", False),
        ("docs\n!docs/README.md", "docs/other.md", True),
        ("**\n!util/web", "util/web/foo", False),
        ("**\n!util/web\nutil/web/foo", "util/web/foo", True),
        ("docs\n  !  docs/README.md  ", "docs/README.md", False),
        # An exception that nothing before it has called for is not kept for what is below.
        ("a/b\n!a", "a/b", True),
        ("# a comment\n\n   \nb", "b", True),
        ("#b", "#b", False),
        (" #b", "#b", True),
        ("\ufeffb\r\nc\r\n", "b", True),
    ],
)
def test_the_last_line_that_matches_decides(lines, path, answer):
    assert ignored(lines, path) is answer


@given(name=NAMES, above=st.lists(NAMES, max_size=3), below=st.lists(NAMES, max_size=3))
def test_a_name_is_left_out_with_all_that_is_in_it_at_the_depth_that_its_pattern_says(name, above, below):
    path = "/".join([*above, name, *below])

    assert ignored("/".join([*above, name]), path)
    assert ignored("/".join(["*"] * len(above) + [name]), path)
    assert ignored(f"**/{name}", path)
    assert not ignored("/".join(["*"] * len(path.split("/")) + [name]), path)


@given(
    path=PATHS, patterns=st.lists(st.sampled_from(["*", "**", "a", "*/b", "**/c", "!a", "!**/b"]), max_size=4)
)
def test_a_last_line_of_its_own_always_decides(path, patterns):
    before = "\n".join(patterns)

    assert ignored(f"{before}\n{path}", path)
    assert not ignored(f"{before}\n**\n!{path}", path)
    assert not ignored(before, path, always=[path])


@given(path=PATHS, other=PATHS)
def test_a_literal_pattern_leaves_out_itself_and_what_is_in_it_and_nothing_else(path, other):
    assert ignored(path, other) is (other == path or other.startswith(f"{path}/"))


@given(exception=st.sampled_from(["a", "a/b", "*/b", "**/c", "a/*/c", "b[ab]", "a/b/c"]), path=PATHS)
def test_a_folder_is_looked_into_wherever_an_exception_takes_something_of_it(exception, path):
    rules = read_ignore_file(f"**\n!{exception}")
    if not ignored(f"**\n!{exception}", path):
        parts = path.split("/")
        assert all(rules.takes_some_of("/".join(parts[:depth])) for depth in range(1, len(parts)))


def test_what_no_exception_can_reach_is_not_looked_into():
    rules = read_ignore_file("node_modules\n!docs/*.md", always=["Dockerfile", "api/Dockerfile"])

    assert not rules.takes_some_of("node_modules")
    assert rules.takes_some_of("docs")
    assert rules.takes_some_of("api")


@pytest.mark.parametrize(
    "bad", ["[", "a[", "a[^", "a[bc", "[]a]", "[-]", "[x-]", "[a-b-c]", "a\\", "!", "!/", "!["]
)
def test_a_pattern_without_its_end_is_named_with_its_line(bad):
    with pytest.raises(CliError) as told:
        read_ignore_file(f"fine\n{bad}\n")

    assert told.value.sentence.startswith(".dockerignore, line 2: ")
    assert told.value.hint == f"mend it: {bad}"
