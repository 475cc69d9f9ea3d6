# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Nodes as they are registered: the machines behind them, and the labels and taints that the inventory gives one."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from .._diagnosis.cluster import Node
from .._diagnosis.registration import Taint, missing
from . import convert
from .connect import Api
from .cordon import PATCH, TRIES
from .errors import Conflict, KubeError, NotThere, Silent
from .listing import NODES
from .poll import NODE

# A kubelet that has its certificate registers its Node at once; an emulated one takes its time.
REGISTERED, PAUSE = 60.0, 1.0


def machines(api: Api) -> dict[str, str]:
    """The machine-id of each Node. Raises KubeError and Silent."""
    return {
        item["metadata"]["name"]: ((item.get("status") or {}).get("nodeInfo") or {}).get("machineID") or ""
        for page in api.pages(NODES)
        for item in page
    }


def await_node(api: Api, name: str) -> Node | None:
    """The Node, as soon as its kubelet has registered it; None: it has not. Raises KubeError and Silent."""
    until = time.monotonic() + REGISTERED
    while time.monotonic() < until:
        try:
            return convert.node(api.ask(NODE, name), None)
        except NotThere:
            time.sleep(PAUSE)
    return None


def register(api: Api, name: str, labels: Mapping[str, str], taints: Sequence[Taint], *, dry: bool) -> tuple[str, ...]:
    """What the Node was (with *dry*: would be) given, in words. Raises KubeError, also for one that there is not, and Silent."""
    for dummy in range(TRIES):
        try:
            patch, told = missing(api.ask(NODE, name), labels, taints)
            if patch is not None and not dry:
                api.patch(PATCH, name, patch)
        except NotThere as gone:
            raise KubeError(f"the cluster has no Node {name}: set the option node_name") from gone
        except Conflict:
            continue
        return told
    raise Silent(f"the Node {name} changes so often that nothing could be written to it in {TRIES} tries")
