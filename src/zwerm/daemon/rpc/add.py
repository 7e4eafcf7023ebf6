"""`add`: files and folders become content (Kubo, "RPC API", `/api/v0/add`).

What is told has happened: an address is sent once its blocks are durable, that of a root once it is also pinned and,
with `to-files`, stands in the tree. Everything happens under one hold of the store, which keeps the collector away.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from zwerm.daemon.rpc.body import Body, DiskBody
from zwerm.daemon.rpc.errors import CommandError, UsageError
from zwerm.daemon.rpc.registry import FAST_PROVIDE, Context, OptionKind, command, file_argument, flag, option

if TYPE_CHECKING:
    from zwerm.daemon.rpc.add_disk import DiskAdder
    from zwerm.daemon.rpc.add_upload import UploadAdder
    from zwerm.ipfs.unixfs.entry import Entry
    from zwerm.ipfs.unixfs.profile import Profile

# Options that are a field of the profile as they stand.
_FIELDS: Final = {
    "chunker": "chunker",
    "max_file_links": "max_links",
    "max_hamt_fanout": "hamt_fanout",
    "preserve_mode": "keep_mode",
    "preserve_mtime": "keep_mtime",
}
_METADATA: Final = ("mode", "mtime", "preserve_mode", "preserve_mtime")


@dataclasses.dataclass(slots=True)
class AddPlan:
    """What an `add` is asked to do, checked."""

    profile: Profile
    pin: bool = True
    pin_name: str = ""
    to_files: str | None = None
    message: str | None = None
    only_hash: bool = False
    wrap: bool = False
    quieter: bool = False
    silent: bool = False
    progress: bool = False
    empty_dirs: bool = True
    mode: int | None = None  # for every file and folder
    mtime: tuple[int, int] | None = None  # likewise


@command(
    "add",
    "Keep files and folders, print their addresses",
    arguments=[file_argument("path", "Files, and with -r folders.", variadic=True, recursive=True)],
    options=[
        flag("recursive", "r", text="Take folders with all that is in them.", display=True),
        flag("dereference-args", text="Follow symbolic links that are named.", display=True),
        flag("dereference-symlinks", text="Follow every symbolic link.", display=True),
        option("stdin-name", text="Name of what is read from standard input.", display=True),
        flag("hidden", "H", text="In folders: names that begin with a dot too.", display=True),
        option("ignore", kind=OptionKind.STRINGS, text="Leave out what matches (as in .gitignore).", display=True),
        option("ignore-rules-path", text="Leave out what the rules in a file match.", display=True),
        flag("empty-dirs", "E", text="Take folders with nothing in them.", default=True),
        flag("quiet", "q", text="Print only addresses.", display=True),
        flag("quieter", "Q", text="Print only the last address."),
        flag("silent", text="Print nothing."),
        flag("progress", "p", text="Show progress; by itself on a terminal."),
        flag("only-hash", "n", text="Only say what the addresses would be."),
        flag("wrap-with-directory", "w", text="Put everything into a folder, so that names are kept."),
        flag("pin", text="Keep it until it is unpinned.", default=True),
        option("pin-name", text="A name for the pin."),
        option("to-files", "to", text="Put it into the node's own tree at this path (into it when it ends in /)."),
        option("message", "m", text="With --to: words that go with the version this makes."),
        option("profile", text="How content becomes blocks: default, unixfs-v0-2015 or unixfs-v1-2025."),
        option("cid-version", kind=OptionKind.INT, text="CID version: 0 or 1; 1 brings raw leaves."),
        option("hash", text="Hash function; others than sha2-256 need CID version 1."),
        flag("raw-leaves", text="Bare blocks for the bytes of files."),
        option("chunker", "s", text="size-BYTES, rabin-MIN-AVG-MAX or buzhash."),
        flag("trickle", "t", text="A tree whose beginning is near the root."),
        option("max-file-links", kind=OptionKind.INT, text="Links in a node of a file."),
        option("max-directory-links", kind=OptionKind.INT, text="Not offered: folders are sharded by their size."),
        option("max-hamt-fanout", kind=OptionKind.INT, text="Slots in a node of a sharded folder: 8 to 1024."),
        flag("inline", text="Small blocks become part of their address."),
        option("inline-limit", kind=OptionKind.INT, text="Bytes of the largest such block, up to 128.", default=32),
        flag("nocopy", text="Not offered: the repository always has its own copy."),
        flag("fscache", text="Accepted as Kubo does; there is no filestore."),
        flag("preserve-mode", text="Keep permissions."),
        flag("preserve-mtime", text="Keep modification times."),
        option("mode", kind=OptionKind.UINT, text="Permissions for everything that is added, 0644."),
        option("mtime", kind=OptionKind.INT, text="Modification time for everything, in seconds since 1970."),
        option("mtime-nsecs", kind=OptionKind.UINT, text="Nanoseconds of it."),
        *FAST_PROVIDE,
    ],
)
async def add(context: Context, body: Body, **options: Any) -> AsyncIterator[dict[str, Any]]:
    """Yield addresses as they become durable, and with `progress` bytes in between; see `AddPlan` for the options."""
    plan = make_plan(context, options)
    plain = plan.empty_dirs and plan.mode is None and plan.mtime is None
    adder: DiskAdder | UploadAdder
    if isinstance(body, DiskBody) and context.in_process and plain:
        from zwerm.daemon.rpc.add_disk import DiskAdder

        adder = DiskAdder(context, plan, body)
    else:
        from zwerm.daemon.rpc.add_upload import UploadAdder

        adder = UploadAdder(context, plan, body)
    with ExitStack() as stack:
        if not plan.only_hash:
            stack.enter_context(context.node.store.hold())
        async for event in adder.run():
            yield event


def make_plan(context: Context, options: dict[str, Any]) -> AddPlan:
    """Check options against each other.

    Raises:
        CommandError: what was asked cannot be, or contradicts itself.
    """
    from zwerm.daemon.rpc.pin import check_pin_name

    if options.get("nocopy"):
        raise CommandError("--nocopy is not offered: the repository always keeps its own copy of what is added")
    if options.get("max_directory_links"):
        raise CommandError("--max-directory-links is not offered: folders are sharded by their size")
    plan = AddPlan(
        _profile(context, options),
        pin=options.get("pin", True) and not options.get("only_hash"),
        pin_name=options.get("pin_name") or "",
        to_files=options.get("to_files"),
        message=options.get("message"),
        only_hash=bool(options.get("only_hash")),
        wrap=bool(options.get("wrap_with_directory")),
        quieter=bool(options.get("quieter")),
        silent=bool(options.get("silent")),
        progress=bool(options.get("progress")),
        empty_dirs=options.get("empty_dirs", True),
        mode=options.get("mode") or None,
        mtime=_mtime(options),
    )
    if plan.only_hash and plan.to_files is not None:
        raise CommandError("--only-hash keeps nothing, so there is nothing for --to-files")
    if plan.pin_name and not plan.pin:
        raise CommandError("--pin-name needs --pin")
    check_pin_name(plan.pin_name)
    return plan


def _mtime(options: dict[str, Any]) -> tuple[int, int] | None:
    seconds, nanoseconds = options.get("mtime"), options.get("mtime_nsecs")
    if not seconds:
        if nanoseconds:
            raise CommandError("--mtime-nsecs needs --mtime")
        return None
    if nanoseconds is not None and not 0 <= nanoseconds < 1_000_000_000:
        raise UsageError(f"--mtime-nsecs is {nanoseconds}, expected 0 to 999999999")
    return seconds, nanoseconds or 0


def _profile(context: Context, options: dict[str, Any]) -> Profile:
    """The named or configured profile with what the options change, as Kubo lets one follow from the other."""
    from zwerm.daemon.rpc.hashing import hash_code
    from zwerm.ipfs.unixfs.profile import Layout
    from zwerm.multiformats import multicodec

    profile = context.node.import_profile(options.get("profile"))
    changes: dict[str, Any] = {}
    version = options.get("cid_version")
    if version is not None and version >= 0:
        changes |= {"cid_version": version, "raw_leaves": version > 0}
    if options.get("hash_"):
        code = hash_code(context, options["hash_"])
        changes["hash_code"] = code
        if code != multicodec.SHA2_256 and version is None and profile.cid_version == 0:
            changes |= {"cid_version": 1, "raw_leaves": True}
    raw_leaves = options.get("raw_leaves")
    if any(options.get(name) for name in _METADATA):
        if raw_leaves:
            raise CommandError("--raw-leaves cannot be used with modes or modification times")
        raw_leaves = False
    if raw_leaves is not None:
        changes["raw_leaves"] = raw_leaves
    changes |= {field: options[name] for name, field in _FIELDS.items() if options.get(name)}
    if options.get("trickle") is not None:
        changes["layout"] = Layout.TRICKLE if options["trickle"] else Layout.BALANCED
    if options.get("inline"):
        changes["inline_limit"] = options.get("inline_limit", 32)
    return dataclasses.replace(profile, **changes)


def event(context: Context, plan: AddPlan, name: str, entry: Entry) -> dict[str, Any]:
    """What is told of an added file or folder, in Kubo's words."""
    mode = entry.mode if entry.mode is not None else plan.mode
    told: dict[str, Any] = {"Name": name, "Hash": context.text(entry.cid), "Size": str(entry.total_size)}
    if mode:
        told["Mode"] = f"{mode:04o}"
    if entry.mtime is not None:
        told["Mtime"] = entry.mtime.seconds
        if entry.mtime.nanoseconds:
            told["MtimeNsecs"] = entry.mtime.nanoseconds
    return told


async def keep(context: Context, plan: AddPlan, roots: list[tuple[str, Entry]]) -> None:
    """Make roots durable, pin them, put them into the tree. The caller has the hold."""
    node = context.node
    if plan.only_hash:
        return
    await asyncio.to_thread(node.store.sync)
    if plan.pin:
        for _, entry in roots:
            await asyncio.to_thread(node.pins.record, entry.cid, recursive=True, name=plan.pin_name)
    if plan.to_files is None:
        return
    target = plan.to_files or "/"
    into = target.endswith("/")
    if not into and len(roots) > 1:
        raise CommandError(f"--to-files={target} is one place for {len(roots)} things; end it in / to put them into it")
    async with node.files.batch(plan.message):
        for name, entry in roots:
            if into and not name:
                raise CommandError("what has no name cannot be put into a folder; give --stdin-name or a whole path")
            await node.files.place(target + name if into else target, entry.cid)
