# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is set on a host that is to be a node, that it is set once, and that it can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._host import settings
from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import ProbeError
from ansible_collections.outward.kubelet.plugins.module_utils._host.profile import PROFILES
from ansible_collections.outward.kubelet.plugins.module_utils._host.settings import Settings
from tests.unit.plugins.module_utils._host.test_renewal import whole

SWAPS = "Filename\t\t\t\tType\t\tSize\n"


class Host:
    """Files below *root*, and a record of every command."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.commands, self.problem = root, list[str](), ""
        for name, text in {
            "proc/swaps": SWAPS,
            "proc/sys/net/ipv4/ip_forward": "0\n",
            "proc/sys/net/bridge/bridge-nf-call-iptables": "1\n",
        }.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        for name in ("sys/module/overlay", "sys/module/br_netfilter", "usr/lib/systemd/system"):
            (root / name).mkdir(parents=True)
        monkeypatch.setattr(settings, "_told", self._told)
        monkeypatch.setattr(settings, "PAUSE", 0.001)
        monkeypatch.setattr(settings, "SYNCHRONISED", 0.003)

    def _told(self, command: list[str]) -> str:
        self.commands.append(" ".join(command))
        return "dev-sda2.swap\n" if command[0] == "systemd-escape" else ""

    def systemctl(self, *words: str, seconds: float) -> str | None:
        self.commands.append(" ".join(("systemctl", *words)))
        return self.problem or None

    def settings(self) -> Settings:
        return Settings(PROFILES["kubeadm"], self.systemctl, str(self.root))


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(tmp_path, monkeypatch)


def test_a_fresh_host_is_set_up_once(host: Host) -> None:
    first = host.settings()
    first.make()
    assert "net.ipv4.ip_forward was set to 1" in first.done
    assert (host.root / "proc/sys/net/ipv4/ip_forward").read_text() == "1\n"
    assert (host.root / "etc/modules-load.d/outward-kubelet.conf").read_text() == "overlay\nbr_netfilter\n"
    assert (host.root / "etc/cni/net.d").is_dir()
    second = host.settings()
    second.make()
    assert (second.done, host.commands) == ([], [])


def test_it_is_taken_back(host: Host) -> None:
    before = whole(host.root)
    setting = host.settings()
    setting.make()
    setting.undo()
    assert whole(host.root) == before
    assert setting.done == []


def test_swap_is_switched_off_for_good(host: Host) -> None:
    (host.root / "proc/swaps").write_text(f"{SWAPS}/dev/sda2   partition  100  0  -2\n")
    (host.root / "usr/lib/systemd/system/dphys-swapfile.service").touch()
    setting = host.settings()
    setting.make()
    assert host.commands == [
        "systemctl mask dphys-swapfile.service",
        "systemd-escape --path --suffix=swap /dev/sda2",
        "swapoff /dev/sda2",
        "systemctl mask dev-sda2.swap",
    ]
    host.commands.clear()
    setting.undo()
    assert host.commands == [
        "systemctl unmask dev-sda2.swap",
        "swapon /dev/sda2",
        "systemctl unmask dphys-swapfile.service",
    ]


def test_modules_are_loaded(host: Host) -> None:
    (host.root / "sys/module/br_netfilter").rmdir()
    host.settings().make()
    assert host.commands == ["modprobe --all br_netfilter"]


def test_a_clock_that_is_set_already_is_left_alone(host: Host) -> None:
    assert host.settings().start_clock("systemd-timesyncd.service", lambda: True) is None
    assert host.commands == []


def test_a_clock_is_waited_for(host: Host) -> None:
    answers = iter([False, False, True])
    setting = host.settings()
    assert setting.start_clock("systemd-timesyncd.service", lambda: next(answers)) is None
    assert host.commands == ["systemctl enable --now systemd-timesyncd.service"]
    assert setting.done == ["systemd-timesyncd.service was started"]


def test_a_clock_that_nobody_answers(host: Host) -> None:
    problem = host.settings().start_clock("systemd-timesyncd.service", lambda: False) or ""
    assert "does it reach a time server?" in problem


def test_what_systemd_refuses_is_told(host: Host) -> None:
    host.problem = "Unit is masked"
    with pytest.raises(ProbeError, match="Unit is masked"):
        host.settings().ask("stop", "kubelet.service")
    assert "cannot be started: Unit is masked" in (host.settings().start_clock("x.service", lambda: False) or "")
