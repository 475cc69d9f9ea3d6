# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a join needs to know besides the evidence of a node: releases, ports, time services."""

from __future__ import annotations

import os
import re

from .._diagnosis.membership import Ground
from .._diagnosis.node import Profile
from .._parse.listeners import listening
from .command import run
from .errors import ProbeError
from .files import attempt, tcp_tables
from .probes.units import TIME_SERVICES
from .profile import UNIT_DIRS

# A Go program of 70 MB that is read from an SD card for the first time.
SECONDS = 20.0
PORTS = (10250, 10248)  # the kubelet's own, and its healthz


def look(profile: Profile) -> Ground:
    """All of it; what could not be told is unknown."""
    return Ground(
        kubelet=attempt(_release, (profile.binary, "--version")),
        kubeadm=attempt(_release, ("kubeadm", "version", "--output=short")),
        ports=attempt(_taken),
        time_services=time_services(),
    )


def time_services() -> tuple[str, ...]:
    """Units that are installed and keep the clock."""
    return tuple(name for name in TIME_SERVICES if any(os.path.lexists(f"{place}/{name}") for place in UNIT_DIRS))


def _release(command: tuple[str, ...]) -> str | None:
    """Of a program; None: it is not there."""
    try:
        said = run(command, SECONDS)
    except FileNotFoundError:
        return None
    match = re.search(r"v1[.][0-9]{1,3}[.][0-9][^\s]{0,40}", said.out)
    if said.status != 0 or match is None:
        raise ProbeError(f"{command[0]} does not tell its version (status {said.status})")
    return match.group(0)


def _taken() -> tuple[int, ...]:
    open_ports = listening(*tcp_tables())
    return tuple(port for port in PORTS if port in open_ports)
