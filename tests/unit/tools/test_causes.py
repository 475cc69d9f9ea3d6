# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The docs say what the code says."""

from __future__ import annotations

from tests.tools.causes import PAGE, page


def test_the_page_of_causes_is_the_code_s() -> None:
    assert PAGE.read_text() == page(), "run make docs"
