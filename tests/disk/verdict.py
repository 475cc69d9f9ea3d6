# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What went from a full disk, what was kept, and whether that is as it should be. Pure."""

from __future__ import annotations

import json
import re
import typing as t
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tests.faults.model import Fault
from tests.faults.table import FAULTS
from tests.matrix.playbook import Report
from tests.matrix.verdict import expected, mistakes


@dataclass(frozen=True)
class Case:
    """A fault that fills a disk, what fills it, and a path on that filesystem; *owner*: whose data it is."""

    fault: Fault
    kind: str
    path: str
    owner: str = ""  # a Pod; HOST stands for the node's name


def case(fault: str, kind: str, path: str, owner: str = "") -> Case:
    """By the fault's name."""
    return Case(FAULTS[fault], kind, path, owner)


OURS: t.Final = "default/outward-fault-HOST"
CASES: t.Final = (
    case("container-log-growth", "logs", "/var/log/pods"),
    case("journald-growth", "logs", "/var/log"),
    case("container-log-unrotated", "logs", "/var/log/pods"),
    case("disk-pressure-unused-image", "images", "/var/lib/containerd"),
    case("inode-exhaustion-package-cache", "inodes", "/var/lib/kubelet"),
    case("inode-exhaustion", "inodes", "/var/lib/kubelet"),
    case("disk-pressure-volume", "volume", "/var/lib/kubelet", OURS),
    case("disk-pressure-host-path", "volume", "/var/lib/kubelet", OURS),
    case("disk-pressure-package-cache", "packages", "/var/cache/apt"),
    case("disk-pressure-nodefs", "files", "/var/lib/kubelet"),
)
# What nobody misses, by its place and name alone.
MISSED_BY_NOBODY: t.Final = {
    "packages": r"/var/cache/apt/archives/[^/]+\.deb",
    "journals": r"/var/log/journal/[^/]+/[^/]+\.journal~?",
    "rotated logs": r"/var/log/pods/[^/]+/[^/]+/\d+\.log\.\d{8}-\d{6}(?:\.gz)?",
}
KEPT: t.Final = {
    "volumes": r"/var/lib/kubelet/pods/[^/]+/volumes/.*|/var/lib/outward-data/.*",
    "live logs": r"/var/log/pods/[^/]+/[^/]+/\d+\.log",
    "files of somebody's": r"/var/lib/outward-fill.*|/var/lib/kubelet/outward/.*|/var/log/outward-fill",
    **MISSED_BY_NOBODY,
}
UID: t.Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
UNUSED: t.Final = r"registry\.test/ballast.*|sha256:.*"


@dataclass(frozen=True)
class View:
    """A filesystem's room, and what lies where something could be deleted (path -> bytes)."""

    available: int
    inodes: int
    files: Mapping[str, int]
    pods: frozenset[str]  # those that run
    images: frozenset[str]
    by_kubelet: frozenset[str]  # ids of images that the kubelet says it removed


def view(text: str) -> View:
    """What looker.py printed."""
    data = json.loads(text)
    sets = (frozenset(data[name]) for name in ("pods", "images", "by_kubelet"))
    return View(data["available"], data["inodes"], data["files"], *sets)


def gone(before: View, after: View) -> list[str]:
    """The files that went, but for those of Pods that the kubelet itself has taken down (it evicts): they do not run."""
    paths = [path for path in before.files if path not in after.files]
    return sorted(path for path in paths if set(UID.findall(path)) <= after.pods)


def named(path: str) -> str:
    """To which kind of thing a path belongs."""
    return next((kind for kind, pattern in KEPT.items() if re.fullmatch(pattern, path)), "others")


def counted(view: View, paths: t.Iterable[str]) -> dict[str, str]:
    """Kind -> how many files of it, and their bytes."""
    numbers: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    for path in paths:
        numbers[named(path)] += 1
        taken[named(path)] += view.files[path]
    return {kind: f"{numbers[kind]} files, {taken[kind]} bytes" for kind in sorted(numbers)}


def seen(case: Case, report: Report, before: View, after: View) -> dict[str, t.Any]:
    """The row's ``seen``."""
    return {
        "root_causes": sorted(report["diagnosis"]["root_causes"]),
        "outcome": report["outcome"],
        "actions": [action["step"] for action in report["actions"]],
        "said": [words for action in report["actions"] for words in action.get("changes", ())],
        "refused": [f"{step['step']}: {step['why']}" for step in report["plan"] if not step["permitted"]],
        "next": report["next"],
        "path": case.path,
        "available": {
            "before": before.available,
            "after": after.available,
            "freed": after.available - before.available,
        },
        "inodes": {"before": before.inodes, "after": after.inodes, "freed": after.inodes - before.inodes},
        "gone": counted(before, gone(before, after)),
        "images_gone": sorted(before.images - after.images),
        "images_gone_by_kubelet": sorted(after.by_kubelet),
        "pods_ended_by_kubelet": len(before.pods - after.pods),
        "kept": {**counted(after, set(before.files) & set(after.files)), "images": len(before.images & after.images)},
    }


def wanted(case: Case, host: str) -> dict[str, t.Any]:
    """The row's ``expected``."""
    deleted = "only what nobody misses" if case.fault.actions else "nothing"
    return {**expected(case.fault, "recover"), "gone": deleted, "owner": case.owner.replace("HOST", host)}


def wrong(case: Case, host: str, report: Report, before: View, after: View) -> list[str]:
    """Everything that is not as it should be; nothing when the row is right."""
    found = [*mistakes(expected(case.fault, "recover"), report), *_went(case, before, after)]
    if case.owner:
        found += _unnamed(case.owner.replace("HOST", host), report)
    freed = after.inodes - before.inodes if case.kind == "inodes" else after.available - before.available
    return [*found, f"only {freed} were freed"] if case.fault.actions and freed <= 0 else found


def _went(case: Case, before: View, after: View) -> list[str]:
    """What somebody misses; where nothing may be done, that is everything. An image may go by the kubelet's own hand."""
    missed, unused = ("|".join(MISSED_BY_NOBODY.values()), UNUSED) if case.fault.actions else ("(?!)", "(?!)")
    found = [f"{path} went" for path in gone(before, after) if not re.fullmatch(missed, path)]
    images = before.images - after.images if case.kind == "images" or not case.fault.actions else frozenset[str]()
    if not after.by_kubelet:
        found += [f"image {name} went" for name in sorted(images) if not re.fullmatch(unused, name)]
    return found


def _unnamed(owner: str, report: Report) -> list[str]:
    """Whose data it is has to stand where the refusal is, and in what a person is told."""
    why = [step["why"] for step in report["plan"] if not step["permitted"]]
    found = [] if any(f"of Pod {owner}" in text for text in why) else [f"{owner} is not named: {why}"]
    return found if all(word in report["next"] for word in owner.split("/")) else [*found, f"next: {report['next']}"]
