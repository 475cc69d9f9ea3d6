# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The part of `typing` that node code uses when it runs, for code that was sent without its annotations.

On a node nobody checks types, and the real module takes longer to import than most questions to answer.
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
