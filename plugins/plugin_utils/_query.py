# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""JMESPath over saved reports: read one by one, and only what was asked for is kept."""

from __future__ import annotations

import sys
import types
import typing as t
from collections.abc import Callable, Iterable
from pathlib import Path

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.history import history
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.saved import NoReport, refuse

from ._saved import load

Question = Callable[[t.Any], t.Any]
HEAVY: t.Final = ("evidence", "explanations")


class BadQuestion(ValueError):
    """A question that cannot be asked; the text says which, where and why."""


def library() -> types.ModuleType:
    """The package jmespath; raises :class:`BadQuestion` with what to type when there is none."""
    try:
        import jmespath
    except ImportError:
        raise BadQuestion(f"the Python package jmespath is missing: {sys.executable} -m pip install jmespath") from None
    return jmespath


def compiled(name: str, expression: str) -> Question | None:
    """The question *expression*, called *name*; None for an empty one. Raises :class:`BadQuestion`."""
    package = library()
    if not expression.strip():
        return None
    errors = package.exceptions
    try:
        parsed = package.compile(expression[:])  # a plain string, whatever Ansible tagged it with
    except errors.JMESPathError as error:
        raise BadQuestion(_misread(name, expression, error)) from None
    options = package.Options(custom_functions=_functions(package))

    def ask(data: t.Any) -> t.Any:
        try:
            return parsed.search(data, options=options)
        except errors.JMESPathError as error:
            raise BadQuestion(f"{name} {expression!r} cannot be answered: {_line(error)}") from None

    return ask


def _misread(name: str, expression: str, error: t.Any) -> str:
    """jmespath counts from 0; an expression that ends too early has no position of its own."""
    position = getattr(error, "lex_position", getattr(error, "lexer_position", None))
    at = len(expression) if position is None else min(int(position), len(expression))
    near = expression[at : at + 20]
    where = f"at column {at + 1}, {near!r}" if near else "at its end"
    return f"{name} does not parse {where}: {expression!r}"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


def _functions(package: types.ModuleType) -> t.Any:
    """JMESPath's own functions and ours."""
    base = package.functions.Functions
    ours = package.functions.signature({"types": ["array"]})(lambda functions, reports: history(reports))
    return type(base)("Functions", (base,), {"_func_history": ours})()


def kept(files: Iterable[Path], each: Question | None, warn: Callable[[str], None]) -> list[t.Any]:
    """What *each* says of every report, in order of time; what is no report is told to *warn* and left out.

    Raises :class:`NoReport` when there is no report at all.
    """
    found: list[tuple[str, str, t.Any]] = []
    read = 0
    for path in files:
        try:
            report = load(path)
            refuse(report)
        except NoReport as error:
            warn(str(error) if str(path) in str(error) else f"{path}: {error}")
            continue
        read += 1
        value = each(report) if each else {key: item for key, item in report.items() if key not in HEAVY}
        if value is not None and value is not False:
            found.append((report["started"], report["host"], value))
    if not read:
        raise NoReport("no report was found: name files, or directories with reports")
    return [value for dummy, host, value in sorted(found, key=lambda item: item[:2])]


def answer(query: Question | None, values: list[t.Any]) -> t.Any:
    """The answer to *query*, or all *values*."""
    return query(values) if query else values
