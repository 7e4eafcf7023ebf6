"""Running a command: text arguments and options are bound to its parameters (Kubo, "RPC API")."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from zwerm.daemon.rpc.errors import UsageError
from zwerm.daemon.rpc.registry import GLOBAL_OPTIONS, Command, Context, Option, OptionKind, RawStream
from zwerm.daemon.rpc.values import parse_duration

if TYPE_CHECKING:
    from zwerm.daemon.rpc.body import Body


async def invoke(
    found: Command,
    context: Context,
    arguments: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    body: Body | None = None,
) -> Any:
    """Bind text to the command and run it; see the module's first lines for what comes back.

    Option values are text, lists of text or already of their kind; names are any of the option's names. Unknown names
    are left out, as Kubo does over HTTP. `timeout` counts until the answer's last item.

    Raises:
        UsageError: before anything ran.
    """
    values, global_values = _bind_options(found, options or {})
    if base := global_values.get("cid-base"):
        from zwerm.multiformats.multibase import BASES

        if base not in BASES:
            raise UsageError(f"--cid-base is {base!r}, expected a multibase such as base32; see `zwerm cid bases`")
        context.cid_base = base
    context.upgrade_cid_v0 = global_values.get("upgrade-cidv0-in-output") or context.upgrade_cid_v0
    context.offline = global_values.get("offline") or context.offline
    if getattr(context.node, "network", None) is not None:
        from zwerm.ipfs.exchange.switch import begin_request

        begin_request(offline=context.offline, tag=context.tag)
    encoding = global_values.get("encoding", "json")
    if encoding != "json":  # HTTP makes `text` of it; Kubo answers an unknown one so, too
        raise UsageError(f"invalid encoding: {encoding}; expected json or text")
    values.update(_bind_arguments(found, arguments, body))
    timeout = parse_duration(global_values["timeout"]) if global_values.get("timeout") else None
    deadline = None if timeout is None else asyncio.get_running_loop().time() + timeout
    result = found.run(context, **values)
    if hasattr(result, "__aiter__"):
        return result if deadline is None else _until(deadline, result)
    async with asyncio.timeout_at(deadline):
        answer = await result
    if deadline is not None and isinstance(answer, RawStream):
        answer.chunks = _until(deadline, answer.chunks)
    return answer


async def _until(deadline: float, items: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
    async with aclosing(items):
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    item = await anext(items)
            except StopAsyncIteration:
                return
            yield item


def _bind_options(found: Command, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the command's own options by parameter, and the global ones by name."""
    values: dict[str, Any] = {}
    for name, value in given.items():
        option = found.option(name)
        if option is not None:
            values[option.name] = option_value(option, value)
    passed = [option for option in found.options if not option.display]
    own = {option.keyword: option.default for option in passed if option.default is not None}
    own |= {option.keyword: values[option.name] for option in passed if option.name in values}
    return own, {option.name: values[option.name] for option in GLOBAL_OPTIONS if option.name in values}


def option_value(option: Option, given: Any) -> Any:
    """Return what an option was given: text, a list of texts, or a value that is of its kind already."""
    if option.kind is OptionKind.STRINGS:
        return [given] if isinstance(given, str) else list(given)
    if isinstance(given, (list, tuple)):
        if len(given) != 1:
            raise UsageError(f"--{option.name} was given {len(given)} times, expected once")
        given = given[0]
    return option.parse(given) if isinstance(given, str) else given


def _bind_arguments(found: Command, given: Sequence[str], body: Body | None) -> dict[str, Any]:
    """Give arguments their values in order; optional ones get one only when enough remain for the required."""
    values: dict[str, Any] = {}
    rest = list(given)
    required = sum(1 for argument in found.arguments if argument.required and not argument.file)
    for argument in found.arguments:
        if argument.file:
            if argument.required and body is None:
                raise UsageError(f"file argument {argument.name!r} is required")
            values["body"] = body
            continue
        if argument.required:
            required -= 1
        elif len(rest) <= required:
            continue
        if argument.variadic:
            if argument.required and not rest:
                raise UsageError(f"argument {argument.name!r} is required")
            values[argument.keyword] = rest
            rest = []
        elif rest:
            values[argument.keyword] = rest.pop(0)
        elif argument.required:
            raise UsageError(f"argument {argument.name!r} is required")
    if rest:
        raise UsageError(f"{rest[0]!r} is one argument too many for {found.path.replace('/', ' ')!r}")
    return values
