"""`cid/*`: converting addresses and saying what is in them (Kubo, "RPC API", `/api/v0/cid/format`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

from zwerm.core.errors import WireError, ZwermError
from zwerm.daemon.rpc.errors import CommandError, UsageError
from zwerm.daemon.rpc.registry import Context, argument, command, flag, option
from zwerm.multiformats import multibase, multicodec, multihash
from zwerm.multiformats.cid import CID

BASE_COLUMNS: Final = (
    flag("prefix", text="Show the letter each begins with.", display=True),
    flag("numeric", text="Show the code of that letter.", display=True),
)
_CIDS: Final = argument("cid", "Addresses to convert.", variadic=True, stdin=True)


@command(
    "cid/format",
    "Write addresses in another form",
    arguments=[_CIDS],
    options=[
        option("f", text="Printf-like format: %s the address, %b base, %v version, %c codec, %h hash.", default="%s"),
        option("v", text="CID version to convert to: 0 or 1."),
        option("mc", text="Codec to convert to."),
        option("b", text="Multibase to write it in."),
    ],
    without_node=True,
)
async def cid_format(
    _context: Context, cid: Sequence[str], f: str = "%s", v: str = "", mc: str = "", b: str = ""
) -> AsyncIterator[dict[str, Any]]:
    """Yield one result each; what cannot be converted has an `ErrorMsg` and does not end the stream."""
    if "%" not in f:
        raise CommandError(f"format {f!r} has no % in it")
    convert = _converter(v, mc, b)
    for text in cid:
        yield _result(text, lambda value, given: _write(f, convert(value), b or _base(given, value)))


@command("cid/base32", "Write addresses as CID version 1 in base32", arguments=[_CIDS], without_node=True)
async def cid_base32(_context: Context, cid: Sequence[str]) -> AsyncIterator[dict[str, Any]]:
    for text in cid:
        yield _result(text, lambda value, _: str(value.to_v1()))


@command(
    "cid/inspect",
    "Say what is in an address",
    arguments=[argument("cid", "The address.", stdin=True)],
    without_node=True,
)
async def cid_inspect(_context: Context, cid: str) -> dict[str, Any]:
    try:
        value = CID.from_text(cid)
    except WireError as error:
        raise CommandError(f"{cid!r} is no CID: {error}") from None
    code = value.hash_code
    return {
        "Cid": cid,
        "Version": value.version,
        "Multibase": {"Prefix": "" if value.version == 0 else cid[0], "Name": _base(cid, value)},
        "Multicodec": {"Code": value.codec, "Name": multicodec.codec_name(value.codec)},
        "Multihash": {
            "Code": code,
            "Name": multihash.FUNCTION_NAMES.get(code, hex(code)),
            "Length": len(value.digest),
            "Digest": value.digest.hex(),
        },
        "CidV0": str(value.to_v0()) if _has_v0(value) else "",
        "CidV1": str(value.to_v1()),
    }


@command("cid/bases", "List the multibases", options=BASE_COLUMNS, without_node=True)
async def cid_bases(_context: Context) -> list[dict[str, Any]]:
    return bases()


def bases() -> list[dict[str, Any]]:
    """The multibases as `cid bases` and `multibase list` tell them."""
    return [{"Code": ord(base.prefix), "Name": name} for name, base in multibase.BASES.items()]


@command(
    "cid/codecs",
    "List the codecs",
    options=[
        flag("numeric", "n", text="Show the numbers.", display=True),
        flag("supported", "s", text="Only those whose blocks can be read here."),
    ],
    without_node=True,
)
async def cid_codecs(_context: Context, supported: bool = False) -> list[dict[str, Any]]:
    from zwerm.ipfs.ipld import codec

    rows = sorted(multicodec.CODECS.items(), key=lambda row: row[1])
    return [{"Code": code, "Name": name} for name, code in rows if not supported or codec.known(code)]


@command(
    "cid/hashes",
    "List the hash functions",
    options=[
        flag("numeric", "n", text="Show the numbers.", display=True),
        flag("supported", "s", text="Only those that are known here: all that are listed.", display=True),
    ],
    without_node=True,
)
async def cid_hashes(_context: Context) -> list[dict[str, Any]]:
    rows = sorted(multihash.FUNCTIONS.items(), key=lambda row: row[1])
    return [{"Code": code, "Name": name} for name, code in rows]


def _result(text: str, convert: Callable[[CID, str], str]) -> dict[str, Any]:
    try:
        return {"CidStr": text, "Formatted": convert(CID.from_text(text), text), "ErrorMsg": ""}
    except UsageError:
        raise
    except ZwermError as error:
        return {"CidStr": text, "Formatted": "", "ErrorMsg": str(error)}


def _converter(version: str, codec: str, base: str) -> Callable[[CID], CID]:
    code = multicodec.CODECS.get(codec) if codec else None
    if codec and code is None:
        raise CommandError(f"codec {codec!r} is not known here")
    if version not in ("", "0", "1"):
        raise CommandError(f"CID version {version!r}, expected 0 or 1")
    if version == "0" and base not in ("", "base58btc"):
        raise CommandError(f"CIDv0 is written in base58btc, not {base}")
    if base and base not in multibase.BASES:
        raise CommandError(f"multibase {base!r} is not known here; see `zwerm cid bases`")

    def convert(value: CID) -> CID:
        if code is not None and code != value.codec:
            value = CID(1, code, value.multihash)
        if version == "0":
            return value.to_v0()
        return value.to_v1() if version == "1" or base else value

    return convert


def _base(text: str, value: CID) -> str:
    """The multibase an address is written in."""
    if value.version == 0:
        return "base58btc"
    return next((name for name, base in multibase.BASES.items() if base.prefix == text[0]), "base32")


def _has_v0(value: CID) -> bool:
    return value.codec == multicodec.DAG_PB and value.multihash[:2] == b"\x12\x20"


def _write(template: str, value: CID, base: str) -> str:
    """Fill in a format in the language of Kubo's `cid format`."""
    base = "base58btc" if value.version == 0 else base
    code = value.hash_code
    digest = value.digest
    fields: dict[str, Callable[[], str]] = {
        "%": lambda: "%",
        "b": lambda: base,
        "B": lambda: multibase.BASES[base].prefix,
        "v": lambda: f"cidv{value.version}",
        "V": lambda: str(value.version),
        "c": lambda: multicodec.codec_name(value.codec),
        "C": lambda: str(value.codec),
        "h": lambda: multihash.FUNCTION_NAMES.get(code, hex(code)),
        "H": lambda: str(code),
        "L": lambda: str(len(digest)),
        "m": lambda: multibase.encode(value.multihash, base),
        "M": lambda: multibase.encode(value.multihash, base)[1:],
        "d": lambda: multibase.encode(digest, base),
        "D": lambda: multibase.encode(digest, base)[1:],
        "s": lambda: value.encode(base),
        "S": lambda: value.encode(base) if value.version == 0 else value.encode(base)[1:],
        "P": lambda: (
            f"cidv{value.version}-{multicodec.codec_name(value.codec)}-"
            f"{multihash.FUNCTION_NAMES.get(code, hex(code))}-{len(digest)}"
        ),
    }
    out, rest = "", template
    while rest:
        before, percent, rest = rest.partition("%")
        out += before
        if percent:
            field = fields.get(rest[:1])
            if field is None:
                raise UsageError(f"%{rest[:1]} in the format {template!r}, expected one of {' '.join(fields)}")
            out, rest = out + field(), rest[1:]
    return out
