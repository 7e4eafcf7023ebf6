"""A py-libp2p 0.8 node with gossipsub on the loopback; for the Python of its own environment.

    suites/libp2p-venv/bin/python py_libp2p_pubsub.py

One line of JSON in, one out (lines.py): says {address, peer}, then answers {subscribe: topic}, {publish: [topic, data]}
and {next: topic}, data as base64; `next` waits for a message of somebody else and gives {from, data}.
"""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

import multiaddr
import trio
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import PROTOCOL_ID, PROTOCOL_ID_V11, GossipSub
from libp2p.pubsub.pubsub import Pubsub
from libp2p.tools.anyio_service import background_trio_service
from libp2p.utils.address_validation import find_free_port

from libp2p import new_host


async def run(pubsub: Any, subscriptions: dict[str, Any], own: Any, name: str, argument: Any) -> object:
    if name == "subscribe":
        subscriptions[argument] = await pubsub.subscribe(argument)
        return None
    if name == "publish":
        await pubsub.publish(argument[0], base64.b64decode(argument[1]))
        return None
    if name == "next":
        while True:
            message = await subscriptions[argument].get()
            author = ID(message.from_id)
            if author != own:
                return {"from": str(author), "data": base64.b64encode(message.data).decode()}
    raise ValueError(f"no verb {name}")


async def main() -> None:
    address = multiaddr.Multiaddr(f"/ip4/127.0.0.1/tcp/{find_free_port()}")
    host = new_host(listen_addrs=[address])
    router = GossipSub([PROTOCOL_ID_V11, PROTOCOL_ID], 6, 4, 12, heartbeat_interval=1)
    pubsub = Pubsub(host, router, strict_signing=True)
    subscriptions: dict[str, Any] = {}
    async with (
        host.run(listen_addrs=[address]),
        background_trio_service(pubsub),
        background_trio_service(router),
    ):
        await pubsub.wait_until_ready()
        print(json.dumps({"address": f"{address}/p2p/{host.get_id()}", "peer": str(host.get_id())}), flush=True)
        while line := await trio.to_thread.run_sync(sys.stdin.readline):
            ((name, argument),) = json.loads(line).items()
            try:
                answer: dict[str, object] = {"result": await run(pubsub, subscriptions, host.get_id(), name, argument)}
            except Exception as error:  # noqa: BLE001 -- whatever it is, the other side is told
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    trio.run(main)
