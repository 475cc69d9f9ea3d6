# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What systemd says of the units, in one call."""

from __future__ import annotations

import os
import typing as t

from ..._diagnosis.node import Profile, Unit
from ..._parse import procfs, systemd
from ..._parse.errors import ParseError
from ..command import run
from ..errors import ProbeError, words
from ..files import read
from ..profile import UNIT_DIRS

TIME_SERVICES: t.Final = (
    "systemd-timesyncd.service",
    "chrony.service",
    "chronyd.service",
    "ntpsec.service",
    "ntp.service",
    "ntpd.service",
    "openntpd.service",
)
# The deadline of the question comes first; this only keeps a forgotten command from living on.
_SECONDS: t.Final = 10.0


class Units(t.NamedTuple):
    """The two units of a node, and the time service that is active (None: none is)."""

    kubelet: Unit
    runtime: Unit
    time_service: str | None


def ask(profile: Profile) -> tuple[Unit, Unit, str | None]:
    """:class:`Units`, as a plain tuple. Raises :class:`ProbeError` or :class:`ParseError`."""
    # systemd sends some 300 properties for each unit, also for one that is not there: ask for no such one.
    services = [name for name in TIME_SERVICES if any(os.path.lexists(f"{place}/{name}") for place in UNIT_DIRS)]
    wanted = [profile.unit, profile.runtime_unit, *services]
    blocks = systemd.show(_show(wanted))
    if len(blocks) != len(wanted):
        raise ParseError(f"systemctl answered for {len(blocks)} of {len(wanted)} units")
    kubelet = systemd.unit(blocks[0], profile.unit, _process_state(blocks[0]))
    runtime = systemd.unit(blocks[1], profile.runtime_unit, _process_state(blocks[1]))
    active = [block["Id"] for block in blocks[2:] if block.get("ActiveState") == "active"]
    return Units(kubelet, runtime, active[0] if active else None)


def _show(units: t.Sequence[str]) -> str:
    answer = run(
        ["systemctl", "show", "--no-pager", f"--property={','.join(systemd.PROPERTIES)}", "--", *units], _SECONDS
    )
    if answer.status != 0:
        raise ProbeError(f"systemctl: {words(ProbeError(answer.err))}")
    return answer.out


def _process_state(block: t.Mapping[str, str]) -> str | None:
    """The state of the main process; None when there is none, or it ended in between."""
    pid = block.get("MainPID", "0")
    if pid in ("", "0"):
        return None
    try:
        return procfs.stat(read(f"/proc/{int(pid)}/stat")).state
    except (FileNotFoundError, ProcessLookupError):
        return None
