# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""From evidence to what a task returns: the same for a node that was just looked at and for a saved report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .cluster import ClusterEvidence
from .diagnose import diagnose, fingerprint
from .evidence import JSON
from .explain import explanations
from .guards import Policy
from .incident import Incident, Mode, opening
from .node import NodeEvidence
from .plan import plan
from .registry import Cause
from .repair import REPAIRS


@dataclass(frozen=True)
class Look:
    """One look at one host, however long ago."""

    host: str
    mode: Mode
    started: datetime
    node: NodeEvidence
    cluster: ClusterEvidence
    name: str  # of the Node


def conclude(look: Look, policy: Policy, asked: Sequence[Cause] = ()) -> JSON:
    """``incident``, ``permitted`` (step -> its cause), ``repairs`` (the steps of node_repair among them) and ``fingerprint``.

    The causes *asked* for are explained.
    """
    diagnosis = diagnose(look.node, look.cluster)
    steps = plan(diagnosis, look.cluster, policy)
    incident = Incident(look.host, look.name, look.mode, look.started, look.node, look.cluster, diagnosis, steps)
    told = {"explanations": explanations(asked, look.node, look.cluster, diagnosis)} if asked else {}
    return {
        "incident": {**opening(incident), **told},
        "permitted": {s.step: s.cause for s in steps if s.permitted},
        "repairs": [s.step for s in steps if s.permitted and s.step in REPAIRS],
        "fingerprint": fingerprint(diagnosis),
    }
