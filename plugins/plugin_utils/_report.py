# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Reports on the controller's disk: written whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import SCHEMA

REPORT_DIR: t.Final[dict[str, t.Any]] = {"type": "path", "default": "./reports"}
MEND: t.Final = "set outward_report_dir to a writable directory"
# Bytes of one report: 60 KiB in the lab; hundreds of Pods and a long journal make more of it.
ROOM: t.Final = 512 * 1024
# To write a report takes milliseconds: what is older was left by a run that was killed meanwhile. Seconds.
STALE: t.Final = 600


def writable(directory: Path, reports: int) -> None:
    """Raise AnsibleActionFail now, rather than after the node was touched, unless so many reports find room."""
    write_json(directory / "summary.json", {"hosts": {}})
    found = os.statvfs(directory)
    free = found.f_bavail * found.f_frsize
    if free < reports * ROOM:
        raise AnsibleActionFail(
            f"{directory} has {free // 1024} KiB left, and {reports} reports may need {reports * ROOM // 1024}: "
            "make room, or set outward_report_dir to another directory"
        )


def report_path(directory: Path, host: str) -> Path:
    """Where the report of *host* is."""
    return directory / f"{host}.json"


def report_before(directory: Path, host: str) -> dict[str, t.Any]:
    """The report of *host* that is there; empty when there is none of ours, or none that can be read."""
    try:
        found = json.loads(report_path(directory, host).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("schema") == SCHEMA else {}


def write_report(directory: Path, report: dict[str, t.Any]) -> Path:
    """``<directory>/<host>.json``, atomically; raises AnsibleActionFail naming the directory and what to do."""
    return write_json(report_path(directory, report["host"]), report)


def write_json(path: Path, data: t.Any) -> Path:
    """*data* at *path*, through a temporary file in the same directory and a rename; nothing else stays there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(data, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise AnsibleActionFail(f"cannot write {path}: {error.strerror}; {MEND}") from error
    return path


def _sweep(path: Path) -> None:
    """What a run that was killed in the middle of writing *path* has left."""
    for left in path.parent.glob(f".{path.name}.*"):
        with contextlib.suppress(OSError):  # another run was faster, or it is not ours to remove
            if time.time() - left.stat().st_mtime > STALE:
                left.unlink()
