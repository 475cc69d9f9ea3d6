# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The three ways to drain a node, each called as a person would call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.lab._kubectl import Kubectl
from tests.matrix.results import ROOT

from .cases import Options

MARGIN: t.Final = 240  # seconds beyond its own time-out after which a tool has hung


@dataclass(frozen=True)
class Ended:
    """How a tool ended, all that it said, and how long it took."""

    ok: bool
    text: str
    seconds: float


@dataclass(frozen=True)
class Place:
    """Where the tools find the cluster and each other."""

    kubectl: Kubectl
    access: Path  # a kubeconfig with the rights that we ship for a recovery: all that ours gets
    neighbour: Path  # where the collection kubernetes.core lies


Tool = Callable[[Place, str, Options], Ended]


def ours(place: Place, node: str, options: Options) -> Ended:
    """outward.kubelet.node_drain."""
    arguments = {
        "kubeconfig": str(place.access),
        "timeout": options.timeout,
        "delete_bare_pods": options.bare,
        "delete_emptydir_data": options.empty_dir,
        **({} if options.grace is None else {"grace_period": options.grace}),
    }
    return _ansible(place, node, "outward.kubelet.node_drain", arguments, options)


def k8s_drain(place: Place, node: str, options: Options) -> Ended:
    """kubernetes.core.k8s_drain."""
    wanted = {
        "wait_timeout": options.timeout,
        "wait_sleep": 1,
        "force": options.bare,
        "delete_emptydir_data": options.empty_dir,
        "ignore_daemonsets": True,
        **({} if options.grace is None else {"terminate_grace_period": options.grace}),
    }
    arguments = {"kubeconfig": str(place.kubectl.kubeconfig), "name": node, "delete_options": wanted}
    return _ansible(place, node, "kubernetes.core.k8s_drain", arguments, options)


def kubectl(place: Place, node: str, options: Options) -> Ended:
    """kubectl drain."""
    words = ["drain", node, "--ignore-daemonsets", f"--timeout={options.timeout}s"]
    words += ["--force"] if options.bare else []
    words += ["--delete-emptydir-data"] if options.empty_dir else []
    words += [] if options.grace is None else [f"--grace-period={options.grace}"]
    return _ended([str(place.kubectl.program), f"--kubeconfig={place.kubectl.kubeconfig}", *words], {}, options)


def _ansible(place: Place, node: str, module: str, arguments: dict[str, t.Any], options: Options) -> Ended:
    """One module, ad hoc, which prints all that it returned."""
    tool = str(Path(sys.executable).with_name("ansible"))
    variables = {"ansible_python_interpreter": sys.executable}
    target = ["-i", f"{node},", node, "-c", "local", "-e", json.dumps(variables)]
    command = [tool, *target, "-m", module, "-a", json.dumps(arguments)]
    paths = os.pathsep.join([str(ROOT / ".build"), str(place.neighbour)])
    return _ended(command, {"ANSIBLE_COLLECTIONS_PATH": paths, "ANSIBLE_NOCOLOR": "1"}, options)


def _ended(command: list[str], environment: dict[str, str], options: Options) -> Ended:
    start = time.monotonic()
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=options.timeout + MARGIN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Ended(False, "it did not end", time.monotonic() - start)
    return Ended(done.returncode == 0, done.stdout, time.monotonic() - start)


TOOLS: t.Final[dict[str, Tool]] = {
    "outward.kubelet.node_drain": ours,
    "kubectl drain": kubectl,
    "kubernetes.core.k8s_drain": k8s_drain,
}
