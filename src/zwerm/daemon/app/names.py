"""`names`: where the node's names point, where they pointed before, and until when others may believe it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from zwerm.core.errors import WireError
from zwerm.core.escaped import from_portable
from zwerm.daemon.app.failure import AppError
from zwerm.daemon.app.request import Request, field, route, time_text
from zwerm.daemon.app.summary import templates

if TYPE_CHECKING:
    from zwerm.ipfs.ipns.store import OwnRecord

MAX_HISTORY: Final = 20  # earlier targets shown of one name

_SECOND: Final = 1_000_000_000


@route("GET", "names")
async def list_names(request: Request) -> dict[str, Any]:
    """List the node's keys, each with what is published under it."""
    node = request.node
    keys = await asyncio.to_thread(node.keys.entries)
    published = {own.name: own for own in await node.names.own()}
    rows = [
        await _row(request, key.name, key.peer_id.to_cid().encode("base36"), published.get(key.peer_id)) for key in keys
    ]
    return {"online": node.names.is_online, "names": rows}


async def _row(request: Request, key: str, name: str, own: OwnRecord | None) -> dict[str, Any]:
    link = (templates(request) or {}).get("path")
    row: dict[str, Any] = {"key": key, "name": name, "published": None, "history": []}
    if own is None:
        return row
    history = await request.node.names.history(own.name)
    row["link"] = str(link).replace("/ipfs/{cid}", f"/ipns/{name}") if link else None
    row["published"] = {
        "path": own.record.value.decode(errors="replace"),
        "sequence": str(own.record.sequence),
        "signed": time_text(own.signed / _SECOND),
        "ends": time_text(own.record.validity / _SECOND),
        "ttl": own.record.ttl / _SECOND,
    }
    row["history"] = [
        {"path": line.path, "sequence": str(line.sequence), "time": time_text(line.published / _SECOND)}
        for line in history[:MAX_HISTORY]
    ]
    return row


@route("POST", "names/publish")
async def publish(request: Request) -> dict[str, Any]:
    """Let the name of a key point at content; the key is made when there is none of that name."""
    from zwerm.identity.keystore import KeyNotFound
    from zwerm.ipfs.ipld.path import ContentPath
    from zwerm.node.paths import content_path

    node, document = request.node, await request.json()
    key, text = field(document, "key", str).strip(), from_portable(field(document, "path", str).strip())
    try:
        path = ContentPath.from_text(text) if text.startswith("/ipns/") else await content_path(node, text)
    except WireError as error:
        raise AppError("bad-address", "This is no address, and no path of one of your files", str(error)) from None
    if path.namespace == "ipfs":
        await node.resolve(path)
    try:
        secret = await asyncio.to_thread(node.keys.find, key)
    except KeyNotFound:
        secret = await asyncio.to_thread(node.keys.generate, key)
    published = await node.names.publish(secret, path)
    return {"key": key, "name": published.name.to_cid().encode("base36"), "path": str(path)}


@route("POST", "names/withdraw")
async def withdraw(request: Request) -> dict[str, Any]:
    """Publish no longer under the name of a key; the key stays."""
    from zwerm.identity.peer_id import PeerId

    key = field(await request.json(), "key", str)
    secret = await asyncio.to_thread(request.node.keys.find, key)
    if not await request.node.names.withdraw(PeerId.of(secret.public)):
        raise AppError("not-found", f"Nothing is published under {key}", key)
    return {"key": key}
