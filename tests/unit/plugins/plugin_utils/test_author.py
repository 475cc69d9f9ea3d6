# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run is known by."""

from __future__ import annotations

import socket

import pytest

from ansible_collections.outward.kubelet.plugins.plugin_utils._author import LONGEST, author

HOST = socket.gethostname()


@pytest.mark.parametrize(
    ("variables", "environ", "known"),
    [
        ({}, {"SUDO_USER": "anna"}, f"anna@{HOST}"),
        ({"awx_user_name": "anna", "awx_job_id": 42}, {"SUDO_USER": "root"}, f"anna@{HOST}, AWX job 42"),
        ({"tower_user_name": "anna", "tower_job_id": 42}, {}, f"anna@{HOST}, AWX job 42"),
        ({"awx_user_name": "an\nna", "awx_job_id": ""}, {}, f"an?na@{HOST}"),
    ],
)
def test_who_asks(variables: dict[str, object], environ: dict[str, str], known: str) -> None:
    assert author(variables, environ) == known


def test_it_is_one_bounded_line() -> None:
    assert len(author({"awx_user_name": "x" * 500}, {})) == LONGEST
    assert "@" in author({})
