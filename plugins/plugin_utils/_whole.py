# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Files on the controller's disk: written whole or not at all, and nothing else stays there."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
import typing as t
from pathlib import Path

# To write a file takes milliseconds: what is older was left by a run that was killed meanwhile. Seconds.
STALE: t.Final = 600


def write_whole(path: Path, document: t.Any) -> None:
    """*document* as JSON at *path*, mode 0600, through a temporary file beside it and a rename. Raises OSError."""
    _sweep(path)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _sweep(path: Path) -> None:
    """What a run that was killed in the middle of writing *path* has left."""
    for left in path.parent.glob(f".{path.name}.*"):
        with contextlib.suppress(OSError):  # another run was faster, or it is not ours to remove
            if time.time() - left.stat().st_mtime > STALE:
                left.unlink()
