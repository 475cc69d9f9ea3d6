# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is taken back leaves nothing of ours, and what cannot be taken back is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.change import (
    Addresses,
    Content,
    KubeletConfig,
    Mounted,
    Reservations,
)
from ansible_collections.outward.kubelet.plugins.module_utils._host.repair.cni import addresses, reservations
from ansible_collections.outward.kubelet.plugins.module_utils._host.repair.files import content
from ansible_collections.outward.kubelet.plugins.module_utils._host.repair.kubelet import rebuilt
from ansible_collections.outward.kubelet.plugins.module_utils._host.repair.system import mounted
from ansible_collections.outward.kubelet.plugins.module_utils._host.repair.tools import Op
from tests.unit.helpers_repair import Fake

RUNS_ON = "40 21 0:41 / /run/containerd/1/rootfs rw - overlay overlay rw,lowerdir=/data/x/fs,workdir=/w\n"
ROOT = "21 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
NETWORK = {"/etc/cni/net.d/10-lab.conflist": '{"name": "lab", "plugins": [{"type": "bridge", "bridge": "cni0"}]}'}
LEASES = "/var/lib/cni/networks"


def back(op: Op) -> str | None:
    assert op.undo is not None
    return op.undo()


def test_directories_that_we_made_go_with_their_file(tmp_path: Path) -> None:
    desk = Fake(tmp_path, files={"/etc/hostname": "pi-04\n"})
    (op,) = content(Content("/etc/a/b/x.conf", "text"), desk)
    op.do()
    assert desk.read("/etc/a/b/x.conf") == "text"
    assert back(op) is None
    assert sorted(path.name for path in (tmp_path / "etc").iterdir()) == ["hostname"]


def test_a_directory_that_somebody_uses_meanwhile_stays(tmp_path: Path) -> None:
    desk = Fake(tmp_path, files={"/etc/hostname": "pi-04\n"})
    (op,) = content(Content("/etc/a/x.conf", "text"), desk)
    op.do()
    desk.write("/etc/a/theirs", "text")
    assert back(op) is None
    assert (desk.read("/etc/a/x.conf"), desk.read("/etc/a/theirs")) == (None, "text")


def test_a_mount_on_which_containers_run_by_now_stays_and_so_does_their_runtime(tmp_path: Path) -> None:
    desk = Fake(tmp_path, files={"/dev/sda1": "", "/proc/self/mountinfo": ROOT}, said={"findmnt": "/dev/sda1\n"})
    (op,) = mounted(Mounted("/data", "containerd.service"), desk)
    op.do()
    desk.write("/proc/self/mountinfo", ROOT + RUNS_ON)
    assert back(op) == "containers run by now on what is mounted there: /data and containerd.service stay"
    assert desk.commands == ["mount /data", "systemctl start containerd.service"]


def test_an_address_that_a_bridge_has_got_meanwhile_stays(tmp_path: Path) -> None:
    line = "4: cni0    inet {} scope global cni0\n"
    desk = Fake(tmp_path, files=NETWORK, said={"ip -o": line.format("10.99.0.1/24")})
    (op,) = addresses(Addresses("cni0", "10.244.3.1"), desk)
    op.do()
    assert back(op) is None
    desk.said["ip -o"] = line.format("10.244.3.1/24") + line.format("10.99.0.1/24")
    assert back(op) == "10.244.3.1/24 was given to cni0 meanwhile, for Pods, and stays"


class Kubeadm(Fake):
    """It writes the configuration, and keeps the one before (kubeadm 1.37: seen)."""

    def run(self, *command: str) -> None:
        super().run(*command)
        self.write("/etc/kubernetes/tmp/kubeadm-kubelet-config-2026-11-30-02-42-37/config.yaml", "")
        self.write("/var/lib/kubelet/config.yaml", "kind: KubeletConfiguration\n")


@pytest.mark.parametrize("theirs", [[], ["/etc/kubernetes/tmp/kubeadm-kubelet-config-2026-01-02-03-04-05/config.yaml"]])
def test_what_kubeadm_keeps_of_the_configuration_before_goes_with_it(theirs: list[str], tmp_path: Path) -> None:
    desk = Kubeadm(
        tmp_path, files=dict.fromkeys(("/etc/kubernetes/kubelet.conf", "/var/lib/kubelet/pki/x", *theirs), "")
    )
    before = sorted(tmp_path.rglob("*"))
    (op,) = rebuilt(KubeletConfig("/var/lib/kubelet/config.yaml"), desk)
    op.do()
    assert sorted(tmp_path.rglob("*")) != before
    assert back(op) is None
    assert sorted(tmp_path.rglob("*")) == before


def test_an_address_that_a_pod_has_got_meanwhile_stays_its_own(tmp_path: Path) -> None:
    held = {f"{LEASES}/lab/10.0.0.{number}": "gone\neth0" for number in (2, 3)}
    desk = Fake(tmp_path, files={**NETWORK, **held}, answers={"ListPodSandbox": b""})
    (op,) = reservations(Reservations(LEASES), desk)
    op.do()
    assert [desk.read(path) for path in held] == [None, None]
    desk.write(f"{LEASES}/lab/10.0.0.3", "new\neth0")
    assert back(op) == "given to Pods meanwhile, whose they stay: 10.0.0.3"
    assert [desk.read(path) for path in held] == ["gone\neth0", "new\neth0"]
