# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Was what stood there to be typed right? Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Sequence

from tests.matrix.playbook import Report

from .table import Advice

QUOTED: t.Final = 400  # characters of what a command printed


class Typed(t.NamedTuple):
    """A command, how it ended, and what it printed."""

    command: str
    status: int
    output: str


def roots(report: Report) -> list[str]:
    """The root causes of a look."""
    return sorted(report["diagnosis"]["root_causes"])


def mistakes(advice: Advice, host: str, report: Report, typed: Sequence[Typed], after: Report) -> list[str]:
    """Everything that is not as it should be; nothing when the row is right."""
    commands = [command.format(host=host, node=host) for command in advice.typed]
    found = [f"`next` does not have {command!r}" for command in commands if command not in report["next"]]
    found += [] if report["next"] else ["`next` is empty"]
    if advice.shows:
        shown = any(re.search(advice.shows, each.output) for each in typed)
        found += [] if shown else [f"nobody is named by {commands}: {typed[-1].output[-QUOTED:]}"]
    else:
        found += [f"{each.command}: status {each.status}: {each.output[-QUOTED:]}" for each in typed if each.status]
    return found + [f"still there: {cause}" for cause in roots(after)]


def told(advice: Advice, report: Report, typed: Sequence[Typed], after: Report) -> dict[str, t.Any]:
    """The row's ``seen``."""
    return {
        "outcome": report["outcome"],
        "next": report["next"],
        "typed": [{"command": each.command, "status": each.status} for each in typed],
        "by_hand": len(advice.acts) > len(advice.typed),
        "root_causes_after": roots(after),
    }
