# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who listens, and who sends again, out of real tables of a node of the lab's kind."""

from __future__ import annotations

from ansible_collections.outward.kubelet.plugins.module_utils._parse.tcp import listening, sends_again

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


def test_a_connection_that_waits_for_an_answer() -> None:
    api, other = bytes((10, 77, 0, 1)), bytes((10, 77, 0, 2))
    assert not sends_again(api, 6443, TCP, TCP6)
    waits = TCP.replace("02:0000054D 00000000", "01:0000054D 00000003")
    assert sends_again(api, 6443, waits)
    assert not sends_again(other, 6443, waits)
    assert not sends_again(api, 443, waits)


def test_a_connection_of_a_socket_for_both_kinds_of_addresses() -> None:
    row = "   0: 0000000000000000FFFF00000E004D0A:8F2C 0000000000000000FFFF000001004D0A:192B 01 0:0 01:54D 00000001 0"
    assert sends_again(bytes((10, 77, 0, 1)), 6443, row)
