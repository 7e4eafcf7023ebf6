"""`share`, `reach` and `qr`: the addresses under which others open something, and whether they can."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from zwerm.daemon.app.failure import AppError
from zwerm.daemon.app.request import Reply, Request, route
from zwerm.daemon.app.summary import templates
from zwerm.daemon.http.qr import draw
from zwerm.ipfs.unixfs.errors import NotUnixFS
from zwerm.ipfs.unixfs.reader import stat
from zwerm.node.availability import availability
from zwerm.node.fetches import transport_name

MAX_QR: Final = 1000  # characters; more makes a code that telephones do not read


@route("GET", "share")
async def share(request: Request) -> dict[str, Any]:
    """Say how something is reached by others."""
    if request.optional("cid") is not None:
        cid, name = request.cid(), request.optional("name") or ""
    else:
        path = request.path()
        cid, name = (await request.node.files.stat(str(path))).cid, path.name
    try:
        kind = (await stat(request.node.source, cid)).kind.value
    except NotUnixFS:
        kind = "node"
    found = templates(request) or {}
    query = f"?filename={quote(name, safe='')}" if name and kind == "file" else ""
    text = str(cid.to_v1())
    public = found.get("public")
    return {
        "cid": str(cid),
        "name": name,
        "kind": kind,
        "links": {
            "ipfs": f"ipfs://{text}",
            "path": (found.get("path") or "").replace("{cid}", text) + query if found else None,
            "subdomain": (found.get("subdomain") or "").replace("{cid}", text) + query if found else None,
            "public": f"{public}/ipfs/{text}{query}" if public else None,
        },
    }


@route("GET", "reach")
async def reach(request: Request) -> dict[str, Any]:
    """Say whether others can get something from this node now, and if not, why."""
    if request.optional("cid") is not None:
        cid = request.cid()
    else:
        cid = (await request.node.files.stat(str(request.path()))).cid
    found = availability(request.node, cid)
    return {
        "cid": str(cid),
        "standing": found.standing.value,
        "here": found.is_here,
        "told": found.is_told,
        "pending": found.is_pending,
        "public": found.is_public,
        "peers": found.peers,
        "servers": found.servers,
        "addresses": [
            {
                "address": f"{each.address}/p2p/{request.node.identity}",
                "transport": transport_name(each.address),
                "relayed": each.is_relayed,
                "near": each.is_near,
                "reachable": each.is_reachable,
            }
            for each in found.addresses
        ],
    }


@route("GET", "qr")
async def qr(request: Request) -> Reply:
    """Draw a text as a QR code."""
    text = request.text("text")
    if len(text) > MAX_QR:
        raise AppError("bad-request", f"The text has {len(text)} characters, a QR code takes {MAX_QR}")
    return Reply(draw(text), content_type="image/svg+xml")
