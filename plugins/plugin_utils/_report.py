# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Reports on the controller's disk: written whole or not at all."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import SCHEMA
from ansible_collections.outward.kubelet.plugins.plugin_utils._whole import write_whole

REPORT_DIR: t.Final[dict[str, t.Any]] = {"type": "path", "default": "./reports"}
MEND: t.Final = "set outward_report_dir to a writable directory"
# Bytes of one report, of which the lab's have 60 KiB; more Pods and a longer journal make more of it.
ROOM: t.Final = 128 * 1024


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
    """*data* at *path*, in a directory that is made when it is missing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    except OSError as error:
        raise AnsibleActionFail(f"cannot write {path}: {error.strerror}; {MEND}") from error
    return path
