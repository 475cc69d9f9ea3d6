# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""How quiet a log is: errors a minute, and which ones. A kubelet that says much has much to say."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from .node import Journal, LogLine

WINDOW = 600.0  # seconds that are looked at
# A kubelet that starts complains of all that is not there yet: about 50 errors in the lab, within half a minute.
START = 60.0
LEAST = 120.0  # or a burst of a few seconds would be a rate
TOP = 5
LONGEST = 160
ERROR = re.compile(r"[EF][0-9]{4} |time=\S{1,40} level=(?:error|fatal|panic)|panic: |fatal error: ")
_HEAD = re.compile(r"^[EF][0-9]{4} [0-9:.]{8,15} +[0-9]+ |^time=\S{1,40} ")
# From the special to the general: what names one Pod, container or file, and then any id, number or address.
_VARYING: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r'\b(pods?|podUID|node|path|containerName|containerID|volumeName|image)([= ])"[^"]{0,200}"'),
        r'\1\2"*"',
    ),
    (re.compile(r"\bpod [a-z0-9.-]{1,253}_[a-z0-9-]{1,63}\([0-9a-f-]{32,36}\)"), "pod *"),
    (re.compile(r"/(?:var|run|sys|etc)/[\w./@:-]{1,400}"), "/*"),
    (re.compile(r"0x[0-9a-f]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{12,64}\b|[0-9]+"), "#"),
)


@dataclass(frozen=True)
class Noise:
    """The figure of one unit's log, of its present invocation."""

    per_minute: float
    minutes: float  # that it is taken over: ten, or as far back as what was read goes
    top: tuple[tuple[str, int], ...]  # (shape, how many), the most frequent first


def noise(journal: Journal, started: float | None, now: float) -> Noise:
    """Errors in the last ten minutes before *now* (both in seconds since boot), without those of the start.

    Of lines that were folded only the first and the last time are known: they are taken as evenly spread.
    """
    calm = (started or 0.0) + START
    lines = [line for line in journal.lines if line.current and line.last > calm]
    oldest = min((line.first for line in journal.lines), default=now)
    minutes = max(LEAST, min(WINDOW, now - max(oldest, calm))) / 60
    shapes: Counter[str] = Counter()
    for line in lines:
        if ERROR.match(line.text):
            shapes[shape(line.text)] += _within(line, now)
    kept = +shapes
    return Noise(round(sum(kept.values()) / minutes, 1), round(minutes, 1), tuple(kept.most_common(TOP)))


def shape(text: str) -> str:
    """An error without what differs each time: two Pods with the same trouble say one thing."""
    text = _HEAD.sub("", text[:1000])
    for pattern, replacement in _VARYING:
        text = pattern.sub(replacement, text)
    return text[:LONGEST]


def _within(line: LogLine, now: float) -> int:
    begin = now - WINDOW
    if line.last < begin:
        return 0
    if line.first >= begin or line.count == 1:
        return line.count
    return max(1, round(line.count * (line.last - begin) / (line.last - line.first)))
