"""References to container images: a wrong one is told when a build is registered, not by a pod that never starts."""

import re

# The grammar of github.com/distribution/reference: [host[:port]/]path[:tag][@digest].
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?"
REFERENCE = re.compile(
    rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?"
)
IMAGE_ID = re.compile(r"(?:sha256:)?[0-9a-f]{64}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
LONGEST_REFERENCE = 512  # characters; registries stop at 255 for the name alone


def image_problem(reference: str) -> str:
    """Return "" for an image reference, else why it is none."""
    if IMAGE_ID.fullmatch(reference):
        # By the grammar it is a repository; no registry has one of that name, and Docker takes it for the id.
        return "the id of an image on one machine, which no node can pull; write repository@sha256:digest"
    if len(reference) <= LONGEST_REFERENCE and REFERENCE.fullmatch(reference):
        return ""
    name = reference.partition("@")[0].rpartition("/")[2].partition(":")[0]
    digest = reference.partition("@")[2]
    reasons = (
        (len(reference) > LONGEST_REFERENCE, f"more than {LONGEST_REFERENCE} characters"),
        (any(c.isspace() for c in reference), "it has spaces"),
        ("://" in reference, "leave out the protocol"),
        ("@" in reference and not DIGEST.fullmatch(digest), "a digest is sha256: and 64 hexadecimal digits"),
        (name != name.lower(), "a repository's name is lower-case"),
    )
    general = "write [host/]repository[:tag][@sha256:digest]"
    return next((why for applies, why in reasons if applies), general)


def registry_path(text: str) -> str:
    """Return `host[/path]` of a registry as people write it, "" where it is none: what an app's name may be put behind."""
    registry = text.removeprefix("https://").rstrip("/")
    return "" if image_problem(f"{registry}/app:tag") else registry
