# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Containers that ended before their program began, by the last words in their logs."""

from __future__ import annotations

import os
import re
import typing as t

from ..files import names, read

ROOT: t.Final = "/var/log/pods"
_MOST_PODS: t.Final = 250
# Such a log is one line for each start; one that is larger is of a program that ran.
_LARGEST: t.Final = 2048
_NO_FORMAT: t.Final = re.compile(r"exec [^\n]{1,300}: exec format error\s*$")


def exec_format(root: str = ROOT) -> tuple[str, ...]:
    """UID of the Pod and name of the container, `UID/NAME`, of those whose program this kernel cannot execute."""
    found: list[str] = []
    for pod in names(root)[:_MOST_PODS]:
        for container in names(f"{root}/{pod}"):
            logs = [name for name in names(f"{root}/{pod}/{container}") if name.endswith(".log")]
            newest = max(logs, key=_number, default=None)
            if newest and _says_so(f"{root}/{pod}/{container}/{newest}"):
                found.append(f"{pod.rpartition('_')[2]}/{container}")
    return tuple(found)


def _number(name: str) -> int:
    """`3.log` is of the container's third restart."""
    stem = name[: -len(".log")]
    return int(stem) if stem.isdigit() else -1


def _says_so(path: str) -> bool:
    try:
        return 0 < os.stat(path).st_size <= _LARGEST and _NO_FORMAT.search(read(path)) is not None
    except OSError:
        return False  # it was rotated or removed meanwhile
