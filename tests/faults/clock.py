# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the node's clock."""

from __future__ import annotations

import typing as t

from .model import Fault, node

# timesyncd steps the clock as soon as it has an answer.
MEND: t.Final = (node("systemctl start systemd-timesyncd"),)


def _step(id: str, step: str, *, then: str = "", **more: t.Any) -> Fault:
    """Time synchronisation is stopped and the clock stepped by *step* (date(1))."""
    script = f"systemctl stop systemd-timesyncd\ndate > /run/outward-clock\ndate -s '{step}'\n{then}"
    defaults: dict[str, t.Any] = {
        "outcome": "recovered",
        "actions": ("start-time-sync",),
        "roots": ("clock-skew-past",),
    }
    return Fault(
        id=id,
        inject=(node(script),),
        holds=node("! systemctl is-active systemd-timesyncd && [ -e /run/outward-clock ]"),
        undo=MEND,
        **{**defaults, **more},
    )


FAULTS: t.Final[tuple[Fault, ...]] = (
    _step("clock-skew-past", "-10 min", note="Ready stays True for as long as one looks"),
    _step("clock-skew-past-day", "-1 day"),
    _step(
        "node-ready-stale-after-clock-step",
        "-10 min",
        then="sleep 30; systemctl stop kubelet",
        roots=("clock-skew-past", "kubelet-stopped"),
        kind="compound",
        outcome="needs-operator",
        note="Ready is True with nobody behind it; the clock is safe to set, and the kubelet is for the run after it",
    ),
    _step(
        "clock-skew-future",
        "+2 years",
        then="restart kubelet",
        roots=("clock-skew-future",),
        note="by that clock the certificates have expired; they have not",
    ),
)
