# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When Ready changed, from what `kubectl get --watch` prints."""

from __future__ import annotations

from tests.matrix.ready import Watch, patience


def test_the_first_change_is_what_counts() -> None:
    seen = Watch("pi-04", ["sh", "-c", "echo True; sleep 0.2; echo Unknown; echo True; exec sleep 60"]).end(30)
    assert 0.1 < seen["ready_changed_after"] < 10
    assert seen["ready_watched"] < 10


def test_no_change_is_watched_for_as_long_as_it_was_asked_and_no_longer() -> None:
    seen = Watch("pi-04", ["sh", "-c", "echo True; echo True; exec sleep 60"]).end(0.5)
    assert seen["ready_changed_after"] is None
    assert 0.5 <= seen["ready_watched"] < 10


def test_only_where_a_change_is_expected_is_it_waited_for() -> None:
    assert patience(60.0, [("sym:node-unknown", "kubelet-stopped")]) == 60.0
    assert patience(60.0, [("sym:pods-stuck",), ()]) == 0.0
