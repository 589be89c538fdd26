"""Bots as processes of their own, made by fork: importing everything takes seconds, and a sweep starts hundreds.

`python -m tests.crashes.nursery SOCKET` imports the bot once and runs none. Whoever connects and sends one line gets
a fresh process that carries this order out; the answer is the exit status, negative for a signal. A bot lives no
longer than its connection, so that nothing survives a test, however that ends.
"""

import contextlib
import json
import os
import random
import select
import signal
import socketserver
import sys

from tests.crashes.bot import live
from tests.crashes.orders import Order


class Attendant(socketserver.StreamRequestHandler):
    """Has one bot; runs in a forked process of its own."""

    def handle(self) -> None:
        order = Order.read(self.rfile.readline())
        alive, kept_open = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(alive)
            self.connection.close()
            # The generator's state came along with the fork.
            random.seed()
            os._exit(live(order))
        os.close(kept_open)
        # Readable is either the end of the bot, which closes its pipe, or the end of the connection.
        ready, _, _ = select.select([alive, self.connection], [], [])
        if alive not in ready:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        with contextlib.suppress(OSError):
            self.wfile.write(json.dumps(os.waitstatus_to_exitcode(status)).encode() + b"\n")


class Nursery(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    """Forks for every connection."""

    max_children = 100
    request_queue_size = 100


if __name__ == "__main__":
    with Nursery(sys.argv[1], Attendant) as nursery:
        nursery.serve_forever()
