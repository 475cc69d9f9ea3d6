# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Saved reports on the controller's disk, one at a time: their number does not count, their size is bounded."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterable, Iterator
from pathlib import Path

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.saved import NoReport

# A report of a busy node takes 100 KiB.
LARGEST: t.Final = 16 * 1024 * 1024
SUMMARY: t.Final = "summary.json"


def files(places: Iterable[str]) -> Iterator[Path]:
    """The files that *places* name; of a directory every ``*.json`` below it but summaries, in order of their names.

    Raises :class:`NoReport` for a place that there is not.
    """
    for place in places:
        path = Path(place).expanduser()
        if path.is_dir():
            yield from (file for file in sorted(path.rglob("*.json")) if file.name != SUMMARY)
        elif path.exists():
            yield path
        else:
            raise NoReport(f"there is no {path}")


def load(path: Path) -> t.Any:
    """The JSON in *path*; raises :class:`NoReport` naming it."""
    try:
        if path.stat().st_size > LARGEST:
            raise NoReport(f"{path}: larger than {LARGEST} bytes")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise NoReport(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, NoReport):
            raise
        raise NoReport(f"{path}: no JSON, or half of it") from error
