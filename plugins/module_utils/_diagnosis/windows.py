# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Maintenance windows, as a person writes them: one span of time, or a time of every day. Pure.

``2026-12-01T22:00Z/2026-12-02T02:00Z`` (ISO 8601; an offset like ``+01:00`` instead of ``Z``) or ``22:00-02:00 UTC``.
Inside a window somebody else works on the nodes: nothing is repaired then.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

DAY: t.Final = timedelta(days=1)
_CLOCK: t.Final = r"([01][0-9]|2[0-3]):([0-5][0-9])"
_DAILY: t.Final = re.compile(rf"{_CLOCK}-{_CLOCK} (UTC|[+-]{_CLOCK})")
_MOMENT: t.Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
_ONCE: t.Final = re.compile(rf"({_MOMENT})/({_MOMENT})")


@dataclass(frozen=True)
class Window:
    """From *begin* until before *end*; when *daily*, again every 24 hours."""

    text: str
    begin: datetime
    end: datetime
    daily: bool

    def until(self, now: datetime) -> t.Optional[datetime]:
        """When the window that *now* is in ends; None: it is in none."""
        begin = self.begin + (now - self.begin) // DAY * DAY if self.daily else self.begin
        end = begin + (self.end - self.begin)
        return end if begin <= now < end else None


def window(text: str) -> Window:
    """Raises ``ValueError`` that says what is wrong with *text*, and how a window is written."""
    words = text.strip()
    once, daily = _ONCE.fullmatch(words), _DAILY.fullmatch(words)
    try:
        if once:
            return _span(words, *(_moment(part) for part in once.groups()))
        if daily:
            return _every_day(words, daily)
    except ValueError as error:
        raise ValueError(f"{words!r} is no maintenance window ({error}): {_HOW}") from error
    raise ValueError(f"{words!r} is no maintenance window: {_HOW}")


_HOW: t.Final = "write 2026-12-01T22:00Z/2026-12-02T02:00Z for one, or 22:00-02:00 UTC (or +01:00) for every day"


def _span(text: str, begin: datetime, end: datetime) -> Window:
    if end <= begin:
        raise ValueError("it ends before it begins")
    return Window(text, begin, end, False)


def _moment(text: str) -> datetime:
    """Python 3.9 reads no `Z`."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)


def _every_day(text: str, match: re.Match[str]) -> Window:
    """A window that ends at or before the time at which it begins ends on the next day."""
    hour, minute, last_hour, last_minute = (int(match.group(index)) for index in range(1, 5))
    offset = match.group(5)
    ahead = timedelta(0)
    if offset != "UTC":
        ahead = timedelta(hours=int(match.group(6)), minutes=int(match.group(7))) * (1 if offset[0] == "+" else -1)
    begin = datetime(2000, 1, 1, hour, minute, tzinfo=timezone.utc) - ahead
    length = timedelta(hours=last_hour - hour, minutes=last_minute - minute)
    if not length:
        raise ValueError("it begins and ends at the same time")
    return Window(text, begin, begin + length % DAY, True)
