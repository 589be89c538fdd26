"""A job of CI shows the token that its CI signs for it, where `RACK_URL` has none: asked for when it is needed, and anew before it ends."""

# ruff: noqa: PLC0415 - urllib costs more than all the rest of a start, and most starts ask nobody

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote, urlsplit

from bot.cli.rack_url import CliError, RackUrl, is_loopback

# GitHub sets these in a job with `permissions: id-token: write` (docs.github.com/actions/reference/security/oidc).
REQUEST_URL, REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
# What any other CI gives a job: GitLab's `id_tokens:` names a variable so.
GIVEN, GIVEN_FILE = "CONVOX_OIDC_TOKEN", "CONVOX_OIDC_TOKEN_FILE"
AUDIENCE = "CONVOX_OIDC_AUDIENCE"
HINT = (
    "RACK_URL=https://convox:TOKEN@HOST has a stored token; in a job of GitHub Actions with `permissions: id-token: write`, and"
    f" wherever {GIVEN} is set, https://HOST will do (docs/ci.md)"
)
ANSWER_SECONDS = 10.0
# Before each new try: GitHub's service is away for moments now and then.
PAUSES = (1.0, 3.0)
# A token that ends so soon might end on its way; GitHub's live for five minutes.
LEAST_SECONDS = 60.0
MOST_BYTES = 64 * 1024

# Returns a token; told whether it must be one that has asked for nothing yet.
JobTokenSource = Callable[[bool], str]


def job_tokens(
    url: RackUrl, environ: Mapping[str, str], pause: Callable[[float], None] = time.sleep
) -> JobTokenSource:
    """Return where the tokens of this job come from; raises CliError where there are none."""
    if environ.get(GIVEN) or environ.get(GIVEN_FILE):
        return lambda _: _given(environ)
    if environ.get(REQUEST_URL) and environ.get(REQUEST_TOKEN):
        audience = environ.get(AUDIENCE) or url.origin
        return ActionsTokens(environ[REQUEST_URL], environ[REQUEST_TOKEN], audience, pause)
    raise CliError("RACK_URL has no token, and this job has none of its own", hint=HINT)


def _given(environ: Mapping[str, str]) -> str:
    """Return the token that the CI has put there; a file is read each time, since somebody may renew it."""
    if not (path := environ.get(GIVEN_FILE)):
        return environ[GIVEN].strip()
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"the file of {GIVEN_FILE} cannot be read ({type(error).__name__})") from None


class ActionsTokens:
    """Tokens of a job of GitHub Actions.

    Args:
        url: where the job asks, and `secret`, with what.
        audience: for whom a token is to be.
        pause: how to wait before another try.
    """

    def __init__(self, url: str, secret: str, audience: str, pause: Callable[[float], None]) -> None:
        if urlsplit(url).scheme != "https" and not is_loopback(urlsplit(url).hostname or ""):
            raise CliError(f"{REQUEST_URL} is no https URL, so GitHub is not asked for a token")
        self._url = f"{url}{'&' if '?' in url else '?'}audience={quote(audience, safe='')}"
        self._secret = secret
        self._pause = pause
        self._kept = ""
        self._ends_at = 0.0

    def __call__(self, fresh: bool) -> str:
        """Return a token that lives for a minute at least; `fresh`: one that has asked for nothing yet."""
        if fresh or time.time() + LEAST_SECONDS >= self._ends_at:
            self._kept = self._asked()
            self._ends_at = end_of(self._kept)
        return self._kept

    def _asked(self) -> str:
        for seconds in PAUSES:
            try:
                return self._ask()
            except OSError:
                self._pause(seconds)
        try:
            return self._ask()
        except OSError as error:
            raise CliError(
                f"GitHub gives this job no token ({type(error).__name__})", hint="run the job again"
            ) from None

    def _ask(self) -> str:
        """Ask once; raises OSError where another try may help."""
        from urllib.error import HTTPError
        from urllib.request import HTTPRedirectHandler, Request, build_opener

        class _NoRedirect(HTTPRedirectHandler):
            """What opens the door to tokens is shown to nobody else."""

            def redirect_request(self, *_: object) -> None:
                return None

        headers = {"Authorization": f"Bearer {self._secret}", "Accept": "application/json"}
        request = Request(self._url, headers=headers)  # noqa: S310 - https, as __init__ has seen
        try:
            with build_opener(_NoRedirect).open(request, timeout=ANSWER_SECONDS) as response:
                document = json.loads(response.read(MOST_BYTES))
        except HTTPError as error:
            error.close()
            if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            raise CliError(
                f"GitHub gives this job no token (HTTP {error.code})",
                hint="the job needs `permissions: id-token: write`",
            ) from None
        except ValueError:
            document = None
        token = document.get("value") if isinstance(document, dict) else None
        if not isinstance(token, str) or not token:
            raise CliError("GitHub's answer to this job holds no token", hint="run the job again")
        return token


def end_of(token: str) -> float:
    """Return when a token says that it ends, 0 where it does not: the bot verifies it, here it is only renewed."""
    try:
        body = token.split(".")[1]
        return float(json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))["exp"])
    except (ValueError, KeyError, IndexError, TypeError):
        return 0.0
