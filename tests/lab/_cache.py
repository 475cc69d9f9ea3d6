# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cache entries are directories named by what went into them, and appear whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.lab._shell import locked, step


def digest(parts: Iterable[bytes]) -> str:
    """A short name for these contents; the parts do not run into each other."""
    summary = hashlib.sha256()
    for part in parts:
        summary.update(len(part).to_bytes(8, "big") + part)
    return summary.hexdigest()[:12]


def tree(root: Path) -> Iterable[bytes]:
    """Names and contents of all files below a directory, in a fixed order."""
    for path in sorted(root.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(root)).encode()
            yield path.read_bytes()


def _sweep(cache: Path, prefix: str) -> None:
    """Remove what interrupted builds left; the caller holds the lock, so none is running."""
    for leftover in cache.glob(f"{prefix}*"):
        shutil.rmtree(leftover)


def entry(cache: Path, name: str, title: str, make: Callable[[Path], None]) -> Path:
    """The entry's directory, made first when it is missing."""
    path = cache / name
    if path.is_dir():
        return path
    prefix = f".making-{name}-"
    with locked(cache / f".lock-{name}"):
        if path.is_dir():
            return path
        _sweep(cache, prefix)
        scratch = Path(tempfile.mkdtemp(dir=cache, prefix=prefix))
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(shutil.rmtree, scratch, ignore_errors=True)
            with step(title):
                make(scratch)
            os.sync()
            scratch.chmod(0o700)
            scratch.rename(path)
            on_failure.pop_all()
    return path
