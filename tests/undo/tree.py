# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A copy of the collection, as symbolic links, in which one function is another: the proof of a step says no.

So nothing of a test stands in the product. What is proven is asked as ever, and waited for as long: what a repair
changes has its time to work on the node before it is taken back.
"""

from __future__ import annotations

import shutil
import typing as t
from pathlib import Path

from tests.matrix.results import ROOT

COLLECTIONS: t.Final = ROOT / ".build" / "undo"
# What ansible-playbook reads of a collection.
PARTS: t.Final = ("galaxy.yml", "meta", "playbooks", "plugins", "roles")
FORCED: t.Final = "forced_to_fail"
NEVER: t.Final = f'''

_proof = Repairing._prove


def _never(self, *asked):
    """What the proof says, and no."""
    evidence, checks, said = _proof(self, *asked)
    return evidence, {{**checks, "{FORCED}": False}}, said


Repairing._prove = _never
'''
# The one step that changes files and is no repair; the same class starts and restarts units, and is left alone there.
NOT_RENEWED: t.Final = f'''

_proof = Run._prove


def _never(self, trial, acted, until):
    """What the proof says, and no."""
    evidence, checks = _proof(self, trial, acted, until)
    return evidence, {{**checks, "{FORCED}": False}} if self.task.change else checks


Run._prove = _never
'''
REPLACED: t.Final = {
    Path("plugins/module_utils/_host/repair/run.py"): NEVER,
    Path("plugins/module_utils/_host/restart.py"): NOT_RENEWED,
}


def build(root: Path = ROOT, collections: Path = COLLECTIONS) -> Path:
    """The directory for ANSIBLE_COLLECTIONS_PATH; made anew, so that it has no file that is not there any more."""
    target = collections / "ansible_collections" / "outward" / "kubelet"
    shutil.rmtree(collections, ignore_errors=True)
    target.mkdir(parents=True)
    for part in PARTS:
        source = root / part
        if source.is_dir():
            _linked(source, target / part)
        else:
            (target / part).symlink_to(source)
    for path, more in REPLACED.items():
        text = (target / path).read_text()
        (target / path).unlink()
        (target / path).write_text(text + more)
    return collections


def _linked(source: Path, target: Path) -> None:
    """Directories of their own: what looks for its neighbours is to find those of the copy."""
    target.mkdir()
    for entry in source.iterdir():
        if entry.name == "__pycache__":
            continue
        if entry.is_dir():
            _linked(entry, target / entry.name)
        else:
            (target / entry.name).symlink_to(entry)
