"""Payloads in the shape in which GitHub and GitLab document theirs, of repositories that there are not."""

from typing import Any

BEFORE, COMMIT, TAG = "a" * 40, "b" * 40, "c" * 40
NONE = "0" * 40
# Noon of the day on which the world of the tests begins.
PUSHED_AT = 1_767_268_800


def github(**changes: Any) -> dict[str, Any]:
    commit = {
        "id": COMMIT,
        "tree_id": "d" * 40,
        "distinct": True,
        "message": "Sell gift cards\n\nCloses #7",
        "timestamp": "2026-01-01T13:00:00+01:00",
        "url": f"https://github.com/Acme/shop/commit/{COMMIT}",
        "author": {"name": "Alice Example", "email": "alice@example.com", "username": "alice"},
        "committer": {"name": "GitHub", "email": "noreply@example.com", "username": "web-flow"},
        "added": [],
        "removed": [],
        "modified": ["web/app.py"],
    }
    payload = {
        "ref": "refs/heads/main",
        "before": BEFORE,
        "after": COMMIT,
        "created": False,
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "compare": f"https://github.com/Acme/shop/compare/{BEFORE[:12]}...{COMMIT[:12]}",
        "commits": [commit],
        "head_commit": commit,
        "repository": {
            "id": 1,
            "name": "shop",
            "full_name": "Acme/shop",
            "private": True,
            "html_url": "https://github.com/Acme/shop",
            "url": "https://github.com/Acme/shop",
            "clone_url": "https://github.com/Acme/shop.git",
            "ssh_url": "git@github.com:Acme/shop.git",
            "created_at": 1_600_000_000,
            "pushed_at": PUSHED_AT,
            "default_branch": "main",
        },
        "pusher": {"name": "alice", "email": "alice@example.com"},
        "sender": {"login": "alice", "id": 2, "type": "User"},
    }
    return payload | changes


def github_tag(**changes: Any) -> dict[str, Any]:
    """An annotated tag: what was pushed is the tag, and the commit is another."""
    return github(ref="refs/tags/v1", before=NONE, after=TAG, created=True, commits=[], **changes)


def gitlab(**changes: Any) -> dict[str, Any]:
    payload = {
        "object_kind": "push",
        "event_name": "push",
        "before": BEFORE,
        "after": COMMIT,
        "ref": "refs/heads/main",
        "ref_protected": True,
        "checkout_sha": COMMIT,
        "user_id": 4,
        "user_name": "Bob Example",
        "user_username": "bob",
        "project_id": 15,
        "project": {
            "id": 15,
            "name": "Shop",
            "web_url": "https://gitlab.example.com/acme/web/shop",
            "git_ssh_url": "git@gitlab.example.com:acme/web/shop.git",
            "git_http_url": "https://gitlab.example.com/acme/web/shop.git",
            "path_with_namespace": "acme/web/shop",
            "default_branch": "main",
        },
        "commits": [
            {
                "id": BEFORE,
                "message": "One before",
                "author": {"name": "Somebody Else", "email": "[REDACTED]"},
            },
            {
                "id": COMMIT,
                "message": "Sell gift cards\n",
                "title": "Sell gift cards",
                "timestamp": "2026-01-01T12:00:00+00:00",
                "author": {"name": "Bob Example", "email": "[REDACTED]"},
            },
        ],
        "total_commits_count": 2,
        "push_options": {},
    }
    return payload | changes
