# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which distribution a host has, and which parts of the evidence are wanted."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import WrongProfile
from ansible_collections.outward.kubelet.plugins.module_utils._host.profile import PROFILES, resolve
from ansible_collections.outward.kubelet.plugins.module_utils._host.subsets import CHOICES, SUBSETS, chosen
from ansible_collections.outward.kubelet.plugins.modules import node_facts

KUBEADM = ("usr/bin/kubelet", "etc/kubernetes/kubelet.conf", "usr/lib/systemd/system/kubelet.service")
K3S = ("usr/local/bin/k3s", "etc/systemd/system/k3s-agent.service", "etc/rancher/k3s/config.yaml")


def host(root: Path, *files: str) -> str:
    """A root file system with these files."""
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return str(root)


@pytest.mark.parametrize(
    ("files", "name", "found"),
    [
        (KUBEADM, "auto", "kubeadm"),
        (K3S, "auto", "k3s"),
        (KUBEADM[:1], "auto", "kubeadm"),
        ((*KUBEADM[:1], *K3S), "auto", "k3s"),
        ((*KUBEADM, *K3S), "auto", "kubeadm"),
        ((*KUBEADM, *K3S[:1]), "k3s", "k3s"),
    ],
)
def test_what_is_there_decides(tmp_path: Path, files: tuple[str, ...], name: str, found: str) -> None:
    assert resolve(name, host(tmp_path, *files)) is PROFILES[found]


def test_a_masked_unit_is_still_a_unit(tmp_path: Path) -> None:
    host(tmp_path, "etc/systemd/system/x")
    (tmp_path / "etc/systemd/system/kubelet.service").symlink_to("/dev/null-is-not-here")
    assert resolve("auto", str(tmp_path)).name == "kubeadm"


@pytest.mark.parametrize(
    ("files", "name", "words"),
    [
        ((), "auto", "does not look like a Kubernetes node"),
        ((), "kubeadm", "does not look like a kubeadm node.*found no other"),
        (K3S, "kubeadm", "does not look like a kubeadm node.*found k3s: set outward_node_profile=k3s"),
        (KUBEADM, "k3s", "does not look like a k3s node.*found kubeadm: set outward_node_profile=kubeadm"),
    ],
)
def test_a_wrong_profile_says_what_to_do(tmp_path: Path, files: tuple[str, ...], name: str, words: str) -> None:
    with pytest.raises(WrongProfile, match=words):
        resolve(name, host(tmp_path, *files))


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        (["all"], set(SUBSETS)),
        (["kubelet", "clock"], {"kubelet", "clock"}),
        (["!board"], set(SUBSETS) - {"board"}),
        (["all", "!board"], set(SUBSETS) - {"board"}),
        (["kubelet", "!kubelet"], set()),
        (["min"], set()),
        (["!all"], set()),
        (["!all", "clock"], {"clock"}),
        (["min", "clock"], {"clock"}),
    ],
)
def test_gather_subset(entries: list[str], names: set[str]) -> None:
    assert chosen(entries) == names


def test_the_documentation_names_every_choice() -> None:
    for choice in CHOICES:
        assert f"- {choice}\n" in node_facts.DOCUMENTATION or f'- "{choice}"\n' in node_facts.DOCUMENTATION
