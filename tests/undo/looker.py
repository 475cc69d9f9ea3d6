# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run on the node: prints one JSON object of everything that a repair may change, place by place, and of the containers.

Nothing of the product is used for it, and it is shipped as text.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

SYSCTLS = (
    "fs/file-max",
    "fs/inotify/max_user_instances",
    "fs/inotify/max_user_watches",
    "net/ipv4/ip_forward",
    "net/netfilter/nf_conntrack_max",
    "net/bridge/bridge-nf-call-iptables",
    "net/bridge/bridge-nf-call-ip6tables",
)
KUBEPODS = "/sys/fs/cgroup/kubepods.slice"
RESERVED = "/var/lib/cni/networks/"  # by host-local


def said(*words: str) -> list[str]:
    """The lines that a command prints; none when it cannot be run."""
    try:
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()
    except FileNotFoundError:
        return []


def entry(path: Path) -> str | None:
    """One file or directory in a line; None: it is not there, or it is a socket or such."""
    try:
        found = path.lstat()
        owner = f"{stat.S_IMODE(found.st_mode):o} {found.st_uid}:{found.st_gid}"
        if stat.S_ISLNK(found.st_mode):
            return f"-> {path.readlink()}"
        if stat.S_ISDIR(found.st_mode):
            return f"directory {owner}"
        if stat.S_ISREG(found.st_mode):
            return f"{owner} {hashlib.sha256(path.read_bytes()).hexdigest()[:20]}"
    except FileNotFoundError:
        return None
    return None


def files(top: str) -> dict[str, str]:
    """Everything below *top* on its filesystem, and itself; of Pods, plugins and a package cache that lies there, only that they are."""
    found = {}
    for place, directories, names in os.walk(top):
        if place.endswith("/kubelet/archives"):
            names.clear()
        for each in (Path(place), *(Path(place) / name for name in names + directories)):
            line = entry(each)
            if place.startswith(RESERVED):  # whose it is changes with every Pod
                line = None if each.name.startswith("last_reserved_ip") else " ".join((line or "").split()[:2])
            if line:
                found[f"file {each}"] = line
        if re.search("/kubelet/(pods|plugins|plugins_registry|device-plugins|archives)$", place):
            directories[:] = []
    return found


def units() -> dict[str, str]:
    """Which units are to be started, and which of them are."""
    found = {}
    for line in said("systemctl", "list-unit-files", "--no-legend", "--no-pager"):
        name, state = line.split()[:2]
        if state != "transient":  # of a container, a Pod or a login
            found[f"enabled {name}"] = state
    for line in said("systemctl", "list-units", "--all", "--plain", "--no-legend", "--no-pager", "--type=service"):
        name, dummy, active = line.split()[:3]
        found[f"active {name}"] = "active" if active == "active" else "inactive"
    return found


def kernel() -> dict[str, str]:
    """Settings, modules, swap, mounts and the host's name."""
    found = {"hostname": os.uname().nodename}
    for name in SYSCTLS:
        place = Path("/proc/sys") / name
        found[f"sysctl {name.replace('/', '.')}"] = place.read_text().strip() if place.exists() else "not there"
    found |= {f"module {line.split()[0]}": "loaded" for line in Path("/proc/modules").read_text().splitlines()}
    found |= {f"swap {line.split()[0]}": "on" for line in Path("/proc/swaps").read_text().splitlines()[1:]}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = line.split()[4]
        if not re.match("/(var/lib/kubelet/pods|run|sys|proc|dev)(/|$)", point):
            found[f"mount {point}"] = line.partition(" - ")[2].split()[0]
    return found


def network() -> dict[str, str]:
    """Links with their sizes and addresses, and the chains of Kubernetes in both kinds of iptables."""
    found = {}
    for line in said("ip", "-o", "link", "show"):
        name = line.split()[1].rstrip(":").partition("@")[0]
        addresses = [each.split()[3] for each in said("ip", "-o", "-4", "address", "show", "dev", name)]
        found[f"link {name}"] = " ".join([*re.findall(r"mtu \d+", line), *sorted(addresses)])
    for kind in ("legacy", "nft"):
        rules = [re.sub(r"\[\d+:\d+\]", "", line) for line in said(f"iptables-{kind}-save") if "KUBE-" in line]
        found[f"chains {kind}"] = hashlib.sha256("\n".join(rules).encode()).hexdigest()[:20] + f" {len(rules)} lines"
    return found


def containers() -> list[str]:
    """The ids of those that have a living process, by their control groups."""
    found = []
    for place, dummy, names in os.walk(KUBEPODS):
        match = re.search("cri-containerd-([0-9a-f]{64})", Path(place).name)
        if match and "cgroup.procs" in names and (Path(place) / "cgroup.procs").read_text().strip():
            found.append(match.group(1))
    return sorted(found)


def main() -> None:
    """All of it."""
    places: dict[str, str] = {}
    for top in sys.argv[1:]:
        places |= files(top)
    places |= {**units(), **kernel(), **network()}
    sys.stdout.write(json.dumps({"places": places, "containers": containers()}))


if __name__ == "__main__":
    main()
