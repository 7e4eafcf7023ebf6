"""`repo`, `pins` and `jobs`: the space that is used, what is kept, and the work on it."""

from __future__ import annotations

import asyncio
import shutil
import time
from typing import Any, Final

from zwerm.core.escaped import from_portable
from zwerm.daemon.app.entries import plain
from zwerm.daemon.app.failure import AppError
from zwerm.daemon.app.jobs import Job
from zwerm.daemon.app.request import Reply, Request, field, parse_cid, route, time_text
from zwerm.ipfs.pins.pin import PinKind
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

MAX_DAMAGED: Final = 1000  # blocks named in the result of a verification
_UNITS: Final = {"gc": "blocks", "verify": "blocks", "measure": "blocks"}


@route("GET", "repo")
async def repo(request: Request) -> dict[str, Any]:
    """Say what space is used for what."""
    node = request.node
    measured = request.api.measured
    free = await asyncio.to_thread(shutil.disk_usage, node.repository.path)
    return {
        "path": str(node.repository.path),
        "disk": node.store.used(),
        "blocks": (await node.repo_stat()).blocks,
        "maximum": node.config.size("storage.max") or None,
        "free": free.free,
        "kinds": measured[1] if measured else None,
        "measured": time_text(measured[0]) if measured else None,
    }


@route("GET", "pins")
async def list_pins(request: Request) -> dict[str, Any]:
    """List what is kept."""
    kind = request.choice("kind", "all", *(kind.value for kind in PinKind))
    name = plain(request.optional("q") or "")
    limit, start = request.limit(), request.number("after", 0, 0, 100_000_000)
    shown: list[dict[str, Any]] = []
    position = 0
    async for pin in request.node.pins.list(None if kind == "all" else PinKind(kind)):
        if name not in plain(pin.name or ""):
            continue
        position += 1
        if position <= start:
            continue
        if len(shown) == limit:
            return {"pins": shown, "next": str(start + limit)}
        shown.append({"cid": str(pin.cid), "kind": pin.kind.value, "name": pin.name})
    return {"pins": shown, "next": None}


@route("POST", "pins")
async def add_pin(request: Request) -> Reply:
    """Keep something."""
    document = await request.json()
    node = request.node
    if "cid" in document:
        cid = parse_cid(field(document, "cid", str))
    else:
        cid = await node.resolve(from_portable(field(document, "path", str)))
    recursive = field(document, "recursive", bool, default=True)
    name = field(document, "name", str, default="")
    await node.pins.add(node.source, cid, recursive=recursive, name=name)
    kind = (PinKind.RECURSIVE if recursive else PinKind.DIRECT).value
    return Reply({"pin": {"cid": str(cid), "kind": kind, "name": name}}, 201)


@route("DELETE", "pins")
async def remove_pin(request: Request) -> dict[str, Any]:
    """Keep something no longer."""
    node, cid = request.node, request.cid()
    found = await asyncio.to_thread(node.pins.find, cid)
    if found is None:
        raise AppError("not-found", f"{cid} is not kept by a pin of its own", str(cid))
    await node.with_room(lambda: node.pins.remove(cid))
    return {"pin": {"cid": str(cid), "kind": found.kind.value, "name": found.name}}


@route("GET", "jobs")
async def list_jobs(request: Request) -> dict[str, Any]:
    """List what runs and what ran."""
    return {"jobs": [job.document() for job in request.api.jobs.list()]}


@route("POST", "jobs")
async def start_job(request: Request) -> Reply:
    """Begin a collection, a verification or a measurement."""
    kind = field(await request.json(), "kind", str)
    works = {"gc": collect, "verify": verify, "measure": measure}
    if kind not in works:
        raise AppError("bad-request", f"There is no job {kind[:40]!r}; there are {', '.join(works)}")
    work = works[kind]
    job = request.api.jobs.start(kind, _UNITS[kind], lambda job: work(request, job))
    return Reply(job.document(), 202)


@route("GET", "jobs/")
async def show_job(request: Request) -> dict[str, Any]:
    """Describe one job."""
    return request.api.jobs.find(request.rest).document()


@route("DELETE", "jobs/")
async def stop_job(request: Request) -> dict[str, Any]:
    """Stop one job."""
    job = request.api.jobs.find(request.rest)
    await request.api.jobs.stop(job)
    return job.document()


async def collect(request: Request, job: Job) -> dict[str, int]:
    """Remove what nothing keeps."""
    removed = await request.node.collect(lambda progress: job.progress(progress.marked + progress.removed.blocks))
    return {"blocks": removed.blocks, "bytes": removed.size}


async def verify(request: Request, job: Job) -> dict[str, Any]:
    """Hold every block against its hash."""
    found = await request.node.verify(job.progress)
    damaged = [str(CID(1, multicodec.RAW, key)) for key in found.corrupt[:MAX_DAMAGED]]
    return {"blocks": found.blocks, "damaged": damaged, "index": found.index_damage}


async def measure(request: Request, job: Job) -> list[dict[str, Any]]:
    """Find out what keeps how much."""
    from zwerm.node.measure import measure as measured

    kinds = [kind._asdict() async for kind in measured(request.node, job.progress)]
    request.api.measured = time.time(), kinds
    return kinds
