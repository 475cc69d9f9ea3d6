# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Who has the bytes or the inodes of a filesystem, by the name of the Pod where it is one. A walk with a deadline."""

from __future__ import annotations

import contextlib
import os
import re
import time
import typing as t
from collections import defaultdict

from ..._diagnosis.node import Profile
from ..._parse import cri as messages
from ..errors import EXPECTED
from ..probes.cri import Refused
from .tools import Tools

MOST: t.Final = 5
SECONDS: t.Final = 15.0
# A file of this size is named itself; smaller ones count for the directory that they lie in.
LARGE: t.Final = 50 * 1024 * 1024
DEPTH: t.Final = 3
# What is the system's own is not a Pod's because an agent has mounted it.
SYSTEM: t.Final = ("/bin", "/boot", "/dev", "/etc", "/lib", "/opt/cni", "/proc", "/run", "/sys", "/usr", "/var/log")
_VOLUME: t.Final = re.compile(r"/var/lib/kubelet/pods/([0-9a-f-]{32,40})(?:/|$)")
_LOGS: t.Final = re.compile(r"/var/log/pods/([^_/]{1,253})_([^_/]{1,253})_")


class Consumer(t.NamedTuple):
    """Somebody who has some of a filesystem: how he is called, how much that is, and the Pods (namespace/name) that he is."""

    name: str
    taken: int
    pods: tuple[str, ...] = ()


class Owner(t.NamedTuple):
    """Whose a file is."""

    name: str
    pods: tuple[str, ...] = ()


class Pods(t.NamedTuple):
    """What the runtime knows of the Pods: UID -> namespace/name, and a path of the host -> those that write to it."""

    names: t.Mapping[str, str]
    paths: t.Mapping[str, tuple[str, ...]]


def largest(path: str, tools: Tools, unit: str = "bytes") -> list[Consumer]:
    """Who has most of the filesystem of *path* in this *unit* (bytes, inodes); what was not reached in time is not counted."""
    root = _mount_point(os.path.realpath(tools.path(path)))
    device = os.lstat(root).st_dev
    pods = _pods(tools)
    found: defaultdict[Owner, int] = defaultdict(int)
    end = time.monotonic() + SECONDS
    waiting = [root]
    while waiting and time.monotonic() < end:
        for entry in _entries(waiting.pop()):
            status = entry.stat(follow_symlinks=False)
            directory = entry.is_dir(follow_symlinks=False)
            if status.st_dev != device:
                continue
            waiting += [entry.path] if directory else []
            if unit == "inodes":
                found[_owner(entry.path[len(tools.path("")) :], 0, pods)] += 1
            elif not directory:
                taken = status.st_blocks * 512
                found[_owner(entry.path[len(tools.path("")) :], taken, pods)] += taken
    ranked = sorted(found.items(), key=lambda item: -item[1])[:MOST]
    return [Consumer(owner.name, taken, owner.pods) for owner, taken in ranked]


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


def _owner(path: str, taken: int, pods: Pods) -> Owner:
    """The Pod, or the large file, or the directory near the root."""
    volume, log = _VOLUME.match(path), _LOGS.match(path)
    if volume:
        name = pods.names.get(volume.group(1))
        return Owner(f"volumes of Pod {name or volume.group(1)}", (name,) if name else ())
    if log:
        name = f"{log.group(1)}/{log.group(2)}"
        return Owner(f"logs of Pod {name}", (name,))
    for place, names in pods.paths.items():
        if f"{path}/".startswith(f"{place}/"):
            return Owner(f"{place} of Pod {', '.join(names)}", names)
    return Owner(path if taken >= LARGE else "/".join(path.split("/")[: DEPTH + 1]))


def _pods(tools: Tools) -> Pods:
    """As far as the runtime tells."""
    try:
        known = messages.sandboxes(tools.cri("ListPodSandbox"), tools.cri("ListContainers"))
    except (*EXPECTED, Refused):
        return Pods({}, {})
    running = [container.id for pod in known for container in pod.containers if container.state == "running"]
    return Pods({pod.uid: f"{pod.namespace}/{pod.name}" for pod in known}, _paths(running, tools))


def _paths(running: t.Sequence[str], tools: Tools) -> dict[str, tuple[str, ...]]:
    """The longest first: what lies in a path of one Pod below that of another is the former's."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    end = time.monotonic() + SECONDS
    for container in running:
        with contextlib.suppress(*EXPECTED, Refused):  # it has ended meanwhile
            pod, paths = messages.mounts(tools.cri("ContainerStatus", messages.container(container)))
            for path in filter(lambda path: claimed(path, tools.profile), paths):
                found[path].add(pod)
        if time.monotonic() > end:
            break
    return {path: tuple(sorted(found[path])) for path in sorted(found, key=len, reverse=True)}


def claimed(path: str, profile: Profile) -> bool:
    """A path of the host that a Pod writes to says whose the data is, when it is neither the system's nor above of that."""
    own = (*SYSTEM, profile.root_dir, profile.runtime_root)
    return not any(f"{path}/".startswith(f"{each}/") or f"{each}/".startswith(f"{path.rstrip('/')}/") for each in own)
