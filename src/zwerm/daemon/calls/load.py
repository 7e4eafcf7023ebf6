"""What a service does for `zwerm load calls` when it was started with `--allow-load`: it makes and removes accounts.

POST `/api/calls/v1/load` with `{"make": COUNT, "key": KEY}`, `{"check": [CALL, ...]}` or `{"remove": true}`. A service
without the option answers 404, so that nobody loads one that is not theirs.
"""

from __future__ import annotations

import json
import os
from typing import Any, Final

from zwerm.calls import identity
from zwerm.calls.limits import Refused
from zwerm.calls.service.aio import CallsService
from zwerm.calls.store import load
from zwerm.core.errors import StorageError, WireError
from zwerm.daemon.http.exchange import Exchange

MOST: Final = 20_000  # accounts
MAX_BODY: Final = 8_388_608


async def answer(service: CallsService, exchange: Exchange) -> None:
    """Answer one request."""
    try:
        asked = json.loads(await exchange.body(MAX_BODY))
        status, value = 200, await _do(service, asked)
    except Refused as error:
        status, value = 409, {"error": str(error)}
    except StorageError as error:
        status, value = 503, {"error": str(error)}
    except (ValueError, TypeError, RecursionError, WireError) as error:
        status, value = 400, {"error": str(error)[:200]}
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    await exchange.send(status, headers, json.dumps(value).encode())


async def _do(service: CallsService, asked: Any) -> dict[str, Any]:
    run = service.database.run
    match asked:
        case {"make": int(count), "key": str(key)}:
            if not 2 <= count <= MOST:
                raise WireError(f"{count} accounts, expected 2 to {MOST}")
            identity.check_key(key)
            await run(load.make, count, key, service.wall())
            return {"process": os.getpid()}
        case {"check": list(calls)}:
            return {"lost": await run(load.lost, [str(each) for each in calls]), "process": os.getpid()}
        case {"remove": True}:
            return {"removed": await run(load.remove)}
    raise WireError("neither make, check nor remove")
