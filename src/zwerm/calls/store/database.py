"""Runs functions of a connection in one thread: what waits together is committed together, and then answered.

So five hundred calls a second need some dozen commits, each of them on the disk before anybody is told. A function that
fails takes nothing of the others with it. A database that is locked or away is a `StoreUnavailable`: nothing was kept,
and the next function tries anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any, Concatenate, Final, NamedTuple, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from zwerm.calls.store import tables
from zwerm.core.errors import StorageError

log = logging.getLogger("zwerm.calls")

BATCH: Final = 256  # functions of one commit
WAITING: Final = 20_000  # functions that may wait; more are refused
PATIENCE: Final = 0.05  # seconds that what nobody waits for may wait for others to be committed with
CREATION: Final = 0x7A776572  # of the lock that is held while tables are made
LOCKED: Final = 2.0  # seconds that a locked database is waited for
LOOK: Final = 0.002  # seconds between two looks whether it is free; SQLite's own go up to 0.1
TURN: Final = 0.02  # seconds from one commit to the next where others commit, too; after a pause it goes at once

_LOCK: Final = text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS each(key)")

P = ParamSpec("P")
T = TypeVar("T")


class StoreUnavailable(StorageError):
    """The database is locked, away or full. Nothing was changed; it may be tried again."""


class _Job(NamedTuple):
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    named: dict[str, Any]
    done: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    is_patient: bool
    key: str | None  # by which it excludes others at other processes


class Database:
    """One database. `open` it, `run` functions, `close` it."""

    def __init__(self, url: str, *, is_shared: bool = False) -> None:
        """`url` is SQLAlchemy's: `sqlite:///PATH`, `postgresql://...`; shared is what other processes use, too."""
        self._is_shared = is_shared
        if url.startswith("postgresql://"):
            url = url.replace("postgresql://", "postgresql+pg8000://", 1)
        self._url = url
        self._jobs: queue.Queue[_Job | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._engine: Engine | None = None
        self._connection: Connection | None = None

    @property
    def is_alone(self) -> bool:
        """Whether no other process of the service uses it."""
        return self._url.startswith("sqlite") and not self._is_shared

    async def open(self) -> None:
        """Make what is missing.

        Raises:
            StorageError: it cannot be opened, or was made by a newer release.
        """
        self._thread = threading.Thread(target=self._work, name="zwerm-calls-store", daemon=True)
        self._thread.start()
        try:
            await self.run(_create)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Carry out what waits, and close. Twice is harmless."""
        if self._thread is not None:
            thread, self._thread = self._thread, None
            self._jobs.put(None)
            await asyncio.to_thread(thread.join)

    async def run(self, function: Callable[Concatenate[Connection, P], T], *given: P.args, **named: P.kwargs) -> T:
        """Run `function(connection, ...)` in a transaction; what it returns is durable.

        Raises:
            StoreUnavailable: the database could not take it. Nothing was changed.

        What the function raises comes out of here, and nothing of it is kept. When this call is cancelled, it may be
        carried out or not.
        """
        return await self._put(function, given, named, is_patient=False)

    async def run_alone(
        self, key: str, function: Callable[Concatenate[Connection, P], T], *given: P.args, **named: P.kwargs
    ) -> T:
        """Like `run`, while no other process runs a function with the same key: each sees what the one before did."""
        return await self._put(function, given, named, is_patient=False, key=key)

    async def run_later(
        self, function: Callable[Concatenate[Connection, P], T], *given: P.args, **named: P.kwargs
    ) -> T:
        """Like `run`, for what nobody waits for: it goes with the next commit, or after `PATIENCE` at the latest."""
        return await self._put(function, given, named, is_patient=True)

    def _put(
        self,
        function: Callable[..., T],
        given: tuple[Any, ...],
        named: dict[str, Any],
        *,
        is_patient: bool,
        key: str | None = None,
    ) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        if self._thread is None:
            raise StoreUnavailable("the store is closed")
        try:
            self._jobs.put_nowait(_Job(function, given, named, done, loop, is_patient, key))
        except queue.Full:
            raise StoreUnavailable("too much waits for the database") from None
        return done

    def _work(self) -> None:
        ending, due = False, 0.0
        while not ending:
            batch, ending = self._next_batch()
            if self._is_shared and not ending and (wait := due - time.monotonic()) > 0:
                time.sleep(wait)
                ending = self._take_more(batch)
            if batch:
                due = time.monotonic() + TURN
                self._run_batch(batch)
        self._disconnect()
        if self._engine is not None:
            self._engine.dispose()

    def _next_batch(self) -> tuple[list[_Job], bool]:
        """Wait for functions to run together; also say whether they are the last ones."""
        batch: list[_Job] = []
        due: float | None = None  # when patience is over; None while there is nothing, or somebody waits
        while len(batch) < BATCH:
            try:
                if not batch:
                    job = self._jobs.get()
                elif due is None:
                    job = self._jobs.get_nowait()
                else:
                    job = self._jobs.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                break
            if job is None:
                return batch, True
            batch.append(job)
            if not job.is_patient:
                due = None
            elif len(batch) == 1:
                due = time.monotonic() + PATIENCE
        return batch, False

    def _take_more(self, batch: list[_Job]) -> bool:
        """Add what has come meanwhile; return whether that was all there will be."""
        while len(batch) < BATCH:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return False
            if job is None:
                return True
            batch.append(job)
        return False

    def _run_batch(self, batch: list[_Job]) -> None:
        answers: list[tuple[_Job, Any, BaseException | None]] = []
        try:
            connection = self._connect()
            try:
                with connection.begin():
                    answers = _run_all(connection, batch, is_careful=False)
            except _Careful:
                with connection.begin():
                    answers = _run_all(connection, batch, is_careful=True)
        except (SQLAlchemyError, OSError, StorageError) as error:
            self._disconnect()
            log.warning("the store of calls: %s", _words(error))
            failure = error if isinstance(error, StorageError) else StoreUnavailable(_words(error))
            answers = [(job, None, failure) for job in batch]
        except BaseException as error:  # noqa: BLE001 -- of a function that was alone: its caller gets it
            answers = [(job, None, error) for job in batch]
        for loop in {job.loop for job in batch}:
            loop.call_soon_threadsafe(_tell, [answer for answer in answers if answer[0].loop is loop])

    def _connect(self) -> Connection:
        if self._engine is None:
            self._engine = _engine(self._url)
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                connection.close()
            except SQLAlchemyError as error:
                log.debug("closing a broken connection: %s", error)


def _lock(connection: Connection, keys: set[str]) -> None:
    """Let no other process work with these keys until the commit. SQLite has one writer anyhow."""
    if keys and connection.dialect.name == "postgresql":
        # In one order everywhere, so that two processes never wait for each other.
        numbers = sorted(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big", signed=True) for key in keys)
        asked = text(
            "SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) WITH ORDINALITY AS k(key, n)"
        )
        connection.execute(asked, {"keys": numbers}).all()


class _Careful(Exception):
    """One function of several failed: they are to be run again, each so that it can be undone by itself."""


def _run_all(
    connection: Connection, batch: list[_Job], *, is_careful: bool
) -> list[tuple[_Job, Any, BaseException | None]]:
    """Run functions of one transaction. Hardly ever does one fail, and making each undoable costs more than most do."""
    _lock(connection, {job.key for job in batch if job.key is not None})
    if is_careful:
        return [(job, *_run(connection, job)) for job in batch]
    try:
        return [(job, job.function(connection, *job.arguments, **job.named), None) for job in batch]
    except (SQLAlchemyError, OSError) as error:
        if len(batch) > 1 and isinstance(error, IntegrityError):
            raise _Careful from None
        raise
    except BaseException:
        if len(batch) > 1:
            raise _Careful from None
        raise


def _run(connection: Connection, job: _Job) -> tuple[Any, BaseException | None]:
    """Run one function; what it raises undoes its own work and no other's."""
    point = connection.begin_nested()
    try:
        result = job.function(connection, *job.arguments, **job.named)
    except IntegrityError as error:  # another process was a moment faster
        point.rollback()
        return None, StoreUnavailable(_words(error))
    except DBAPIError:
        raise
    except BaseException as error:  # noqa: BLE001 -- its caller gets it
        point.rollback()
        return None, error
    point.commit()
    return result, None


def _tell(answers: list[tuple[_Job, Any, BaseException | None]]) -> None:
    for job, result, error in answers:
        if job.done.done():
            continue  # cancelled meanwhile
        if error is None:
            job.done.set_result(result)
        else:
            job.done.set_exception(error)


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, poolclass=NullPool)
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": 0.0, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, as savepoints need it
        connection.execute(f"PRAGMA busy_timeout={int(LOCKED * 1000)}").close()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=0"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        _patiently(lambda: connection.exec_driver_sql("BEGIN IMMEDIATE"))

    return engine


def _patiently(work: Callable[[], object]) -> None:
    """Do something as soon as no other process is writing; what SQLite raises comes out after `LOCKED` seconds."""
    given_up = time.monotonic() + LOCKED
    while True:
        try:
            work()
        except OperationalError as error:
            if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= given_up:
                raise
            time.sleep(LOOK)
        else:
            return


def _create(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # several processes may begin at the same moment
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CREATION})
    tables.metadata.create_all(connection)
    for table, column, kind in tables.ADDED:
        if column not in {each["name"] for each in inspect(connection).get_columns(table)}:
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    version = connection.execute(select(tables.meta.c.value).where(tables.meta.c.key == "version")).scalar()
    if version is None:
        connection.execute(insert(tables.meta).values(key="version", value=str(tables.VERSION)))
    elif int(version) > tables.VERSION:
        raise StorageError(f"the store of calls has version {version}, this release reads up to {tables.VERSION}")


def is_there(connection: Connection) -> bool:
    """Whether the database answers."""
    return bool(connection.execute(text("SELECT 1")).scalar())


def _words(error: BaseException) -> str:
    """One line of what a database said."""
    cause = getattr(error, "orig", None) or error
    return f"the database: {str(cause).splitlines()[0][:200] if str(cause) else type(cause).__name__}"
