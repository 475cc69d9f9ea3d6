# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A profile whose paths all lie below a directory of a test."""

from __future__ import annotations

import base64
import typing as t
from pathlib import Path

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import Profile
from ansible_collections.outward.kubelet.plugins.module_utils._host.profile import PROFILES

CONFIG = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"


def below(root: Path) -> Profile:
    """The kubeadm profile with *root* before each path."""

    def moved(value: t.Any) -> t.Any:
        if isinstance(value, tuple):
            return tuple(map(moved, value))
        return f"{root}{value}" if isinstance(value, str) and value.startswith("/") else value

    return Profile(**{name: moved(value) for name, value in vars(PROFILES["kubeadm"]).items()})


def write(path: str, text: str) -> str:
    """A file with its directories; returns its path."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)
    return path


def kubeconfig(server: str, ca: str, pem: str | None) -> str:
    """As `kubeadm join` leaves it; *pem* is the path of certificate and key."""
    user = f"    client-certificate: {pem}\n    client-key: {pem}\n" if pem else "    token: nothing\n"
    return (
        f"apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {base64.b64encode(ca.encode()).decode()}\n"
        f"    server: {server}\n  name: c\ncontexts:\n- context:\n    cluster: c\n    user: u\n  name: x\n"
        f"current-context: x\nkind: Config\nusers:\n- name: u\n  user:\n{user}"
    )
