# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The copy differs from the collection in one function, and the collection knows nothing of it."""

from __future__ import annotations

import filecmp
from pathlib import Path

from tests.matrix.results import ROOT
from tests.undo.tree import FORCED, REPLACED, build


def test_one_function_of_a_step_is_another_and_all_other_files_are_the_collections_own(tmp_path: Path) -> None:
    copy = build(ROOT, tmp_path / "undo") / "ansible_collections" / "outward" / "kubelet"
    files = [path for path in copy.rglob("*") if path.is_file()]
    own = [path for path in files if not path.is_symlink()]
    assert {path.relative_to(copy) for path in own} == set(REPLACED)
    assert all((copy / path).read_text() == (ROOT / path).read_text() + more for path, more in REPLACED.items())
    assert all(more.count("def ") == 1 and FORCED in more for more in REPLACED.values())
    assert all(filecmp.cmp(path, ROOT / path.relative_to(copy), shallow=False) for path in files if path.is_symlink())
    assert (copy / "roles/node_recovery/tasks/main.yml") in files


def test_the_product_has_no_hook_for_it() -> None:
    sources = [
        path for part in ("plugins", "roles", "playbooks") for path in (ROOT / part).rglob("*") if path.is_file()
    ]
    assert not [path for path in sources if path.suffix in (".py", ".yml") and FORCED in path.read_text()]


def test_what_was_there_before_is_made_anew(tmp_path: Path) -> None:
    stale = tmp_path / "undo" / "ansible_collections" / "outward" / "kubelet" / "plugins" / "gone.py"
    stale.parent.mkdir(parents=True)
    stale.write_text("")
    build(ROOT, tmp_path / "undo")
    assert not stale.exists()
