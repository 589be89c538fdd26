"""What a receiver checks, and whom a webhook may reach: pure, against published values."""

from datetime import UTC, datetime

import pytest

from bot.outgoing.public_addresses import (
    PrivateAddressError,
    PublicResolver,
    check_webhook_url,
    is_public,
    reaches_public,
)
from bot.outgoing.signing import new_secret, signed_headers
from core.errors import Invalid


def test_a_signature_is_that_of_the_specification():
    """The values are those of standardwebhooks' own tests."""
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed_headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        at,
        b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert new_secret() != new_secret()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "::1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "fe80::1%eth0",
        "fd00::1",
        "224.0.0.1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "2002:7f00:1::",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::8.8.8.8",
        "fec0::1",
        "192.0.0.192",
        "168.63.129.16",
    ],
)
def test_what_stands_beside_the_bot_is_not_of_the_internet(address):
    assert not is_public(address)
    host = f"[{address.partition('%')[0]}]" if ":" in address else address
    with pytest.raises(Invalid, match="no address of the internet"):
        check_webhook_url(f"https://{host}/in", private=False)


@pytest.mark.parametrize(
    "host", ["127.1", "2130706433", "0177.0.0.1", "0x7f000001", "0", "127.0.0.1.", "localhost."]
)
def test_an_address_that_only_a_resolver_knows_as_one_is_none_of_the_internet(host):
    """The client connects to what is written in digits without the resolver that lets only the internet through."""
    with pytest.raises(Invalid, match="no address of the internet"):
        check_webhook_url(f"https://{host}/in", private=False)
    assert not reaches_public(host), "nor is one called that was stored before"
    assert reaches_public("7up.example.com")


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"])
def test_the_internet_is_reached(address):
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "no address of a webhook"),
        ("ftp://hooks.example.com/", "no address of a webhook"),
        ("https://", "no address of a webhook"),
        ("https://hooks.example.com:port/", "no address of a webhook"),
        ("https://hooks.example.com/#part", "no address of a webhook"),
        ("https://hooks.example.com/" + "a" * 2000, "no address of a webhook"),
        ("https://me:hunter2@hooks.example.com/", "no user and no password"),
        ("http://hooks.example.com/", "by https"),
        ("https://localhost/", "no address of the internet"),
        ("https://api.localhost/", "no address of the internet"),
    ],
)
def test_an_address_that_may_not_be_reached_is_refused_and_not_repeated(url, said):
    with pytest.raises(Invalid, match=said) as raised:
        check_webhook_url(url, private=False)
    assert "hunter2" not in str(raised.value)


def test_an_operator_may_let_webhooks_reach_what_stands_beside_the_bot():
    assert (
        check_webhook_url("https://hooks.example.com/a?token=b", private=False)
        == "https://hooks.example.com/a?token=b"
    )
    assert check_webhook_url("http://127.0.0.1:8080/in", private=True) == "http://127.0.0.1:8080/in"


async def test_a_name_is_looked_up_at_each_connection_and_only_what_is_public_is_used(monkeypatch):
    resolver = PublicResolver()
    found = [{"host": "10.0.0.1"}, {"host": "8.8.8.8"}]

    async def resolve(*_: object) -> list[dict[str, str]]:
        return found

    monkeypatch.setattr(resolver._found, "resolve", resolve)
    assert [each["host"] for each in await resolver.resolve("hooks.example.com", 443)] == ["8.8.8.8"]
    found.pop()
    with pytest.raises(PrivateAddressError):
        await resolver.resolve("hooks.example.com", 443)
    await resolver.close()
