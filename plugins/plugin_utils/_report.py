# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Reports on the controller's disk: written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail

REPORT_DIR: t.Final[dict[str, t.Any]] = {"type": "path", "default": "./reports"}


def writable(directory: Path) -> None:
    """Raise AnsibleActionFail now, rather than after the node was touched."""
    write_json(directory / "summary.json", {"hosts": {}})


def write_report(directory: Path, report: dict[str, t.Any]) -> Path:
    """``<directory>/<host>.json``, atomically; raises AnsibleActionFail naming the directory and what to do."""
    return write_json(directory / f"{report['host']}.json", report)


def write_json(path: Path, data: t.Any) -> Path:
    """*data* at *path*, through a temporary file in the same directory and a rename."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".", delete=False) as file:
            json.dump(data, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
    except OSError as error:
        raise AnsibleActionFail(
            f"cannot write {path}: {error.strerror}; set outward_report_dir to a writable directory"
        ) from error
    return path
