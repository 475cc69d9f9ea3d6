# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The wall clock, and the board's firmware."""

from __future__ import annotations

import ctypes
import os
import re
import typing as t
from datetime import datetime, timezone

from ..._diagnosis.node import Board
from ..command import run
from ..errors import ProbeError
from ..files import attempt, names, read_or_none

Fields = dict[str, t.Any]
# timedated's rule (systemd src/basic/time-util.c, ntp_synced): STA_UNSYNC may be set for other reasons.
LARGEST_ERROR: t.Final = 16_000_000
_VCGENCMD_SECONDS: t.Final = 2.0
_SYSFS_THROTTLED: t.Final = "/sys/devices/platform/soc/soc:firmware/get_throttled"
_ENXIO: t.Final = 6


class _Timex(ctypes.Structure):
    """The beginning of struct timex (adjtimex(2)); the rest is only room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("rest", ctypes.c_char * 512),
    )


def ask() -> Fields:
    """Every field of Clock but `service`."""
    return {"now": datetime.now(timezone.utc), "synchronized": attempt(synchronized), "rtc": attempt(_rtc)}


def synchronized() -> bool:
    """What `timedatectl` shows, without waking timedated for it."""
    clock = _Timex()
    if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(clock)) < 0:
        raise OSError(ctypes.get_errno(), "adjtimex")
    return bool(clock.maxerror < LARGEST_ERROR)


def _rtc() -> datetime | None:
    """None: there is no hardware clock, or one without a battery that was never set."""
    try:
        text = read_or_none("/sys/class/rtc/rtc0/since_epoch")
    except OSError as error:
        if error.errno in (_ENXIO, 22):
            return None
        raise
    return datetime.fromtimestamp(int(text), timezone.utc) if text else None


def board() -> Board:
    """A Raspberry Pi's firmware; nothing is asked of other machines but their temperature."""
    model = read_or_none("/proc/device-tree/model")
    return Board(
        model=model.strip("\0\n ") if model else None,
        throttled=attempt(_throttled) if model and "Raspberry Pi" in model else None,
        temperature=attempt(_temperature),
    )


def _throttled() -> int | None:
    text = read_or_none(_SYSFS_THROTTLED)
    if text is not None:
        return int(text.strip(), 16)
    if not any(os.access(f"{place}/vcgencmd", os.X_OK) for place in ("/usr/bin", "/opt/vc/bin", "/usr/local/bin")):
        return None
    answer = run(["vcgencmd", "get_throttled"], _VCGENCMD_SECONDS)
    match = re.match(r"throttled=0x([0-9a-fA-F]{1,8})", answer.out)
    if not match:
        raise ProbeError("vcgencmd said nothing about throttling")
    return int(match.group(1), 16)


def _temperature() -> float | None:
    zones = [name for name in names("/sys/class/thermal") if name.startswith("thermal_zone")]
    text = read_or_none(f"/sys/class/thermal/{zones[0]}/temp") if zones else None
    return int(text) / 1000 if text else None
