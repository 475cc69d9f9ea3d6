# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Set our cordon on a Node or take it off, by optimistic concurrency: a person who is faster is never overwritten."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from .._diagnosis.cluster import Node
from .._diagnosis.cordon import Move
from . import convert
from .connect import Api
from .errors import Conflict, KubeError, NotThere, Silent
from .poll import NODE
from .refusal import Question

PATCH: t.Final = Question("patch", "nodes", NODE.path, role="recover")
TRIES: t.Final = 10  # its kubelet writes to the same object, seldom more than once in ten seconds


@dataclass(frozen=True)
class Moved:
    """The Node before, what was decided about it, and the Node now (the same one when nothing was written)."""

    before: Node
    move: Move
    after: Node

    @property
    def changed(self) -> bool:
        """There was something to write, or there would be."""
        return self.move.patch is not None


def move(api: Api, name: str, decide: Callable[[Node, datetime], Move], *, dry: bool) -> Moved:
    """Read the Node, *decide*, and write, until nobody came between. With *dry* nothing is written.

    Raises KubeError, also for a Node that there is not, and Silent.
    """
    for dummy in range(TRIES):
        before = read(api, name)
        wanted = decide(before, clock(api))
        if wanted.patch is None or dry:
            return Moved(before, wanted, before)
        try:
            return Moved(before, wanted, convert.node(api.patch(PATCH, name, wanted.patch), None))
        except Conflict:
            continue
        except Silent as silence:
            raise Silent(f"{silence}; whether the Node {name} was changed is not known") from silence
    raise Silent(f"the Node {name} changes so often that nothing could be written to it in {TRIES} tries")


def read(api: Api, name: str) -> Node:
    """The Node without what belongs to it. Raises KubeError for one that there is not, and Silent."""
    try:
        return convert.node(api.ask(NODE, name), None)
    except NotThere as gone:
        raise KubeError(f"the cluster has no Node {name}: set the option node_name") from gone


def clock(api: Api) -> datetime:
    """The API server's clock at the last answer; Silent when it does not say."""
    if api.now is None:
        raise Silent("it does not say what time it has (no Date header)")
    return api.now
