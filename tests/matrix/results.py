# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of measured rows (design.md section 6), written row by row, so that a killed run is carried on."""

from __future__ import annotations

import json
import subprocess
import threading
import typing as t
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

ROOT: t.Final = Path(__file__).parents[2]
# What decides about a row: with these unchanged it need not be run again.
SOURCES: t.Final = ("plugins", "roles", "playbooks", "examples", "tests/faults", "tests/matrix")
Row = dict[str, t.Any]
MARKS: t.Final = {True: "right", False: "WRONG", None: "not run"}  # of a row's ok, for a person who watches


def unrun(case: str, *, kind: str, mode: str, host: str, at: str, expected: Row, note: str = "") -> Row:
    """The row of something that has not been run, *at* a commit."""
    known = {"case": case, "kind": kind, "mode": mode, "host": host, "commit": at, "expected": expected}
    return {**known, "seen": None, "ok": None, "seconds": None, "note": note}


def commit(root: Path = ROOT) -> str:
    """The last commit that changed what decides about a row; with "+" when there is more than is committed."""
    newest = _git(root, "log", "-1", "--format=%h", "--", *SOURCES)
    return newest + ("+" if _git(root, "status", "--porcelain", "--", *SOURCES) else "")


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


class Results:
    """One result file; rows are found by case and mode, and a new one takes the place of an old one."""

    def __init__(self, path: Path, made_by: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._data: dict[str, t.Any] = {"made_by": made_by, "commit": "", "date": "", "versions": {}, "rows": []}
        if path.exists():
            self._data |= json.loads(path.read_text())

    @property
    def rows(self) -> list[Row]:
        """All rows, in the order of the file."""
        return list(self._data["rows"])

    @property
    def versions(self) -> dict[str, str]:
        """The versions that the rows so far have shown."""
        return dict(self._data["versions"])

    def done(self, case: str, mode: str, commit: str) -> bool:
        """There is a row of that commit, and it could be run. Uncommitted work is never done."""
        row = self._find(case, mode)
        return row is not None and row["commit"] == commit and row["ok"] is not None and not commit.endswith("+")

    def put(self, row: Row, versions: dict[str, str]) -> None:
        """Enter *row* and write the file."""
        with self._lock:
            old = self._find(row["case"], row["mode"])
            if old is None:
                self._data["rows"].append(row)
            else:
                self._data["rows"][self._data["rows"].index(old)] = row
            self._data |= {"commit": row["commit"], "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
            self._data["versions"] |= versions
            self._write()

    def keep(self, known: Collection[str]) -> None:
        """Drop the rows of faults that are not *known* any more; a further round of one is called ``FAULT #2``."""
        with self._lock:
            self._data["rows"] = [row for row in self._data["rows"] if row["case"].partition(" #")[0] in known]
            self._write()

    def _find(self, case: str, mode: str) -> Row | None:
        rows: list[Row] = self._data["rows"]
        return next((row for row in rows if (row["case"], row["mode"]) == (case, mode)), None)

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(self._data, indent=1) + "\n")
        Path(new).replace(self._path)
