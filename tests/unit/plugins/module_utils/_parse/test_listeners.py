# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports that somebody listens on, out of real tables of a node of the lab's kind."""

from __future__ import annotations

from ansible_collections.outward.kubelet.plugins.module_utils._parse.listeners import listening

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2808 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5211 1 0000000000000000 100 0 0 10 0
   1: 0E004D0A:8F2C 01004D0A:192B 01 00000000:00000000 02:0000054D 00000000     0        0 9231 2 0000000000000000 20 4 29 10 -1
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt
   0: 00000000000000000000000000000000:280A 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000
"""


def test_ports_of_both_tables() -> None:
    assert listening(TCP, TCP6) == {10248, 22, 10250}


def test_what_is_no_table_has_none() -> None:
    assert listening("", "x\n" * 3) == frozenset()
