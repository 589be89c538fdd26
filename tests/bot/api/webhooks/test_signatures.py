"""Who has signed a webhook."""

import base64
import hashlib
import hmac

import pytest

from bot.api.webhooks.signatures import github_signed, gitlab_signed, gitlab_stamped, gitlab_token
from bot.webhook_settings import signing_key

KEY = b"0123456789abcdef0123456789abcdef"
TOKEN = "whsec_" + base64.b64encode(KEY).decode()
NOW = 1_767_268_800.0


def test_githubs_documented_example_is_known():
    # GitHub docs, "Validating webhook deliveries", "Testing the webhook payload validation".
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert github_signed(["It's a Secret to Everybody"], signature, b"Hello, World!")
    assert github_signed(["new", "It's a Secret to Everybody"], signature, b"Hello, World!")
    assert not github_signed(["It's a Secret to Everybody"], signature, b"Hello, World")
    assert not github_signed(["another"], signature, b"Hello, World!")
    assert not github_signed([], signature, b"Hello, World!")
    assert not github_signed(["a"], "sha256=\udc80é", b"")


def test_gitlabs_token_is_compared_whole_and_a_signing_token_is_none():
    assert gitlab_token(["new token", "old tökén"], "old tökén")
    assert not gitlab_token(["token"], "toke")
    assert not gitlab_token(["token"], "")
    assert not gitlab_token([TOKEN], TOKEN)


def signed(body: bytes, key: bytes = KEY, delivery: str = "d1", stamp: str = str(int(NOW))) -> dict[str, str]:
    mac = hmac.new(key, f"{delivery}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(mac).decode()
    return {"webhook-id": delivery, "webhook-timestamp": stamp, "webhook-signature": signature}


def test_the_standards_documented_example_is_known():
    # standard-webhooks/standard-webhooks, the test vector of its libraries.
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert gitlab_signed(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], headers, b'{"test": 2432232314}')


def test_gitlabs_signature_covers_id_time_and_body():
    good = signed(b"{}")
    assert gitlab_signed(["a secret token", TOKEN], good, b"{}")
    assert not gitlab_signed([TOKEN], good, b"{ }")
    assert not gitlab_signed([TOKEN], good | {"webhook-id": "d2"}, b"{}")
    assert not gitlab_signed([TOKEN], good | {"webhook-timestamp": "1"}, b"{}")
    assert not gitlab_signed([TOKEN], signed(b"{}", b"x" * 32), b"{}")
    assert not gitlab_signed([TOKEN], {}, b"{}")
    assert not gitlab_signed([TOKEN], good | {"webhook-id": "d1\udcff"}, b"{}")


def test_of_several_signatures_one_is_enough():
    both = signed(b"{}")["webhook-signature"] + " v1," + "A" * 44
    assert gitlab_signed([TOKEN], signed(b"{}") | {"webhook-signature": both}, b"{}")
    many = "v1,AA== " * 10 + signed(b"{}")["webhook-signature"]
    assert not gitlab_signed([TOKEN], signed(b"{}") | {"webhook-signature": many}, b"{}")


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({}, True),
        ({"webhook-timestamp": str(int(NOW) - 300)}, True),
        ({"webhook-timestamp": str(int(NOW) - 301)}, False),
        ({"webhook-timestamp": str(int(NOW) + 301)}, False),
        ({"webhook-timestamp": "now"}, False),
        ({"webhook-timestamp": ""}, False),
        ({"webhook-id": ""}, False),
        ({"webhook-signature": ""}, False),
    ],
)
def test_what_is_old_or_not_whole_is_not_even_read(changes, taken):
    assert gitlab_stamped(signed(b"{}") | changes, NOW) is taken


@pytest.mark.parametrize("cut", ["whsec_", "whsec_!!!", "whsec_a", "abc", "whsec_é"])
def test_a_signing_token_that_is_cut_is_none(cut):
    assert signing_key(cut) is None
