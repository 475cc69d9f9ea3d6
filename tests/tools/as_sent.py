# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``pytest -p tests.tools.as_sent PATH...``: test node code in the form in which it is sent to a node.

Without annotations, and with the stand-ins for `typing` and `dataclasses`: what these lack shows only here.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.abc
import importlib.util
import sys
import typing as t

from ansible_collections.outward.kubelet.plugins.module_utils._host.arrival import ROOT
from ansible_collections.outward.kubelet.plugins.plugin_utils._shipment import UNTYPED, UTILS, lean, sources

if t.TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

    import pytest

COLLECTION: t.Final = "ansible_collections.outward.kubelet.plugins"
PACKAGE: t.Final = f"{COLLECTION}.module_utils"
SENT: t.Final = frozenset(
    name for module in (UTILS / "_host" / "modules").glob("[!_]*.py") for name in sources(module.stem)
)
# Tests that have the controller diagnose what the node code observed; a node never loads what answers them.
OF_THE_CONTROLLER: t.Final = (
    "test_a_healthy_node_may_be_restarted",
    "test_every_answer_finds_its_place",
    "test_everything_is_known_but_what_was_not_worth_asking",
    "test_what_shows_that_a_step_worked_is_enough_for_the_proof",
)


class Sent(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Loads what is sent to nodes, as it is sent; its stand-ins are where its package is."""

    def find_spec(self, fullname: str, path: t.Any, target: t.Any = None) -> ModuleSpec | None:
        """Of a module that is sent; None for any other."""
        package, dot, name = fullname.partition(f"{PACKAGE}.")
        return importlib.util.spec_from_loader(fullname, self) if dot and not package and name in SENT else None

    def get_source(self, fullname: str) -> str:
        """Without annotations."""
        return lean(fullname.removeprefix(f"{PACKAGE}.")).replace(f"{ROOT}.{UNTYPED}", f"{PACKAGE}.{UNTYPED}")


def pytest_configure() -> None:
    """Forgets the modules that finding out what is sent has loaded, and has them loaded as they are sent."""
    for name in [name for name in sys.modules if name.startswith(f"{COLLECTION}.")]:
        del sys.modules[name]
    sys.meta_path.insert(0, Sent())
    stand_in, real = importlib.import_module(f"{PACKAGE}.{UNTYPED}"), dataclasses.replace

    def replace(record: t.Any, /, **changed: t.Any) -> t.Any:
        """A test's own `replace`, by the module that has made the record."""
        made = type(record).__init__ is stand_in.METHODS["__init__"]
        return (stand_in.replace if made else real)(record, **changed)

    vars(dataclasses)["replace"] = replace


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out what only a controller can answer."""
    items[:] = [item for item in items if item.name.partition("[")[0] not in OF_THE_CONTROLLER]
