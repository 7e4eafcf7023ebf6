"""The configuration of one repository: `config.toml` over the defaults of a profile, typed by `zwerm.node.settings`.

Where a value comes from, first match: overrides of this run, the file, the profile, the key's own default. The file
holds only what somebody set; changing a key leaves the comments and the order of the rest alone.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

from zwerm.core.disk_failure import disk_error
from zwerm.node.address import Address
from zwerm.node.atomic import write_atomically
from zwerm.node.setting import Setting, SettingError
from zwerm.node.settings import BY_KEY, PROFILES, SETTINGS, check_profile_rules

_HEADER = """\
# zwerm's configuration. Keys that are not here have their defaults; `zwerm config` shows them all,
# `zwerm config KEY VALUE` sets one and keeps your comments.
"""
_T = TypeVar("_T")
_ADDRESS_KEYS = ("addresses.api", "addresses.gateway", "addresses.web")


class Shown(NamedTuple):
    """A setting as it stands."""

    setting: Setting
    value: Any  # in its TOML form
    default: Any  # of the profile, in its TOML form
    is_set: bool  # whether the file or this run gives it


class Config:
    """Typed settings by dotted key. Reading never touches the disk; changes write the file at once. Any thread."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        profile: str | None = None,
        overrides: Mapping[str, Any] | None = None,
        port_offset: int = 0,
    ) -> None:
        """Read `path`, if there is one.

        Args:
            path: the file; None keeps everything in memory.
            profile: replaces the file's profile for this run.
            overrides: values for this run by dotted key, in TOML form or as typed text.
            port_offset: added to every fixed port of the HTTP addresses, and of `addresses.swarm` by who listens there.

        Raises:
            SettingError: a key that does not exist or a value that cannot be; the message is one line.
        """
        self._path = path
        self._lock = threading.Lock()
        self.listeners: list[Callable[[], None]] = []  # called in the thread that changed something, once it is written
        self._text = ""
        self._text = self._read()
        self._file = self._parse(self._text)
        self._overrides = {key: _setting(key).check(value) for key, value in (overrides or {}).items()}
        if profile is not None:
            self._overrides["profile"] = BY_KEY["profile"].check(profile)
        self.port_offset = port_offset
        self._values = self._merge(self._file)

    @classmethod
    def create(cls, path: Path, *, profile: str | None = None) -> Self:
        """Write a file that says how to use it, and the profile when it is not the default one."""
        text = _HEADER
        if profile and profile != "default":
            from zwerm.node import toml

            text += f"\nprofile = {toml.serialize_value(BY_KEY['profile'].check(profile))}\n"
        write_atomically(path, text.encode(), mode=0o600)
        return cls(path)

    def __getitem__(self, key: str) -> Any:
        """Return the setting as the program uses it: an `Address`, bytes as int, seconds as float, a tuple."""
        return _setting(key).kind.value(self._values[key])

    def text(self, key: str) -> str:
        return _typed(self, key, str)

    def integer(self, key: str) -> int:
        return _typed(self, key, int)

    def boolean(self, key: str) -> bool:
        return _typed(self, key, bool)

    def texts(self, key: str) -> tuple[str, ...]:
        return _typed(self, key, tuple)

    def size(self, key: str) -> int:
        """A number of bytes."""
        return _typed(self, key, int)

    def duration(self, key: str) -> float:
        return float(self[key])

    def address(self, key: str) -> Address | None:
        """Where to listen, with the port offset of this run; None: nowhere."""
        address = self[key]
        return None if address is None else _typed(self, key, Address).shifted(self.port_offset)

    @property
    def profile(self) -> str:
        return self.text("profile")

    def raw(self, key: str) -> Any:
        """Return the setting in its TOML form, as it is shown and written."""
        return self._values[_setting(key).key]

    def show(self) -> Iterator[Shown]:
        """Every setting with its value, in the order of the documentation."""
        defaults = self._defaults(self._values["profile"])
        for setting in SETTINGS:
            key = setting.key
            yield Shown(setting, self._values[key], defaults[key], self.is_set(key))

    def is_set(self, key: str) -> bool:
        """Whether the file or this run gives it."""
        return key in self._file or key in self._overrides

    def table(self) -> dict[str, Any]:
        """Return all values in their TOML form, as nested tables."""
        nested: dict[str, Any] = {}
        for key, value in self._values.items():
            *tables, name = key.split(".")
            place = nested
            for table in tables:
                place = place.setdefault(table, {})
            place[name] = value
        return nested

    def set(self, key: str, value: Any) -> None:
        """Set one key and write the file; `value` may be typed text. See `update`."""
        self.update({key: value})

    def unset(self, key: str) -> None:
        """Return one key to its default and write the file."""
        self.update({key: None})

    def update(self, changes: Mapping[str, Any]) -> None:
        """Set several keys together, None meaning the default; the file is written once, atomically.

        Raises:
            SettingError: a key or value that cannot be; nothing was changed.
            StorageError: the file cannot be written; nothing was changed.
        """
        from zwerm.node import toml

        with self._lock:
            text = self._read()  # somebody may have edited it meanwhile
            self._parse(text)
            for key, value in changes.items():
                setting = _setting(key)
                text = toml.edit(text, key, None if value is None else setting.check(value))
            self._write(text)

    def replace(self, text: str) -> None:
        """Put another file in place of this one after checking it whole; errors as `update`."""
        with self._lock:
            self._write(text, "the new configuration")

    def _read(self) -> str:
        if self._path is None or not self._path.exists():
            return self._text
        try:
            return self._path.read_text("utf-8")
        except OSError as error:
            raise disk_error(f"read {self._path}", error) from error
        except ValueError:
            raise SettingError(f"{self._path} is not UTF-8 text") from None

    def _write(self, text: str, where: str | None = None) -> None:
        file = self._parse(text, where)
        values = self._merge(file)
        if self._path is not None:
            write_atomically(self._path, text.encode(), mode=0o600)
        self._text, self._file, self._values = text, file, values
        for listener in self.listeners:
            listener()

    @property
    def source(self) -> str:
        """The text of the file."""
        return self._text

    def _parse(self, text: str, where: str | None = None) -> dict[str, Any]:
        """Read the text of a configuration, which errors call `where`; the file's own path by default."""
        if all(line.startswith("#") for line in text.splitlines()):
            return {}  # what most repositories have needs no parser
        import tomllib

        from zwerm.node import toml

        where = where or str(self._path or "configuration")
        try:
            document = toml.flatten(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise SettingError(f"{where} is not TOML: {error}") from None
        try:
            return {key: _setting(key).check(value) for key, value in document.items()}
        except SettingError as error:
            raise SettingError(f"{where}: {error}") from None

    def _merge(self, file: Mapping[str, Any]) -> dict[str, Any]:
        profile = self._overrides.get("profile") or file.get("profile") or "default"
        values = {**self._defaults(profile), **file, **self._overrides}
        check_profile_rules(profile, values)
        if self.port_offset:
            for key in _ADDRESS_KEYS:
                if values[key]:
                    Address.from_text(values[key]).shifted(self.port_offset)
        return values

    @staticmethod
    def _defaults(profile: str) -> dict[str, Any]:
        return {**{setting.key: setting.default for setting in SETTINGS}, **PROFILES[profile][1]}


def profile_from_environment(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the profile that `ZWERM_PROFILE` asks for."""
    return environment.get("ZWERM_PROFILE") or None


def _setting(key: str) -> Setting:
    setting = BY_KEY.get(key)
    if setting is None:
        import difflib

        near = difflib.get_close_matches(key.lower(), BY_KEY, n=1)
        raise SettingError(f"no setting is named {key!r}" + (f"; did you mean {near[0]}?" if near else ""))
    return setting


def _typed(config: Config, key: str, kind: type[_T]) -> _T:
    value = config[key]
    if not isinstance(value, kind):
        raise SettingError(f"{key} is a {type(value).__name__}, not a {kind.__name__}")
    return value
