"""Changes files in a repository without end and says after each call what is durable now, until it is killed."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from tests.ipfs.mfs.room import Room
from zwerm.core.errors import ZwermError
from zwerm.ipfs.blockstore.packstore import PackBlockstore
from zwerm.ipfs.database import Database
from zwerm.ipfs.mfs.journal import Change


def content(rng: random.Random) -> bytes:
    return rng.randbytes(rng.choice([0, 10, 1_000, 50_000, 700_000]))


async def change(room: Room, rng: random.Random) -> Change:
    """Do something; whatever it is, it is durable when it returns."""
    path = f"/d{rng.randrange(3)}/f{rng.randrange(6)}"
    files = room.files
    match rng.randrange(6):
        case 0:
            return await files.write(path, content(rng), create=True, parents=True, truncate=True)
        case 1:
            return await files.write(path, content(rng), create=True, parents=True, offset=rng.randrange(100_000))
        case 2:
            return await files.mv(path, f"/d{rng.randrange(3)}/g{rng.randrange(3)}")
        case 3:
            return await files.rm(f"/d{rng.randrange(3)}", recursive=True)
        case 4:
            async with room.history.batch("several") as batch:
                for _ in range(4):
                    await files.write(f"/b/{rng.randrange(9)}", content(rng), create=True, parents=True, truncate=True)
            return batch.change
        case _:
            await files.write(path, content(rng), create=True, parents=True, truncate=True, flush=False)
            return await files.mkdir("/d0", parents=True)


async def main(folder: Path, seed: int) -> None:
    database = Database(folder / "index.sqlite")
    store = PackBlockstore(folder / "blocks", database)
    room = Room(database, store)
    rng = random.Random(seed)
    print("ready", flush=True)
    while True:
        try:
            done = await change(room, rng)
        except ZwermError:
            continue
        if done.version is not None:
            print(done.version, done.root, flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
