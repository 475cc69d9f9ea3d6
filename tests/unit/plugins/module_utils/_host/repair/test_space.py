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
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.repairs.disk import goals
from ansible_collections.outward.kubelet.plugins.module_utils._host.repair import consumers, space
from ansible_collections.outward.kubelet.plugins.module_utils._parse.protobuf import embedded, enum
from tests.unit.helpers import filesystem, healthy_node
from tests.unit.helpers_repair import Fake, Patient, log, repair, request

MIB = 1024 * 1024
LOG = "/var/log/pods/default_web_1234/app"
DEB, OLD, NEWER = "/var/cache/apt/archives/x.deb", f"{LOG}/0.log.20261101-000000.gz", f"{LOG}/0.log.20261102-000000"
FILES = {DEB: "d" * MIB, OLD: "o" * MIB, NEWER: "n" * MIB, f"{LOG}/0.log": "live", "/var/lib/app/data": "user" * MIB}
SIZE = 1000 * MIB


def disk(available: int) -> Filesystem:
    return amended(filesystem("/var/lib/kubelet"), size=SIZE, available=available)


def node(available: int, **more: t.Any) -> NodeEvidence:
    whole = disk(available)
    limits = {"nodefs.available": "10%", "imagefs.available": "15%"}
    given = {"pressure__nodefs": whole, "pressure__imagefs": whole, "kubelet__config__eviction_hard": limits}
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
    found = goals(node(int(0.12 * SIZE)))
    assert {point: goal for point, (dummy, goal) in found.items()} == {"/": int(0.17 * SIZE)}
    assert goals(node(int(0.5 * SIZE))) == {}


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


BOOT = "/var/log/journal/0123456789abcdef0123456789abcdef"
JOURNALS = (f"{BOOT}/system@0001-0002.journal", f"{BOOT}/system.journal")


@pytest.mark.parametrize(
    ("short", "result", "commands", "there"),
    [
        (MIB // 2, "done", [], [False, True]),
        (MIB + MIB // 2, "done", ["journalctl --rotate"], [False, True]),  # which moves it away, here it stays
        (9 * MIB, "refused", [], [True, True]),
    ],
)
def test_journals_alone(short: int, result: str, commands: list[str], there: list[bool], tmp_path: Path) -> None:
    made = desk(tmp_path, 0)
    for path in JOURNALS:
        made.write(path, "j" * MIB)
    places = [Path(made.path(path)) for path in JOURNALS]
    broken = node(int(0.1 * SIZE), storage__journal_size=int(0.13 * SIZE))
    goal = int(0.1 * SIZE) + int(0.13 * SIZE) - int(0.08 * SIZE)
    made.free = lambda: goal - short + MIB * (not places[0].exists()) + MIB * ("journalctl --rotate" in made.commands)
    outcome = repair(Patient(broken, [healthy_node()]), made, request(tmp_path, "journald-growth"))
    assert (outcome.result, [command for command in made.commands if "journal" in command]) == (result, commands)
    assert [place.exists() for place in places] == there
    assert made.read(DEB) is not None


def test_a_disk_that_is_not_short_is_left_alone(tmp_path: Path) -> None:
    made = desk(tmp_path, -MIB)
    outcome = repair(Patient(node(int(0.12 * SIZE)), []), made, request(tmp_path, "disk-pressure-nodefs"))
    assert outcome.refusals == ("there is nothing to change: it is as it should be already",)
    assert left(made) == set(FILES)
