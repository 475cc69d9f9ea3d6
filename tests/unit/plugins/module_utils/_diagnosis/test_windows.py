# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Maintenance windows, as a person writes and miswrites them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.windows import window

ONCE = "2026-12-01T22:00Z/2026-12-02T02:00Z"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "now", "until"),
    [
        (ONCE, "2026-12-01T21:59:59", None),
        (ONCE, "2026-12-01T22:00:00", "2026-12-02T02:00:00"),
        (ONCE, "2026-12-02T01:59:59", "2026-12-02T02:00:00"),
        (ONCE, "2026-12-02T02:00:00", None),
        (ONCE, "2026-12-02T23:00:00", None),  # it is not every day
        ("2026-12-01T22:00:30+01:00/2026-12-02T02:00+01:00", "2026-12-01T21:00:30", "2026-12-02T01:00:00"),
        ("22:00-02:00 UTC", "2026-11-23T22:00:00", "2026-11-24T02:00:00"),
        ("22:00-02:00 UTC", "2026-11-24T01:59:59", "2026-11-24T02:00:00"),
        ("22:00-02:00 UTC", "2026-11-24T02:00:00", None),
        ("22:00-02:00 UTC", "2026-11-23T21:59:59", None),
        ("22:00-02:00 UTC", "1999-01-01T23:00:00", "1999-01-02T02:00:00"),  # a server whose clock is wrong
        (" 02:00-05:30 UTC ", "2026-11-23T05:29:00", "2026-11-23T05:30:00"),
        ("00:30-02:00 +01:00", "2026-11-23T23:30:00", "2026-11-24T01:00:00"),
        ("00:30-02:00 +01:00", "2026-11-24T01:00:00", None),
        ("20:00-22:00 -05:30", "2026-11-24T01:30:00", "2026-11-24T03:30:00"),
    ],
)
def test_inside_and_outside(text: str, now: str, until: str | None) -> None:
    assert window(text).until(at(now)) == (at(until) if until else None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tonight", "'tonight' is no maintenance window: write 2026-12-01T22:00Z/2026-12-02T02:00Z for one"),
        ("22:00-02:00", "is no maintenance window: write"),  # of which place?
        ("22:00-02:00 CET", "is no maintenance window: write"),
        ("24:00-02:00 UTC", "is no maintenance window: write"),
        ("22:00-22:00 UTC", "(it begins and ends at the same time)"),
        ("2026-12-02T02:00Z/2026-12-01T22:00Z", "(it ends before it begins)"),
        ("2026-12-01T22:00/2026-12-02T02:00", "is no maintenance window: write"),
        ("2026-13-01T22:00Z/2026-12-02T02:00Z", "month"),
        ("2026-12-01T22:00Z", "is no maintenance window: write"),
        ("", "is no maintenance window: write"),
    ],
)
def test_what_is_no_window_says_how_one_is_written(text: str, words: str) -> None:
    with pytest.raises(ValueError, match="write 2026-12-01T22:00Z") as caught:
        window(text)
    assert words in str(caught.value)
