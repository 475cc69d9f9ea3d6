# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Evidence that remembers what was read of it, for a rule that is asked why. Who does not ask pays nothing.

A traced section is an instance of a subclass of its own class: rules cannot tell the difference, and no rule and no
class is changed for it.
"""

from __future__ import annotations

import typing as t
from datetime import datetime

from .evidence import JSON, Evidence, Undecided, Unknown, to_json
from .signs import instant

E = t.TypeVar("E", bound=Evidence)
LONGEST: t.Final = 200
MOST: t.Final = 10
# What an element of a list is called by; lines of a log have no name and are told of as a whole.
_NAMES: t.Final = ("type", "key", "name", "path", "mount_point", "flag")


class Trace:
    """What was read, dotted path -> value. One thread at a time."""

    def __init__(self) -> None:
        self._read: dict[str, t.Any] = {}
        self._last = ""
        self._kinds: dict[type[Evidence], type[Evidence]] = {}
        # id -> (the section itself, for an id is only good while its object lives; its path; the original)
        self._places: dict[int, tuple[Evidence, str, Evidence]] = {}

    def of(self, section: E, path: str) -> E:
        """*section* with the same values; whatever is read below it is remembered."""
        kind = self._kinds.setdefault(type(section), self._recording(type(section)))
        traced = object.__new__(kind)
        values = vars(section).items()
        traced.__dict__.update((name, self._below(value, f"{path}.{name}")) for name, value in values)
        self._places[id(traced)] = (traced, path, section)
        return t.cast(E, traced)

    def take(self) -> tuple[dict[str, t.Any], str]:
        """What was read since the last call, in the order of the first look, and the path of the last look.

        A section that may be absent counts when nothing below it was read: then its presence was looked at.
        """
        read, last = self._read, self._last
        self._read, self._last = {}, ""
        opened = {path[:at] for path in read for at, mark in enumerate(path) if mark in ".["}
        return {path: v for path, v in read.items() if not (isinstance(v, Evidence) and path in opened)}, last

    def _below(self, value: t.Any, path: str) -> t.Any:
        if isinstance(value, Evidence):
            return self.of(value, path)
        if isinstance(value, tuple):
            return tuple(self._below(item, f"{path}[{called(item)}]") for item in value)
        return value

    def _recording(self, kind: type[Evidence]) -> type[Evidence]:
        fields = kind.__dataclass_fields__

        def read(section: Evidence, name: str) -> t.Any:
            if name in fields:
                self._enter(section, name)
            return kind.__getattribute__(section, name)

        return type(kind.__name__, (kind,), {"__getattribute__": read})

    def _enter(self, section: Evidence, name: str) -> None:
        dummy, path, original = self._places[id(section)]
        is_element = path.endswith("]")
        if is_element and name == (_name_field(original) or name):
            return
        value = vars(original)[name]
        if isinstance(value, Evidence) and "None" not in str(original.__dataclass_fields__[name].type):
            return
        self._last = f"{path}.{name}"
        self._read.setdefault(self._last, value)


def called(section: t.Any) -> str:
    """What an element of a list is called by; empty when it has no name."""
    field = _name_field(section)
    try:
        return str(getattr(section, field))[:80] if field else ""
    except Undecided:
        return ""


def _name_field(section: t.Any) -> str:
    fields = section.__dataclass_fields__ if isinstance(section, Evidence) else {}
    return next((name for name in _NAMES if name in fields), "")


def shown(value: t.Any) -> JSON:
    """A value as a report shows it, bounded: long text is cut, long lists are counted."""
    if isinstance(value, Unknown):
        return {"unknown": value.reason}
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, Evidence):
        return "there"
    if isinstance(value, tuple):
        return _list(value)
    if isinstance(value, dict):
        some = {key: shown(item) for key, item in list(value.items())[:MOST]}
        return some if len(value) <= MOST else {**some, "...": f"{len(value) - MOST} more"}
    if isinstance(value, str):
        return value if len(value) <= LONGEST else f"{value[:LONGEST]}..."
    return to_json(value)


def _list(values: tuple[t.Any, ...]) -> JSON:
    if values and isinstance(values[-1], Evidence) and not called(values[-1]):
        newest = vars(values[-1]).get("text", "")
        return f"{len(values)} lines, the newest: {shown(newest)}"
    some = [called(item) or shown(item) for item in values[:MOST]]
    return some if len(values) <= MOST else [*some, f"... {len(values) - MOST} more"]
