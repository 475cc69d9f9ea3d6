# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shape of the code: who may import what, and the habits that no linter knows."""

from __future__ import annotations

import ast
import typing as t
from pathlib import Path

import pytest

ROOT: t.Final = Path(__file__).parents[2]
PLUGINS: t.Final = ROOT / "plugins"
UTILS: t.Final = PLUGINS / "module_utils"
PURE: t.Final = ("_diagnosis", "_parse")
ON_THE_NODE: t.Final = ("_diagnosis", "_parse", "_host")
# What would make a pure function depend on the world it runs in.
WORLD: t.Final = {"ansible", "http", "kubernetes", "os", "pathlib", "shutil", "socket", "ssl", "subprocess", "time"}
CONTROLLER: t.Final = {"kubernetes", "urllib3", "yaml"}
PRIVATE: t.Final = " util is **PRIVATE** to the collection."
DOCUMENTS: t.Final = {"DOCUMENTATION", "EXAMPLES", "RETURN"}
Imported = tuple[int, str]


def sources(*places: Path) -> list[Path]:
    """Python files below *places*; there must be some, or a test would pass with the code gone."""
    return sorted(file for place in places for file in place.rglob("*.py"))


def imports(file: Path) -> list[Imported]:
    """(line, dotted name) of everything that *file* imports; relative ones keep their dots."""
    found: list[Imported] = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.lineno, "." * node.level + (node.module or "")))
    return found


def target(file: Path, name: str) -> Path:
    """Where the relative import *name* of *file* leads, without a suffix."""
    bare = name.lstrip(".")
    return file.parents[len(name) - len(bare) - 1].joinpath(*bare.split("."))


def offenders(files: list[Path], forbidden: t.Callable[[str], bool]) -> list[str]:
    """`file:line: name` of each import that *forbidden* says yes to."""
    return [
        f"{file.relative_to(ROOT)}:{line}: {name}" for file in files for line, name in imports(file) if forbidden(name)
    ]


def calls(file: Path) -> list[tuple[int, ast.Call]]:
    """Every call in *file* with its line."""
    return [(node.lineno, node) for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("package", PURE)
def test_pure_packages_do_not_touch_the_world(package: str) -> None:
    files = sources(UTILS / package)
    assert files
    assert offenders(files, lambda name: name.split(".")[0] in WORLD) == []


def test_pure_packages_know_only_pure_packages() -> None:
    pure = [UTILS / package for package in PURE]
    files = sources(*pure)
    outside = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in files
        for line, name in imports(file)
        if name.startswith(".")
        and not any(package in [target(file, name), *target(file, name).parents] for package in pure)
    ]
    assert outside == []
    assert offenders(files, lambda name: name.startswith("ansible_collections")) == []


def test_diagnosis_knows_no_parser() -> None:
    assert offenders(sources(UTILS / "_diagnosis"), lambda name: "_parse" in name) == []


def test_node_code_imports_nothing_of_the_controller() -> None:
    files = sources(*(UTILS / package for package in ON_THE_NODE))

    def foreign(name: str) -> bool:
        return name.split(".")[0] in {*CONTROLLER, "ansible"} or "_kube" in name

    assert offenders(files, foreign) == []


def test_the_kubernetes_client_is_imported_in_one_place() -> None:
    files = [file for file in sources(PLUGINS) if UTILS / "_kube" not in file.parents]
    assert offenders(files, lambda name: name.split(".")[0] == "kubernetes") == []
    assert offenders(sources(UTILS / "_kube"), lambda name: name.split(".")[0] == "kubernetes") != []


def test_only_modules_and_action_plugins_end_a_task() -> None:
    ends = {"fail_json", "exit_json"}
    found = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in sources(UTILS, PLUGINS / "plugin_utils")
        for line, call in calls(file)
        if isinstance(call.func, ast.Attribute) and call.func.attr in ends
    ]
    assert found == []


def test_no_package_runs_code_on_import() -> None:
    files = sources(PLUGINS)
    assert files
    assert [file for file in files if file.name == "__init__.py"] == []


def test_shared_code_is_private_and_says_so() -> None:
    files = sources(UTILS, PLUGINS / "plugin_utils")
    public = [file for file in files if not any(part.startswith("_") for part in file.relative_to(PLUGINS).parts[1:])]
    assert public == []
    assert [file for file in files if PRIVATE not in file.read_text()] == []


def test_every_command_is_an_argument_list() -> None:
    shells = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in sources(PLUGINS)
        for line, call in calls(file)
        for keyword in call.keywords
        if keyword.arg in {"shell", "use_unsafe_shell"}
    ]
    assert shells == []


def test_nothing_is_switched_off() -> None:
    words = ("type: " + "ignore", "# no" + "qa", "pylint: " + "disable", "TO" + "DO", "FIX" + "ME", "ruff: no" + "qa")
    files = sources(PLUGINS, ROOT / "tests", ROOT / "molecule")
    found = [f"{file.relative_to(ROOT)}: {word}" for file in files for word in words if word in file.read_text()]
    assert found == []
    assert list((ROOT / "tests" / "sanity").glob("ignore*")) == []


def code_lines(file: Path) -> int:
    """Lines of *file* without its documentation for ansible-doc."""
    text = file.read_text()
    documented = sum(
        lines(node)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in DOCUMENTS
    )
    return len(text.splitlines()) - documented


def lines(node: ast.stmt) -> int:
    """How many lines a statement takes."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def functions(file: Path) -> dict[str, int]:
    """Lines of each function in *file*."""
    tree = ast.parse(file.read_text())
    return {node.name: lines(node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_files_are_short() -> None:
    sizes = sorted(code_lines(file) for file in sources(PLUGINS))
    assert sizes[len(sizes) * 95 // 100] <= 300
    assert sizes[-1] <= 450


def test_functions_are_short() -> None:
    sizes = sorted(size for file in sources(PLUGINS) for size in functions(file).values())
    assert sizes[len(sizes) // 2] <= 10
    assert sizes[len(sizes) * 95 // 100] <= 25
    assert sizes[-1] <= 50


def test_test_functions_are_short() -> None:
    files = sources(ROOT / "tests" / "unit")
    long = [(file.name, name) for file in files for name, size in functions(file).items() if size > 40]
    assert long == []
