# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Who has the bytes of a filesystem, by the name of the Pod where it is one. A walk with a deadline."""

from __future__ import annotations

import os
import re
import time
import typing as t
from collections import defaultdict

from ..._parse import cri as messages
from ..errors import EXPECTED
from ..probes.cri import Refused
from .tools import Tools

MOST: t.Final = 5
SECONDS: t.Final = 15.0
# A file of this size is named itself; smaller ones count for the directory that they lie in.
LARGE: t.Final = 50 * 1024 * 1024
DEPTH: t.Final = 3
_VOLUME: t.Final = re.compile(r"/var/lib/kubelet/pods/([0-9a-f-]{32,40})(?:/|$)")
_LOGS: t.Final = re.compile(r"/var/log/pods/([^_/]{1,253})_([^_/]{1,253})_")


def largest(path: str, tools: Tools) -> list[tuple[str, int]]:
    """The names of the largest on the filesystem of *path*, and their bytes; what was not reached in time is not counted."""
    root = _mount_point(os.path.realpath(tools.path(path)))
    device = os.lstat(root).st_dev
    pods = _pods(tools)
    found: defaultdict[str, int] = defaultdict(int)
    end = time.monotonic() + SECONDS
    waiting = [root]
    while waiting and time.monotonic() < end:
        for entry in _entries(waiting.pop()):
            status = entry.stat(follow_symlinks=False)
            if entry.is_dir(follow_symlinks=False):
                waiting += [entry.path] if status.st_dev == device else []
            elif status.st_dev == device:
                found[_owner(entry.path[len(tools.path("")) :], status.st_blocks * 512, pods)] += status.st_blocks * 512
    return sorted(found.items(), key=lambda item: -item[1])[:MOST]


def _mount_point(place: str) -> str:
    while not os.path.ismount(place):
        place = os.path.dirname(place)
    return place


def _entries(directory: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as found:
            return [entry for entry in found if os.path.lexists(entry.path)]
    except OSError:  # it went meanwhile, or cannot be read: it is not among the largest then
        return []


def _owner(path: str, taken: int, pods: t.Mapping[str, str]) -> str:
    """The Pod, or the large file, or the directory near the root."""
    volume, log = _VOLUME.match(path), _LOGS.match(path)
    if volume:
        return f"volumes of Pod {pods.get(volume.group(1), volume.group(1))}"
    if log:
        return f"logs of Pod {log.group(1)}/{log.group(2)}"
    return path if taken >= LARGE else "/".join(path.split("/")[: DEPTH + 1])


def _pods(tools: Tools) -> dict[str, str]:
    """UID -> namespace/name, as far as the runtime tells."""
    try:
        found = messages.sandboxes(tools.cri("ListPodSandbox"))
    except (*EXPECTED, Refused):
        return {}
    return {pod.uid: f"{pod.namespace}/{pod.name}" for pod in found}
