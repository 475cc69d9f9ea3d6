# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Three-valued evidence: a fact, absent (``None``), or unknown with the reason.

Every section of the evidence is a frozen dataclass derived from :class:`Evidence`. A field that could
not be observed holds ``unknown("why")``; whoever touches it gets :class:`Undecided`, so that a rule never
has to ask whether a probe failed, and can never mistake "could not tell" for "is not so".
"""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

if t.TYPE_CHECKING:
    import dataclasses

JSON = t.Any
E = t.TypeVar("E", bound="Evidence")
# Why a question was not answered that never had the time that is its own: of the node, and of nothing that was asked.
NO_TIME: t.Final = "no time was left"


class Undecided(Exception):
    """A rule touched evidence that is unknown; the text says what and why."""


class Unknown:
    """What stands in a field that could not be observed."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and other.reason == self.reason

    def __hash__(self) -> int:
        return hash((Unknown, self.reason))

    def __repr__(self) -> str:
        return f"Unknown({self.reason!r})"


def unknown(reason: str) -> t.Any:
    """A value for any field of any evidence: it could not be observed, and why (one line, no secret)."""
    return Unknown(reason)


class _Fields:
    """``__dataclass_fields__`` for who asks for it, which is the controller: a node would pay for the import."""

    def __get__(self, section: t.Optional[Evidence], kind: type[Evidence]) -> t.Any:
        if kind is Evidence:
            return None
        from dataclasses import dataclass

        return vars(dataclass(init=False, repr=False, eq=False)(kind))["__dataclass_fields__"]


class Evidence:
    """Base of all sections: reading a field that is unknown raises :class:`Undecided`.

    It has once and for all what ``dataclass`` would generate for each section; two sections are equal when their
    fields are, unknown ones included.
    """

    if t.TYPE_CHECKING:
        __dataclass_fields__: t.ClassVar[dict[str, dataclasses.Field[t.Any]]]
    else:
        __dataclass_fields__ = _Fields()

        def __init__(self, *values: t.Any, **named: t.Any) -> None:
            """Raises ``TypeError`` when a field without a default is missing, or one is not known."""
            kind = type(self)
            fields = kind.__annotations__
            given = {**dict(zip(fields, values)), **named}
            if len(given) < len(fields):
                given = {**{name: vars(kind)[name] for name in fields if name in vars(kind)}, **given}
            if given.keys() != fields.keys() or len(values) > len(fields):
                names = ", ".join(sorted(given.keys() ^ fields.keys()))
                raise TypeError(f"{kind.__name__}: not its fields: {names}")
            self.__dict__.update((name, given[name]) for name in fields)

    def __setattr__(self, name: str, value: t.Any) -> None:
        raise AttributeError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def __getattribute__(self, name: str) -> t.Any:
        value = object.__getattribute__(self, name)
        if isinstance(value, Unknown):
            raise Undecided(value.reason)
        return value


if t.TYPE_CHECKING:
    from dataclasses import dataclass as section

    __all__ = ["section"]  # a checker is told what it can follow: it does not know a dataclass by another maker
else:

    def section(*, frozen: bool) -> t.Callable[[type[E]], type[E]]:
        """`dataclass(frozen=True)` without the methods that it compiles anew for each class: Evidence has them ready.

        Those of all sections would cost a slow node half a second. *frozen* is for the reader; no section can be changed.
        """
        return lambda kind: kind


def amended(section: E, **fields: t.Any) -> E:
    """The same evidence with other *fields*; unlike ``dataclasses.replace`` it leaves alone what is unknown."""
    return type(section)(**{**vars(section), **fields})


def unknowns(section: Evidence, path: str = "") -> dict[str, str]:
    """Dotted path -> reason for every unknown below *section*, in the order of the fields."""
    found: dict[str, str] = {}
    for name, value in vars(section).items():
        where = f"{path}.{name}" if path else name
        if isinstance(value, Unknown):
            found[where] = value.reason
        elif isinstance(value, Evidence):
            found.update(unknowns(value, where))
    return found


def to_json(value: t.Any) -> JSON:
    """Plain JSON data: an unknown is ``{"unknown": reason}``, a time is RFC 3339 in UTC."""
    if isinstance(value, Unknown):
        return {"unknown": value.reason}
    if isinstance(value, Evidence):
        return {name: to_json(item) for name, item in vars(value).items()}
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value


def from_json(kind: type[E], data: JSON) -> E:
    """The inverse of :func:`to_json`; runs on the controller only (it resolves the fields' type hints).

    A field that *data* lacks becomes unknown: evidence recorded by an older release stays readable.
    Raises ``TypeError`` or ``ValueError`` for data that cannot be of this kind.
    """
    if not isinstance(data, dict):
        raise TypeError(f"{kind.__name__} must be a mapping, not {type(data).__name__}")
    hints = _hints(kind)
    return kind(
        **{
            name: _decode(hint, data[name]) if name in data else unknown(f"{name} is not in the evidence")
            for name, hint in hints.items()
        }
    )


def parse_time(text: str) -> datetime:
    """An RFC 3339 time, as the Kubernetes API and :func:`to_json` write it; always aware, in UTC."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)


_HINTS: dict[type, dict[str, t.Any]] = {}


def _hints(kind: type) -> dict[str, t.Any]:
    if kind not in _HINTS:
        _HINTS[kind] = t.get_type_hints(kind)
    return _HINTS[kind]


def _decode(hint: t.Any, data: JSON) -> t.Any:
    if isinstance(data, dict) and set(data) == {"unknown"}:
        return unknown(str(data["unknown"]))
    arguments = [a for a in t.get_args(hint) if a is not type(None)]
    if data is None:
        return None
    if t.get_origin(hint) is tuple:
        if not isinstance(data, list):
            raise TypeError(f"{type(data).__name__} where a list should be")
        return tuple(_decode(arguments[0], item) for item in data)
    if t.get_origin(hint) is dict:
        return {key: _decode(arguments[1], item) for key, item in data.items()}
    if arguments:  # Optional[X] or X | None
        return _decode(arguments[0], data)
    return _decode_plain(hint, data)


def _decode_plain(hint: t.Any, data: JSON) -> t.Any:
    if isinstance(hint, type) and issubclass(hint, Evidence):
        return from_json(hint, data)
    if hint is datetime:
        return parse_time(data)
    truth = isinstance(data, bool)  # which Python counts among the integers
    if hint is float and isinstance(data, int) and not truth:
        return float(data)
    # JSON of somebody's file: a rule may rely on the types that the sections promise.
    if hint in (bool, int, float, str) and not (isinstance(data, hint) and truth == (hint is bool)):
        raise TypeError(f"{str(data)[:40]!r} where {hint.__name__} should be")
    return data
