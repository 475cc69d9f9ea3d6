# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The parts of `typing` and `dataclasses` that node code uses when it runs, for code that was sent without annotations.

On a node nobody checks types, and the real modules take longer to import than most questions to answer; `dataclasses`
compiles besides the methods of each class anew.
"""

from __future__ import annotations

import collections.abc

_make: collections.abc.Callable[..., type] = collections.namedtuple  # with names that no checker can know


class Anything:
    """Stands for every type, also with parameters."""

    def __getitem__(self, parameters: object) -> Anything:
        """Itself."""
        return self

    def __call__(self, *names: object, **options: object) -> Anything:
        """Itself."""
        return self


class Record(type):
    """Makes a named tuple of a class with fields, as ``typing.NamedTuple`` does."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, object]) -> type:
        """*body* has its fields in ``__annotations__``, and the defaults of the last ones as values."""
        if not bases:
            return super().__new__(cls, name, bases, body)
        names = body.pop("__annotations__")
        fields = list(names) if isinstance(names, dict) else []
        made = _make(name, fields, defaults=[body.pop(field) for field in fields if field in body])
        for attribute, value in body.items():
            if attribute not in ("__qualname__", "__classcell__", "__static_attributes__", "__firstlineno__"):
                setattr(made, attribute, value)
        return made


class NamedTuple(metaclass=Record):
    """Its subclasses become named tuples."""


class Protocol:
    """Asks nothing of anybody."""


TYPE_CHECKING = False
Any = Callable = Literal = Optional = TypeVar = Union = Anything()


def cast(kind: object, value: object) -> object:
    """*value*."""
    return value


MISSING = object()
FIELDS = "__dataclass_fields__"  # of a class of records: name -> default; the real ones have more to say of each


class Factory:
    """A default that is made anew for each record."""

    def __init__(self, make: collections.abc.Callable[[], object]) -> None:
        self.make = make


def field(*, default_factory: collections.abc.Callable[[], object]) -> Factory:
    """As `dataclasses.field`."""
    return Factory(default_factory)


def dataclass(*, frozen: bool) -> collections.abc.Callable[[type], type]:
    """As `dataclasses.dataclass`; *frozen* is for the reader, and for the tests, which have the real one."""

    def enter(kind: type) -> type:
        body = vars(kind)
        own = {name: body.get(name, MISSING) for name in body.get("__annotations__", ())}
        setattr(kind, FIELDS, {**_known(kind), **own})
        for name, method in METHODS.items():
            if body.get(name) is None:
                setattr(kind, name, method)
        return kind

    return enter


def _known(kind: type) -> dict[str, object]:
    known: dict[str, object] = getattr(kind, FIELDS, {})
    return known


def _init(record: object, *values: object, **named: object) -> None:
    known = _known(type(record))
    defaults = {name: default for name, default in known.items() if default is not MISSING}
    made = {name: each.make() if isinstance(each, Factory) else each for name, each in defaults.items()}
    given = {**made, **dict(zip(known, values)), **named}
    if given.keys() != known.keys() or len(values) > len(known):
        raise TypeError(f"{type(record).__name__}: not its fields: {', '.join(sorted(given.keys() ^ known.keys()))}")
    vars(record).update(given)


METHODS: dict[str, collections.abc.Callable[..., object]] = {
    "__init__": _init,
    "__eq__": lambda one, other: type(one) is type(other) and asdict(one) == asdict(other),
    "__hash__": lambda record: hash((type(record), *asdict(record).values())),
    "__repr__": lambda record: f"{type(record).__name__}({asdict(record)})",
}


def replace(record: object, **changed: object) -> object:
    """As `dataclasses.replace`."""
    return type(record)(**{**asdict(record), **changed})


def asdict(record: object) -> dict[str, object]:
    """As `dataclasses.asdict`, of a record that has no others in it."""
    return {name: getattr(record, name) for name in _known(type(record))}
