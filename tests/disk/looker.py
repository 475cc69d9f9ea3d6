# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run on the node: prints one JSON object of what is free on the filesystem of argv[1], and of what could be deleted."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

AREAS = ("/var/cache/apt/archives", "/var/log", "/var/lib/outward-data", "/var/lib/kubelet/outward")
PODS = Path("/var/lib/kubelet/pods")
GROUPS = Path("/sys/fs/cgroup/kubepods.slice")


def said(*words: str) -> list[str]:
    """The lines that a command prints."""
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()


def files(top: str) -> dict[str, int]:
    """Path -> bytes on the disk."""
    found = {}
    for place, dummy, names in os.walk(top):
        for name in names:
            path = Path(place) / name
            if path.is_symlink():  # the kubelet's own, to the logs of each container; they have no bytes
                continue
            try:
                found[str(path)] = path.lstat().st_blocks * 512
            except FileNotFoundError:
                continue
    return found


def areas() -> list[str]:
    """Where somebody keeps something: what could be deleted, and what may not be."""
    volumes = [str(pod / "volumes/kubernetes.io~empty-dir") for pod in PODS.iterdir()]
    alone = [str(path) for path in Path("/var/lib").glob("outward-fill*")]
    return [*AREAS, *volumes, *alone]


def running() -> list[str]:
    """UIDs of the Pods that have a living process: what the kubelet has evicted, it takes down piece by piece."""
    found = []
    for group in GROUPS.rglob("*pod*.slice"):
        match = re.search(r"pod([0-9a-f]{8}(?:_[0-9a-f]{4}){3}_[0-9a-f]{12})\.slice$", group.name)
        if match and "populated 1" in (group / "cgroup.events").read_text():
            found.append(match.group(1).replace("_", "-"))
    return found


def main() -> None:
    """All of it."""
    found = os.statvfs(sys.argv[1])
    everything: dict[str, int] = {}
    for area in areas():
        everything |= {area: Path(area).lstat().st_blocks * 512} if Path(area).is_file() else files(area)
    log = said("journalctl", "-b", "-q", "--no-pager", "-o", "cat", "-u", "kubelet")
    sys.stdout.write(
        json.dumps(
            {
                "available": found.f_bavail * found.f_frsize,
                "inodes": found.f_ffree,
                "files": everything,
                "pods": running(),
                "images": said("ctr", "-n", "k8s.io", "images", "ls", "-q"),
                "by_kubelet": sorted(
                    {
                        m
                        for line in log
                        if "Removing image to free bytes" in line
                        for m in re.findall("sha256:[0-9a-f]+", line)
                    }
                ),
            }
        )
    )


if __name__ == "__main__":
    main()
