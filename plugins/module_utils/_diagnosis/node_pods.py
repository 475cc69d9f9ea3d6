# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The Pods of a node as its container runtime has them, and what they hold; part of what is observed (node.py)."""

from __future__ import annotations

import typing as t
from datetime import datetime

from .evidence import Evidence, section

# Ours, of the functional probe; no namespace of the API is called so unless somebody makes it.
PROBE_NAMESPACE: t.Final = "outward-probe"


@section(frozen=True)
class SandboxContainer(Evidence):
    """One container as the runtime lists it."""

    id: str
    name: str
    attempt: int
    state: str  # created, running, exited, unknown
    created: datetime


@section(frozen=True)
class Sandbox(Evidence):
    """One Pod sandbox as the runtime lists it, dead ones too, with its containers."""

    id: str
    uid: str  # of the Pod; of a static Pod the hash of its file, which the API does not know it by
    namespace: str
    name: str
    attempt: int
    ready: bool
    created: datetime
    source: str  # who told the kubelet of the Pod (annotation kubernetes.io/config.source): api, file, http; or empty
    containers: tuple[SandboxContainer, ...]


@section(frozen=True)
class Consumer(Evidence):
    """A control group: what a unit of systemd or a whole Pod holds."""

    group: str  # the unit's name; of a Pod its UID, as the API has it (of a static Pod the hash of its file)
    pod: bool
    memory: int  # working set in bytes: memory.current - inactive_file, as the kubelet ranks Pods for eviction
    pids: int  # processes and threads: pids.current


@section(frozen=True)
class SandboxTrial(Evidence):
    """What came of making a Pod sandbox for real and removing it again (RunPodSandbox of the CRI)."""

    # ok, cni, image, oci, storage, timeout, other; foreign: the CNI refuses Pods that the API does not know
    outcome: str
    detail: str  # what the runtime said, one line, redacted, at most 400 characters; ids are left out
    seconds: float
    left: tuple[str, ...]  # what could not be removed afterwards, and why
