"""Under which digest a registry has an image that was pushed, out of what docker says of it."""

import json


def metadata_digest(text: str) -> str:
    """Return the digest in the metadata of a build by buildx, "" where there is none."""
    document = _read(text)
    return str(document.get("containerimage.digest", "")) if isinstance(document, dict) else ""


def repository_digest(text: str, repository: str) -> str:
    """Return the digest of an image in one repository, "" where it has none there.

    Args:
        text: its `RepoDigests`, as JSON: all that it is known by; those of Docker Hub have no host.
        repository: with its host.
    """
    references = _read(text)
    pairs = [str(each).partition("@") for each in references] if isinstance(references, list) else []
    return next((digest for name, _, digest in pairs if f"/{repository}".endswith(f"/{name}")), "")


def _read(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
