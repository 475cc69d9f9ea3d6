# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Disk space: measured, in order, only as much as is needed, and nothing at all when it would not be enough."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import amended
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import Filesystem, NodeEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node_pods import Sandbox
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.repairs.disk import goals, inode_goals
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.thresholds import EVICTION_HARD
from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import ProbeError
from ansible_collections.outward.kubelet.plugins.module_utils._host.repair import consumers, space
from ansible_collections.outward.kubelet.plugins.module_utils._parse.protobuf import embedded, enum
from tests.unit.helpers import NOW, filesystem, healthy_node
from tests.unit.helpers_repair import Fake, Patient, log, repair, request

MIB = 1024 * 1024
LOG = "/var/log/pods/default_web_1234/app"
DEB, OLD, NEWER = "/var/cache/apt/archives/x.deb", f"{LOG}/0.log.20261101-000000.gz", f"{LOG}/0.log.20261102-000000"
FILES = {DEB: "d" * MIB, OLD: "o" * MIB, NEWER: "n" * MIB, f"{LOG}/0.log": "live", "/var/lib/app/data": "user" * MIB}
SIZE = 1000 * MIB
LIMITS = {"nodefs.available": "10%", "imagefs.available": "15%"}


def disk(available: int) -> Filesystem:
    return amended(filesystem("/var/lib/kubelet"), size=SIZE, available=available)


def node(available: int, **more: t.Any) -> NodeEvidence:
    whole = disk(available)
    given = {"pressure__nodefs": whole, "pressure__imagefs": whole, "kubelet__config__eviction_hard": LIMITS}
    return healthy_node(**{**given, "storage__log_space": whole, **more})


def desk(tmp_path: Path, short: int, **answers: bytes) -> Fake:
    """A node whose disk is *short* bytes below the goal of 17 %, and gives back what is deleted."""
    made = Fake(
        tmp_path, files=FILES, answers={"ListImages": b"", "ListContainers": b"", "ListPodSandbox": b"", **answers}
    )
    Path(made.path("/var/lib/kubelet")).mkdir(parents=True)
    Path(made.path("/var/lib/containerd")).mkdir(parents=True)
    for number, path in enumerate((DEB, OLD, NEWER)):
        os.utime(made.path(path), (number + 1, number + 1))
    whole = weight(made)
    goal = int(0.17 * SIZE)
    made.free = lambda: goal - short + whole - weight(made) + MIB * sum("RemoveImage" in each for each in made.commands)
    return made


def weight(made: Fake) -> int:
    return sum(found.lstat().st_blocks * 512 for path in FILES for found in [Path(made.path(path))] if found.exists())


def left(made: Fake) -> set[str]:
    return {path for path in FILES if made.read(path) is not None}


def test_the_goal_is_the_threshold_that_comes_first_and_a_margin() -> None:
    found = goals(node(int(0.12 * SIZE)), LIMITS)
    assert {point: goal for point, (dummy, goal) in found.items()} == {"/": int(0.17 * SIZE)}
    assert goals(node(int(0.5 * SIZE)), LIMITS) == {}


def test_as_much_as_is_needed_goes_from_the_harmless_to_the_costly(tmp_path: Path) -> None:
    made = desk(tmp_path, MIB + MIB // 2)
    host = Patient(node(int(0.12 * SIZE)), [node(int(0.3 * SIZE))])
    outcome = repair(host, made, request(tmp_path, "disk-pressure-nodefs"))
    assert (outcome.detail, outcome.result) == ("", "done")
    assert left(made) == set(FILES) - {DEB, OLD}
    assert outcome.said[0].startswith("freed 2 MiB in 2 of 3 pieces")


def test_what_is_not_enough_is_refused_with_the_names_of_the_largest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "_mount_point", lambda place: str(tmp_path))
    made = desk(tmp_path, 100 * MIB)
    outcome = repair(Patient(node(int(0.05 * SIZE)), []), made, request(tmp_path, "disk-pressure-nodefs"))
    assert outcome.result == "refused"
    assert left(made) == set(FILES)
    (why,) = outcome.refusals
    assert "100 MiB are needed" in why
    assert "nothing was deleted. The largest there: /var/lib/app 4 MiB; logs of Pod default/web 2 MiB" in why


class Evicting(Patient):
    """pod-1 is gone once there was a look at the node."""

    def pods(self) -> frozenset[str]:
        return frozenset({"pod-2"} if self.looks > 1 else {"pod-1", "pod-2"})


# Of the lab's v1.37.2 (tests/recordings, disk-pressure-imagefs).
EVICTED = (
    'I1125 05:41:18.916299    1894 eviction_manager.go:216] "Eviction manager: pods evicted, waiting for pod to be cleaned up" '
    'pods=["default/agent-b94c2"]'
)


@pytest.mark.parametrize(
    ("line", "result"),
    [(EVICTED, "done"), (EVICTED.replace("b94c2", "other"), "failed"), ("ranked for eviction", "failed")],
)
def test_what_the_kubelet_evicts_meanwhile_is_no_harm_of_the_repair(line: str, result: str, tmp_path: Path) -> None:
    made = desk(tmp_path, MIB + MIB // 2)
    pod = Sandbox("s", "pod-1", "default", "agent-b94c2", 0, False, NOW, "api", ())
    after = node(int(0.3 * SIZE), kubelet__journal=log(line), runtime__cri__pods=(pod,))
    outcome = repair(Evicting(node(int(0.12 * SIZE)), [after]), made, request(tmp_path, "disk-pressure-nodefs"))
    assert (outcome.result, outcome.checks["pods_kept"]) == (result, result == "done")


CONFIG = "/var/lib/kubelet/config.yaml"


def unwatched(available: int, **more: t.Any) -> NodeEvidence:
    return node(available, **{"kubelet__config__eviction_hard": {"memory.available": "50Mi"}, **more})


def test_thresholds_that_were_dropped_come_back_once_there_is_space(tmp_path: Path) -> None:
    """For all that the kubelet watches by default: 15 % of the disk of the images, as above."""
    made = desk(tmp_path, MIB + MIB // 2)
    made.write(CONFIG, "evictionHard: {memory.available: 50Mi}\n")
    after = node(int(0.3 * SIZE), kubelet__config__eviction_hard=EVICTION_HARD)
    outcome = repair(
        Patient(unwatched(int(0.05 * SIZE)), [after]), made, request(tmp_path, "eviction-thresholds-disabled")
    )
    assert (outcome.refusals, outcome.detail, outcome.result) == ((), "", "done")
    assert left(made) == set(FILES) - {DEB, OLD}
    assert made.commands == ["kubeadm upgrade node phase kubelet-config"]


def test_and_not_when_pods_would_be_evicted_at_once(tmp_path: Path) -> None:
    made = desk(tmp_path, MIB)
    short = unwatched(SIZE, kubelet__config__eviction_hard=LIMITS, pressure__memory_available=90 * MIB)
    outcome = repair(Patient(short, []), made, request(tmp_path, "eviction-thresholds-disabled"))
    assert (outcome.result, left(made), made.commands) == ("refused", set(FILES), [])
    assert outcome.refusals[0].startswith("90 MiB of memory are available: the kubelet would evict Pods at once")


APP_UID = "0123abcd-0000-4000-8000-00000000feed"
VOLUME = f"/var/lib/kubelet/pods/{APP_UID}/volumes/kubernetes.io~empty-dir/data"


def sandbox(uid: str, name: str) -> bytes:
    return embedded(
        1,
        embedded(1, b"s1") + embedded(2, embedded(1, name.encode()) + embedded(2, uid.encode()) + embedded(3, b"shop")),
    )


def status(*paths: tuple[str, bool]) -> bytes:
    """A ContainerStatusResponse: the Pod's labels, and mounts of the host's paths (read-only or not)."""
    labels = (("io.kubernetes.pod.namespace", "shop"), ("io.kubernetes.pod.name", "db-0"))
    return embedded(
        1,
        b"".join(embedded(12, embedded(1, key.encode()) + embedded(2, value.encode())) for key, value in labels)
        + b"".join(
            embedded(14, embedded(1, b"/data") + embedded(2, path.encode()) + (enum(3, 1) if read_only else b""))
            for path, read_only in paths
        ),
    )


CONTAINER = embedded(1, embedded(1, b"c1") + embedded(2, b"s1") + enum(6, 1))


Paths = tuple[tuple[str, bool], ...]
OWNED: list[tuple[str, Paths, str, tuple[str, ...]]] = [
    (f"{VOLUME}/x", (), "volumes of Pod shop/db-0 3 MiB", ("shop/db-0",)),
    ("/srv/db/x", (("/srv/db", False),), "/srv/db of Pod shop/db-0 3 MiB", ("shop/db-0",)),
    ("/srv/db/x", (("/srv/db", True), ("/", False)), "/srv/db/x 3 MiB", ()),  # it only reads there
    (f"{LOG}/1.log", (("/var/log", False),), "logs of Pod default/web 5 MiB", ("default/web",)),
]


@pytest.mark.parametrize("case", OWNED, ids=lambda case: case[2])
def test_the_pod_whose_data_fills_a_disk_is_named(
    case: tuple[str, Paths, str, tuple[str, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, paths, name, owners = case
    monkeypatch.setattr(consumers, "_mount_point", lambda place: str(tmp_path))
    known = {"ListPodSandbox": sandbox(APP_UID, "db-0"), "ListContainers": CONTAINER, "ContainerStatus": status(*paths)}
    made = desk(tmp_path, 100 * MIB, **known)
    (tmp_path / "var/lib/app/data").unlink()
    made.write(data, "x" * 3 * MIB)
    outcome = repair(Patient(node(int(0.05 * SIZE)), []), made, request(tmp_path, "disk-pressure-nodefs"))
    assert (outcome.result, outcome.owners) == ("refused", owners)
    assert f"The largest there: {name}" in outcome.refusals[0]
    assert made.read(data) is not None


@pytest.mark.parametrize(
    ("path", "theirs"),
    [
        ("/srv/db", True),
        ("/data", True),
        ("/var/lib/db", True),
        *((path, False) for path in ("/", "/var", "/var/lib", "/etc/kubernetes", "/var/log/app", "/run/x")),
        ("/var/lib/kubelet/pods/x", False),
    ],
)
def test_a_path_of_the_system_is_no_pods(path: str, theirs: bool) -> None:
    assert consumers.claimed(path, healthy_node().profile) is theirs


def few_inodes(free: int) -> NodeEvidence:
    whole = amended(disk(int(0.5 * SIZE)), inodes=1000, inodes_free=free)
    limits = {"nodefs.inodesFree": "5%", "imagefs.inodesFree": "5%"}
    return node(0, pressure__nodefs=whole, pressure__imagefs=whole, kubelet__config__eviction_hard=limits)


def test_inodes_are_given_back_like_bytes_and_no_image_goes(tmp_path: Path) -> None:
    limits = few_inodes(40).kubelet.config.eviction_hard
    assert {point: goal for point, (dummy, goal) in inode_goals(few_inodes(40), limits).items()} == {"/": 70}
    assert inode_goals(few_inodes(70), limits) == {}
    made = desk(tmp_path, 0, ListImages=image("unused", MIB))
    made.unused = lambda: 68 + 3 - len(left(made) & {DEB, OLD, NEWER})
    outcome = repair(Patient(few_inodes(40), [few_inodes(200)]), made, request(tmp_path, "inode-exhaustion"))
    assert (outcome.detail, outcome.result) == ("", "done")
    assert left(made) == set(FILES) - {DEB, OLD}
    assert outcome.said == ("freed 2 inodes in 2 of 3 pieces; 70 inodes are available",)
    assert not [command for command in made.commands if "RemoveImage" in command]


def test_too_few_inodes_are_refused_and_who_has_them_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "_mount_point", lambda place: str(tmp_path))
    made = desk(tmp_path, 0)
    made.unused = lambda: 20
    for number in range(30):
        made.write(f"/var/lib/spool/mail/{number}", "")
    outcome = repair(Patient(few_inodes(20), []), made, request(tmp_path, "inode-exhaustion"))
    assert outcome.result == "refused"
    assert "50 inodes are needed" in outcome.refusals[0]
    assert (
        "(packages, backups, journal, logs) is 3 inodes: nothing was deleted. The largest there: /var/lib/spool 32 inodes"
        in (outcome.refusals[0])
    )
    assert (left(made), outcome.owners) == (set(FILES), ())


COLLECTING = log("Image garbage collection failed multiple times in a row")


@pytest.mark.parametrize(
    ("short", "result", "kept"), [(MIB // 2, "done", {OLD, NEWER}), (9 * MIB, "refused", {DEB, OLD, NEWER})]
)
def test_beside_images_a_fifth_is_made_free_and_no_image_goes(
    tmp_path: Path, short: int, result: str, kept: set[str]
) -> None:
    made = desk(tmp_path, short - (int(0.22 * SIZE) - int(0.17 * SIZE)), ListImages=image("unused", MIB))
    full = node(int(0.12 * SIZE), kubelet__journal=COLLECTING)
    outcome = repair(Patient(full, [node(int(0.3 * SIZE))]), made, request(tmp_path, "image-gc-failing"))
    assert outcome.result == result
    assert left(made) & {DEB, OLD, NEWER} == kept
    assert not [command for command in made.commands if "RemoveImage" in command]


def image(name: str, size: int, *, pinned: bool = False, pulled: bool = True) -> bytes:
    """An Image of ListImagesResponse: id, one tag, the digest of a registry, size."""
    return embedded(
        1,
        embedded(1, name.encode())
        + embedded(2, f"reg/{name}:1".encode())
        + (embedded(3, f"reg/{name}@sha256:12".encode()) if pulled else b"")
        + varint(4, size)
        + (enum(8, 1) if pinned else b""),
    )


def varint(number: int, value: int) -> bytes:
    octets = []
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((number << 3, *octets, value))


def test_images_that_somebody_uses_or_needs_stay(tmp_path: Path) -> None:
    images = (
        image("used", MIB)
        + image("pinned", MIB, pinned=True)
        + image("pause", MIB)
        + image("imported", 99 * MIB, pulled=False)
        + image("small", MIB)
        + image("large", 9 * MIB)
    )
    containers = embedded(1, embedded(1, b"c") + embedded(4, embedded(1, b"reg/used:1")))
    made = desk(tmp_path, 3 * MIB + MIB // 2, ListImages=images, ListContainers=containers)
    outcome = repair(
        Patient(node(int(0.12 * SIZE)), [node(int(0.3 * SIZE))]), made, request(tmp_path, "disk-pressure-nodefs")
    )
    assert outcome.result == "done"
    assert [command[-5:] for command in made.commands if "Remove" in command] == ["large"]
    pieces = space.unused_images(made, tmp_path.stat().st_dev)
    assert [piece.name for piece in pieces] == ["image reg/large:1", "image reg/small:1"]


def test_rotated_logs_alone(tmp_path: Path) -> None:
    filling = {"storage__pod_logs": {"default/web/app": int(0.2 * SIZE)}, "pressure__rootfs": disk(int(0.1 * SIZE))}
    made = desk(tmp_path, 0)
    whole = weight(made)
    made.free = lambda: int(0.22 * SIZE) - MIB // 2 + whole - weight(made)
    outcome = repair(
        Patient(node(int(0.1 * SIZE), **filling), [healthy_node()]), made, request(tmp_path, "container-log-growth")
    )
    assert (outcome.result, left(made)) == ("done", set(FILES) - {OLD})


def test_the_first_lines_of_an_oversized_log_go_and_the_newest_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "LONG", 2 * MIB)
    monkeypatch.setattr(space, "TAIL", MIB)
    made = desk(tmp_path, 3 * MIB + MIB // 2)  # what is in files gives 3 MiB
    made.write(f"{LOG}/1.log", "y" * (3 * MIB + 7))
    whole = made.free
    made.free = lambda: whole() + 2 * MIB * sum("collapse" in each for each in made.commands)
    outcome = repair(
        Patient(node(int(0.12 * SIZE)), [node(int(0.3 * SIZE))]), made, request(tmp_path, "disk-pressure-nodefs")
    )
    assert outcome.result == "done"
    place = made.path(f"{LOG}/1.log")
    assert made.commands == [f"fallocate --collapse-range --offset 0 --length {2 * MIB} {place}"]
    assert made.read(f"{LOG}/0.log") == "live"


def test_a_filesystem_that_cannot_cut_a_file_gives_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "LONG", 2 * MIB)
    monkeypatch.setattr(space, "TAIL", MIB)
    made = desk(tmp_path, 0)
    made.said["fallocate"] = ProbeError("fallocate: fallocate failed: Operation not supported")
    made.write(f"{LOG}/1.log", "y" * 3 * MIB)
    (piece,) = space.long_logs(made, tmp_path.stat().st_dev)
    piece.remove()
    assert (piece.name, piece.size) == (f"the first lines of {LOG}/1.log", 2 * MIB)


def test_copies_of_ours_that_are_old_go(tmp_path: Path) -> None:
    made = desk(tmp_path, 0)
    base = tmp_path / "kept"
    made.backup = str(base / "20261129T120000Z-enable-cri")
    for name in ("20260101T120000Z-enable-cri", "20261128T120000Z-enable-cri"):
        (base / name / "etc").mkdir(parents=True)
        (base / name / "etc/config.toml").write_text("x" * 5000)
    os.utime(base / "20260101T120000Z-enable-cri", (1, 1))
    (piece,) = space.backups(made, tmp_path.stat().st_dev)
    assert (piece.name, piece.size, piece.inodes) == (str(base / "20260101T120000Z-enable-cri"), 8192, 1)
    piece.remove()
    assert [path.name for path in base.iterdir()] == ["20261128T120000Z-enable-cri"]


BOOT = "/var/log/journal/0123456789abcdef0123456789abcdef"
JOURNALS = (f"{BOOT}/system@0001-0002.journal", f"{BOOT}/system.journal")


@pytest.mark.parametrize(
    ("short", "result", "rotations"),
    [
        (MIB // 2, "done", 0),
        # Which moves it away; here it stays. journald lets go of it at the second one.
        (MIB + MIB // 2, "done", 2),
        (9 * MIB, "refused", 0),
    ],
)
def test_journals_alone(
    short: int, result: str, rotations: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "LET_GO", (0.0, 0.0, 0.0))
    made = desk(tmp_path, 0)
    for path in JOURNALS:
        made.write(path, "j" * MIB)
    places = [Path(made.path(path)) for path in JOURNALS]
    broken = node(int(0.1 * SIZE), storage__journal_size=int(0.13 * SIZE))
    goal = int(0.1 * SIZE) + int(0.13 * SIZE) - int(0.08 * SIZE)
    made.free = lambda: (
        goal - short + MIB * (not places[0].exists()) + MIB * (made.commands.count("journalctl --rotate") > 1)
    )
    outcome = repair(Patient(broken, [healthy_node()]), made, request(tmp_path, "journald-growth"))
    assert outcome.result == result
    assert [command for command in made.commands if "journal" in command] == ["journalctl --rotate"] * rotations
    assert [place.exists() for place in places] == [result == "refused", True]
    assert made.read(DEB) is not None


def test_a_disk_that_is_not_short_is_left_alone(tmp_path: Path) -> None:
    made = desk(tmp_path, -MIB)
    outcome = repair(Patient(node(int(0.12 * SIZE)), []), made, request(tmp_path, "disk-pressure-nodefs"))
    assert outcome.refusals == ("there is nothing to change: it is as it should be already",)
    assert left(made) == set(FILES)
