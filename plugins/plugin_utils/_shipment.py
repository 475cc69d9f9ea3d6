# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What is sent to a node: the sources of one module and of all that it imports, without what only a reader needs."""

from __future__ import annotations

import ast
import json
import marshal
import typing as t
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import named
from ansible_collections.outward.kubelet.plugins.module_utils._host.arrival import ROOT

UTILS: t.Final = Path(__file__).parents[1] / "module_utils"
FIRST: t.Final = "_host.arrival"
UNTYPED: t.Final = "_host.untyped"


def packed(module: str, parameters: dict[str, t.Any], check: bool) -> bytes:
    """The program: code and globals of one ``exec``. *parameters* are plain data."""
    plain = json.loads(json.dumps(parameters))  # Ansible's strings are of classes of their own
    first = tuple(name for name in _homes(parameters.get("cause")) if name in sources(module))
    begin = f"{lean(FIRST)}\nmain(SOURCES, {module!r}, PARAMETERS, {check!r}, {first!r})\n"
    # marshal, because its version 2 is the same for every Python 3 and is read by C.
    return zlib.compress(marshal.dumps((begin, {"SOURCES": sources(module), "PARAMETERS": plain}), 2))


def _homes(cause: t.Any) -> Iterator[str]:
    """The module of the cause's rule, without which a node has to load all of them; none for a cause that is unknown."""
    if found := named(cause):
        yield found.rule.__module__.partition(".module_utils.")[2]


@cache
def sources(module: str) -> dict[str, str]:
    """Dotted name below module_utils -> source, of everything that *module* imports, however deep and wherever."""
    found: dict[str, str] = {}
    waiting = [f"_host.modules.{module}", "_host.errors", UNTYPED]
    while waiting:
        name = waiting.pop()
        if name not in found and _file(name).is_file():
            found[name] = lean(name)
            waiting += _imported(name)
    return found


def _file(name: str) -> Path:
    return UTILS.joinpath(*name.split(".")).with_suffix(".py")


def _imported(name: str) -> Iterator[str]:
    """What the relative imports of a module may mean: modules, or names in them."""
    for node in ast.walk(_leaned(name)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = ".".join([*name.split(".")[: -node.level], *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@cache
def lean(name: str) -> str:
    """The source of one module as it is sent."""
    return ast.unparse(_leaned(name))


@cache
def _leaned(name: str) -> ast.Module:
    return t.cast(ast.Module, ast.fix_missing_locations(_Lean().visit(ast.parse(_file(name).read_text()))))


class _Lean(ast.NodeTransformer):
    """Leaves out annotations, but for the names of a class's fields, and with them the module typing."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Without what it returns."""
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """The name alone."""
        return ast.arg(node.arg)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """The assignment, if there is one."""
        self.generic_visit(node)
        return ast.Assign([node.target], node.value) if node.value else ast.Pass()

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """With the names of its fields, which make a record of it."""
        fields = [each.target for each in node.body if isinstance(each, ast.AnnAssign)]
        self.generic_visit(node)
        if fields:
            names: list[ast.expr | None] = [ast.Constant(ast.unparse(field)) for field in fields]
            known: ast.stmt = ast.Assign(
                [ast.Name("__annotations__")], ast.Dict(names, [ast.Constant(0) for dummy in fields])
            )
            node.body.append(known)
        return node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        """What only a checker reads is left out."""
        self.generic_visit(node)
        return node.orelse if ast.unparse(node.test).endswith("TYPE_CHECKING") else node

    def visit_Import(self, node: ast.Import) -> ast.AST:
        """typing becomes its stand-in."""
        return ast.parse(f"import {ROOT}.{UNTYPED} as t").body[0] if node.names[0].name == "typing" else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        """dataclasses become their stand-ins; without annotations there is nothing to postpone."""
        if node.module == "dataclasses":
            return ast.ImportFrom(f"{ROOT}.{UNTYPED}", node.names, 0)
        return ast.Pass() if node.module == "__future__" else node
