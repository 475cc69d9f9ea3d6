# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Where distributions keep what a kubelet needs, and which of them this host has.

`kubeadm` is proved in the lab. `k3s` is written from its documentation (docs.k3s.io, "Agent" and "Advanced
options") and not proved against the real thing.
"""

from __future__ import annotations

import os
import typing as t

from .._diagnosis.node import Profile
from .errors import WrongProfile

AUTO: t.Final = "auto"

PROFILES: t.Final[dict[str, Profile]] = {
    "kubeadm": Profile(
        name="kubeadm",
        unit="kubelet.service",
        runtime_unit="containerd.service",
        binary="/usr/bin/kubelet",
        kubeconfig="/etc/kubernetes/kubelet.conf",
        bootstrap_kubeconfig="/etc/kubernetes/bootstrap-kubelet.conf",
        config="/var/lib/kubelet/config.yaml",
        config_dir=None,
        flag_files=("/var/lib/kubelet/kubeadm-flags.env", "/etc/default/kubelet"),
        pki_dir="/var/lib/kubelet/pki",
        ca_file="/etc/kubernetes/pki/ca.crt",
        root_dir="/var/lib/kubelet",
        static_pod_dir="/etc/kubernetes/manifests",
        cri_socket="/run/containerd/containerd.sock",
        runtime_config="/etc/containerd/config.toml",
        runtime_root="/var/lib/containerd",
        cni_config_dir="/etc/cni/net.d",
        cni_bin_dirs=("/opt/cni/bin", "/usr/lib/cni"),
    ),
    "k3s": Profile(
        name="k3s",
        unit="k3s-agent.service",
        runtime_unit="k3s-agent.service",  # containerd is its child
        binary="/usr/local/bin/k3s",
        kubeconfig="/var/lib/rancher/k3s/agent/kubelet.kubeconfig",
        bootstrap_kubeconfig="/var/lib/rancher/k3s/agent/bootstrap-kubelet.conf",  # k3s joins with a token instead
        config="/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf",
        config_dir="/var/lib/rancher/k3s/agent/etc/kubelet.conf.d",
        flag_files=("/etc/systemd/system/k3s-agent.service.env", "/etc/rancher/k3s/config.yaml"),
        pki_dir="/var/lib/rancher/k3s/agent",
        ca_file="/var/lib/rancher/k3s/agent/server-ca.crt",
        root_dir="/var/lib/kubelet",
        static_pod_dir="/var/lib/rancher/k3s/agent/pod-manifests",
        cri_socket="/run/k3s/containerd/containerd.sock",
        runtime_config="/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
        runtime_root="/var/lib/rancher/k3s/agent/containerd",
        cni_config_dir="/var/lib/rancher/k3s/agent/etc/cni/net.d",
        cni_bin_dirs=("/var/lib/rancher/k3s/data/cni", "/var/lib/rancher/k3s/data/current/bin"),
    ),
}

UNIT_DIRS: t.Final = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")


def resolve(name: str, root: str = "") -> Profile:
    """The profile called *name*; ``auto`` is the one of which most is there.

    Raises :class:`WrongProfile` when nothing of it is there. *root* is put before every path, for tests.
    """
    found = {each: _marks(profile, root) for each, profile in PROFILES.items()}
    best = max(found, key=lambda each: found[each])  # kubeadm when both have as much
    if name == AUTO and found[best]:
        return PROFILES[best]
    if name != AUTO and found[name]:
        return PROFILES[name]
    raise WrongProfile(_words(name, best if found[best] else None))


def _marks(profile: Profile, root: str) -> int:
    """How much of it is there. Paths of the root file system only: /var may be a mount that hangs."""
    units = [f"{place}/{profile.unit}" for place in UNIT_DIRS]
    configuration = profile.kubeconfig if profile.kubeconfig.startswith("/etc/") else profile.flag_files[-1]
    paths = [profile.binary, configuration, *units]
    return sum(os.path.lexists(root + path) for path in paths)


def _words(name: str, other: str | None) -> str:
    if name == AUTO:
        known = ", ".join(f"{each} ({profile.unit}, {profile.kubeconfig})" for each, profile in PROFILES.items())
        return f"this does not look like a Kubernetes node: nothing was found of {known}"
    hint = f"; found {other}: set outward_node_profile={other}" if other else "; found no other profile either"
    return f"this does not look like a {name} node: {PROFILES[name].unit} and its files are not there{hint}"
