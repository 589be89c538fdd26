"""The kubelet's certificate is one that Python's strictest verification takes."""

import asyncio
import ssl

from bot.playground.kubelet.certificate import self_signed, server_context


async def test_a_strict_client_trusts_it(tmp_path):
    certificate, key = self_signed("kube-apiserver")
    (tmp_path / "tls.crt").write_bytes(certificate)
    (tmp_path / "tls.key").write_bytes(key)
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    client_side = ssl.create_default_context(cadata=certificate.decode())
    client_side.verify_flags |= ssl.VERIFY_X509_STRICT

    async def close(_, writer):
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(close, "127.0.0.1", 0, ssl=server_side)
    async with server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_side)
        assert writer.get_extra_info("peercert")["subject"] == ((("commonName", "kube-apiserver"),),)
        writer.close()
        await writer.wait_closed()


def test_a_server_context_needs_no_files_afterwards():
    assert isinstance(server_context("kubelet"), ssl.SSLContext)
