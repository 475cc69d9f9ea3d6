# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubeconfigs with the rights that we ship, so that nothing of ours is ever tested as a cluster admin."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tests.lab._kubectl import Object
from tests.lab._lab import Lab
from tests.lab._shell import write

ROLES = ("diagnose", "recover", "certificates")
NAMESPACE = "outward-kubelet"
MANIFESTS = Path(__file__).resolve().parents[2] / "examples" / "pi-cluster" / "rbac"
# A lab is seldom older than a month, and each `up` mints anew.
DURATION = "720h"


def grant(lab: Lab, roles: Iterable[str] = ROLES) -> None:
    """Have these roles of this checkout in the cluster, and a kubeconfig for each in the state directory."""
    cluster = json.loads(lab.kubectl("config", "view", "--raw", "--minify", "-o", "json"))["clusters"][0]["cluster"]
    for role in roles:
        lab.kubectl("apply", "-f", str(MANIFESTS / f"{role}.yml"))
        token = lab.kubectl("create", "token", role, "-n", NAMESPACE, f"--duration={DURATION}").strip()
        write(lab.paths.access(role), json.dumps(kubeconfig(cluster, role, token), indent=1), 0o600)


def kubeconfig(cluster: Object, role: str, token: str) -> Object:
    """One cluster, one user, one context; all called like the role."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": role, "cluster": cluster}],
        "users": [{"name": role, "user": {"token": token}}],
        "contexts": [{"name": role, "context": {"cluster": role, "user": role}}],
        "current-context": role,
    }
