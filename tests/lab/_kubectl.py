# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API as the lab uses it: our own kubectl, inside the lab's network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab._shell import in_netns, run

Object = dict[str, Any]


@dataclass(frozen=True)
class Kubectl:
    """kubectl with one kubeconfig."""

    program: Path
    kubeconfig: Path

    def command(self, words: Sequence[str]) -> list[str]:
        """The whole command line; every request has an end."""
        options = [f"--kubeconfig={self.kubeconfig}", "--request-timeout=10s"]
        return in_netns([str(self.program), *options, *words])

    def __call__(self, *words: str, stdin: str = "", check: bool = True) -> str:
        """What kubectl prints; with check=False nothing when it fails."""
        done = run(self.command(words), stdin=stdin, timeout=60, check=check)
        return done.stdout if done.returncode == 0 else ""

    def ready(self) -> bool:
        """Whether the API server is ready."""
        return self("get", "--raw=/readyz", check=False) == "ok"

    def exists(self, name: str, namespace: str) -> bool:
        """Whether the API server has this object."""
        return bool(self("get", "-n", namespace, name, "-o", "name", check=False))

    def has_node(self, name: str) -> bool:
        """Whether there is a Node of this name."""
        return bool(self("get", "node", name, "-o", "name", check=False))

    def lease(self, node: str) -> Object:
        """The Lease that this node's kubelet renews."""
        lease: Object = json.loads(self("get", "lease", node, "-n", "kube-node-lease", "-o", "json"))
        return lease

    def list(self, kinds: str, *words: str) -> list[Object]:
        """All objects of these kinds in all namespaces."""
        items: list[Object] = json.loads(self("get", kinds, "-A", "-o", "json", *words))["items"]
        return items

    def apply(self, objects: Sequence[Object]) -> None:
        """Make the cluster have these objects."""
        self("apply", "-f", "-", stdin=_as_list(objects))

    def replace(self, objects: Sequence[Object]) -> None:
        """Make these objects anew, whatever they were."""
        self("replace", "--force", "-f", "-", stdin=_as_list(objects))


def _as_list(objects: Sequence[Object]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": [*objects]})
