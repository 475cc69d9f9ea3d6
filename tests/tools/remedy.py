# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write docs/remedy.md from what was measured of repairs: ``python -m tests.tools.remedy``."""

from __future__ import annotations

import typing as t
from pathlib import Path

from tests.matrix.results import Row

from .certificates import listed
from .measured import DOCS, RESULTS, Section
from .measured import page as written

PAGE: t.Final = DOCS / "remedy.md"
HEAD: t.Final = """<!-- Written by `python3 -m tests.tools.remedy` from docs/results; do not edit. -->
# Repairs, measured

Each row was run against a real node. Which causes a repair has cured, with its proof, stands in [matrix.md](matrix.md); here is
what happens when it does not help, what goes of a full disk, and whether what a person is told to type is right.
"""


def _undone(row: Row) -> tuple[str, ...]:
    seen = row["seen"] or {}
    undone = seen.get("undone") or []
    return ("; ".join(undone) or "-", "; ".join(seen.get("different") or ()) or "nothing", seen.get("containers", "-"))


def _freed(row: Row) -> tuple[str, ...]:
    seen = row["seen"] or {}
    freed = seen.get("inodes" if row["kind"] == "inodes" else "available", {}).get("freed")
    gone = [f"{kind}: {what}" for kind, what in (seen.get("gone") or {}).items()]
    images = [f"{len(seen['images_gone'])} images"] if seen.get("images_gone") else []
    kept = [f"{kind}: {what}" for kind, what in (seen.get("kept") or {}).items()]
    unit = "inodes" if row["kind"] == "inodes" else "bytes"
    return (
        row["kind"],
        seen.get("outcome", "-"),
        "-" if freed is None else f"{freed} {unit}",
        "; ".join([*gone, *images]) or "nothing",
        "; ".join(kept) or "-",
        row["expected"].get("owner") or "-",
    )


def _typed(row: Row) -> tuple[str, ...]:
    seen = row["seen"] or {}
    hand = "yes" if seen.get("by_hand") else "-"
    return (seen.get("outcome", "-"), listed([each["command"] for each in seen.get("typed", ())]), hand)


SECTIONS: t.Final = (
    Section(
        "undo.json",
        "Taken back",
        "A fault, `node-recover.yml`, and a proof that is made to fail. Right: the report says of each change what was taken "
        "back, the node is as it was before (every file, unit, setting, module, link and mount that is looked at), and all "
        "containers run on.",
        ("taken back", "different afterwards", "containers"),
        _undone,
        by="mode",
    ),
    Section(
        "disk.json",
        "Disks that are full",
        "A disk filled in one way, and `node-recover.yml`. Right: only what nobody misses goes, and only when it is enough; "
        "volumes, images in use and files of somebody's stay, and the Pod whose data fills the disk is named.",
        ("filled by", "outcome", "given back", "gone", "kept", "named"),
        _freed,
        by="mode",
    ),
    Section(
        "advice.json",
        "What a person is told",
        "A fault that is left to a person, and the commands of the report's `next`, typed as they stand there. Right: the "
        "commands are there to the letter and cure, or name the culprit that is then taken away by hand; and a last look "
        "finds no root cause.",
        ("outcome", "typed", "and by hand"),
        _typed,
        by="mode",
    ),
)


def page(results: Path = RESULTS) -> str:
    """The whole page."""
    return written(HEAD, SECTIONS, results)


if __name__ == "__main__":
    PAGE.write_text(page())
