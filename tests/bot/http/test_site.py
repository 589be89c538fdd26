"""Where a port listens."""

import pytest

from bot.http.site import socket_hosts


@pytest.mark.parametrize(
    ("host", "listened"),
    [("::", ["::", "0.0.0.0"]), ("0.0.0.0", ["0.0.0.0"]), ("::1", ["::1"]), ("localhost", ["localhost"])],
)
def test_every_address_of_ipv6_means_every_address(host: str, listened: list[str]):
    assert socket_hosts(host) == listened
