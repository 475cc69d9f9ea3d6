# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node and its cluster as they are, seen from the outside: by systemd, containerd, the filesystem and the API server.

Nothing of the product is used for it. The judgement is pure: what was seen in, sentences out.
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.lab._kubectl import Object
from tests.lab._lab import Lab
from tests.lab._model import parse_host

# What is ours by design: the ledger, and in memory what was compiled, and empty files that two looks or two trials lock.
KEPT: t.Final = frozenset(
    {
        "/var/lib/outward-kubelet",
        "/var/lib/outward-kubelet/ledger.jsonl",
        "/run/outward-kubelet-code",
        "/run/outward-kubelet-look.lock",
        "/run/outward-kubelet-sandbox.lock",
    }
)
COPIES: t.Final = "/var/lib/outward-kubelet/backup/"  # of what a repair has replaced, by their own names
OURS: t.Final = ("outward.kubelet/cordoned-by", "outward.kubelet/cordoned-at", "outward.kubelet/cordoned-because")
LEASE: t.Final = re.compile(r"outward-kubelet-[0-9]+")
# Run by the node's own Python; prints one JSON object.
LOOK: t.Final = r"""
import json, os, re, subprocess
def said(*words):
    return subprocess.run(words, capture_output=True, text=True).stdout.strip()
def unit(name):
    names = ("InvocationID", "NRestarts", "ActiveState", "MainPID")
    return [said("systemctl", "show", "-P", each, name) for each in names]
def named(place, deep):
    found = []
    for top, directories, files in os.walk(place):
        found += [os.path.join(top, n) for n in directories + files if "outward" in n.lower() or "ansible" in n.lower()]
        if not deep:
            break
    return found
def commands():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = open(f"/proc/{pid}/cmdline").read().replace("\0", " ")
        except (OSError, ValueError):
            continue
        if re.search(r"/run/outward-[a-z]+\.py", line):  # a program of a fault (tests.faults.model.program)
            continue
        if int(pid) != os.getpid() and ("outward" in line or "ansible" in line or "marshal.loads(zlib" in line):
            yield f"{pid} {line[:120]}"
def ledger():
    try:
        return open("/var/lib/outward-kubelet/ledger.jsonl").read().count('"phase": "intent"')
    except OSError:
        return 0
places = [(p, True) for p in ("/tmp", "/var/tmp", "/run", "/dev/shm", "/root", "/home", "/var/lib/outward-kubelet")]
files = [f for place, deep in [*places, ("/var/lib", False)] for f in named(place, deep)]
label = 'labels."outward.kubelet/probe"'
print(json.dumps({
    "kubelet": unit("kubelet"), "containerd": unit("containerd"), "files": sorted(set(files)),
    "sandboxes": said("ctr", "-n", "k8s.io", "containers", "ls", "-q", label).split(),
    "processes": list(commands()), "ledger": ledger(), "boot": open("/proc/sys/kernel/random/boot_id").read().strip(),
}))
"""


@dataclass(frozen=True)
class Unit:
    """A unit's invocation, how often systemd has started it again by itself, its state and its process."""

    invocation: str
    restarts: int
    state: str
    process: str


@dataclass(frozen=True)
class View:
    """What is on a node."""

    kubelet: Unit
    containerd: Unit
    files: tuple[str, ...]  # of whatever looks like ours
    sandboxes: tuple[str, ...]
    processes: tuple[str, ...]
    ledger: int  # actions that the ledger has
    boot: str


def view(text: str) -> View:
    """What :data:`LOOK` printed."""
    data = json.loads(text)
    return View(
        kubelet=_unit(*data["kubelet"]),
        containerd=_unit(*data["containerd"]),
        files=tuple(data["files"]),
        sandboxes=tuple(data["sandboxes"]),
        processes=tuple(data["processes"]),
        ledger=data["ledger"],
        boot=data["boot"],
    )


def _unit(invocation: str, restarts: str, state: str, process: str) -> Unit:
    return Unit(invocation, int(restarts or 0), state, process)


def look(lab: Lab, host: str) -> View:
    """One node now. Raises LabError when nobody can log into it."""
    return view(lab.guest(parse_host(host)).run(f"python3 - <<'LOOK'\n{LOOK}LOOK\n", timeout=90))


def leases(lab: Lab) -> list[Object]:
    """The slots of the lock. Raises LabError."""
    items = json.loads(lab.kubectl("get", "leases", "-n", "kube-system", "-o", "json"))["items"]
    return [item for item in items if LEASE.fullmatch(item["metadata"]["name"])]


def node(lab: Lab, host: str) -> Object:
    """The Node. Raises LabError."""
    return t.cast(Object, json.loads(lab.kubectl("get", "node", host, "-o", "json")))


def holders(items: t.Iterable[Object], now: datetime) -> list[str]:
    """Who holds a slot at *now*: each is ``job@controller/node``. One that has expired is held by nobody."""
    return [item["spec"]["holderIdentity"] for item in items if _live(item["spec"], now)]


def _live(spec: Object, now: datetime) -> bool:
    if not spec.get("holderIdentity") or not spec.get("renewTime"):
        return False
    renewed = datetime.fromisoformat(spec["renewTime"])
    return now < renewed + timedelta(seconds=spec["leaseDurationSeconds"])


def leftovers(before: View, seen: View, item: Object, held: t.Sequence[str]) -> list[str]:
    """Everything of ours that was not there *before*, in words; *held*: who holds a slot of the lock."""
    left = [f"file {path}" for path in seen.files if path not in {*KEPT, *before.files} and not path.startswith(COPIES)]
    left += [f"sandbox {name}" for name in seen.sandboxes]
    left += [f"process {line}" for line in seen.processes]
    left += [f"lock of {name}" for name in held]
    left += ["the Node is cordoned"] if item["spec"].get("unschedulable") else []
    return left + [f"annotation {name}" for name in OURS if name in item["metadata"].get("annotations", {})]


def touched(before: View, after: View) -> list[str]:
    """What somebody did to the units in between; a crash loop, which systemd keeps up by itself, is nobody's doing."""
    wrong = [f"{after.ledger - before.ledger} actions in the ledger"] if after.ledger != before.ledger else []
    wrong += ["the node was booted"] if before.boot != after.boot else []
    for name, old, new in (
        ("kubelet", before.kubelet, after.kubelet),
        ("containerd", before.containerd, after.containerd),
    ):
        if old.invocation != new.invocation and new.restarts <= old.restarts:
            wrong.append(f"{name}: another invocation ({old.state}, then {new.state})")
    return wrong
