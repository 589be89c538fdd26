"""What MkDocs is told beyond mkdocs.yml: pages that lie beside docs/, links that lead out of it, and the decisions in order (make site)."""

import os
import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
# In the repository → in the site.
BESIDE = {
    "README.md": "index.md",
    "deploy/README.md": "deploy.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "SECURITY.md": "reporting.md",
}
SOURCES = {site: repository for repository, site in BESIDE.items()}
# With its words, for where nobody says where the repository is.
LINKED = re.compile(r"\[([^\[\]]+)\]\((?!https?:|#|mailto:)([^)\s#]+)(#[^)\s]*)?\)")
LINK = re.compile(r"(?<=\]\()(?!https?:|#|mailto:)([^)\s#]+)(#[^)\s]*)?(?=\))")
FENCE = re.compile(r"^(```.*?^```)", re.MULTILINE | re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put every decision into the navigation, where mkdocs.yml has their place, and find out where the repository is."""
    if not config.repo_url:
        config.repo_url = repository_of(os.environ)
    decisions = sorted(path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/decisions/0*.md"))
    for section in config.nav or []:
        for pages in section.values():
            if isinstance(pages, list):
                pages[:] = [{"Decisions": decisions} if page == {"Decisions": "decisions/"} else page for page in pages]
    return config


def repository_of(environ: Mapping[str, str]) -> str | None:
    """Return where the repository is that a CI builds, None where nobody says so."""
    if "GITHUB_REPOSITORY" in environ:
        return f"{environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{environ['GITHUB_REPOSITORY']}"
    return environ.get("CI_PROJECT_URL")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for repository, site in BESIDE.items():
        text = (ROOT / repository).read_text(encoding="utf-8")
        files.append(File.generated(config, site, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Let each link lead where it leads in the repository: to the page of that file, or to the file on the forge."""
    here = page.file.src_uri
    source = SOURCES.get(here, f"docs/{here}")

    def aimed(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[1]))
        return _address(target, here, config.repo_url or "") + (link[2] or "")

    def words(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[2]))
        return link[0] if _inside(target) else link[1]

    def told(part: str) -> str:
        return LINK.sub(aimed, part if config.repo_url else LINKED.sub(words, part))

    # What stands in a block of code is no link.
    parts = FENCE.split(markdown)
    return "".join(part if part.startswith("```") else told(part) for part in parts)


def _address(target: str, here: str, repository: str) -> str:
    if inside := _inside(target):
        return posixpath.relpath(inside, posixpath.dirname(here) or ".")
    kind = "tree" if (ROOT / target).is_dir() else "blob"
    return f"{repository}/{kind}/main/{target}"


def _inside(target: str) -> str:
    """Return where a file of the repository is in the site, "" where it is not in it."""
    inside = BESIDE.get(target, target.removeprefix("docs/") if target.startswith("docs/") else "")
    return "" if (ROOT / target).is_dir() or inside.endswith((".py", ".json")) else inside
