"""Messages of the calls protocol, version 1: one JSON object in one text (docs/calls.md).

Everything a client sends passes `parse_request`, everything a server sends `parse_event`; both follow `schema.json` to
the letter and raise a `WireError` for all that it does not allow. `serialize` trusts its caller.
"""

from __future__ import annotations

import functools
import json
from typing import Any, Final, NoReturn, TypeAlias

from zwerm.calls.schema import Check, Compiler, document
from zwerm.core.errors import WireError

VERSION: Final = 1
MAX_MESSAGE: Final = 65_536  # bytes of a message from a client; descriptions of a call have 2 to 20 kB
MAX_EVENT: Final = 2_097_152  # bytes of a message from a server: a full room in one list

Message: TypeAlias = dict[str, Any]


def parse_request(text: str | bytes) -> Message:
    """Read what a client sent.

    Raises:
        WireError: it is no request of this version.
    """
    return _checked(_load(text, MAX_MESSAGE), _definitions()[0])


def parse_event(text: str | bytes) -> Message:
    """Read what a server sent.

    Raises:
        WireError: it is no event of this version.
    """
    return _checked(_load(text, MAX_EVENT), _definitions()[1])


def serialize(message: Message) -> str:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)


def request_types() -> frozenset[str]:
    return frozenset(_definitions()[0])


@functools.cache
def _definitions() -> tuple[dict[str, Check], dict[str, Check]]:
    definitions = document()["$defs"]
    compiler = Compiler(definitions)
    tables = [
        {each["properties"]["type"]["const"]: compiler.check(each) for each in definitions[kind]["oneOf"]}
        for kind in ("request", "event")
    ]
    return tables[0], tables[1]


def _checked(message: Any, known: dict[str, Check]) -> Message:
    if not isinstance(message, dict):
        raise WireError("a message that is no JSON object")
    kind = message.get("type")
    check = known.get(kind) if isinstance(kind, str) else None
    if check is None:
        raise WireError(f"a message of type {str(kind)[:40]!r}, which does not exist")
    check(message, kind or "")
    return message


def _load(text: str | bytes, limit: int) -> Any:
    if len(text) > limit:
        raise WireError(f"a message of {len(text)} bytes, the limit is {limit}")
    try:
        if isinstance(text, bytes):
            text = text.decode()
        document = json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)
        if "\\u" in text:
            json.dumps(document, ensure_ascii=False).encode()  # half a surrogate pair is no character
    except WireError:
        raise
    except (ValueError, RecursionError) as error:
        raise WireError(f"a message that is no JSON: {str(error)[:100]}") from None
    return document


def _refuse(name: str) -> NoReturn:
    raise WireError(f"{name} is no number of JSON")


def _unique(pairs: list[tuple[str, Any]]) -> Message:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise WireError("an object that has a field twice")
    return found
