# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules as nft and iptables-save print them, and counters of TCP as /proc has them."""

from __future__ import annotations

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._parse import netfiles, netfilter

PORT = "tcp dport 10250"


def chain(hook: str, policy: str, *rules: str) -> list[netfilter.Chain]:
    head = f"table inet t {{\n\tchain c {{\n\t\ttype filter hook {hook} priority filter; policy {policy};\n"
    return netfilter.nft(head + "".join(f"\t\t{rule}\n" for rule in rules) + "\t}\n}\n")[0]


@pytest.mark.parametrize(
    ("policy", "rules", "dropped"),
    [
        ("accept", (f'iifname != "lo" {PORT} drop',), True),
        ("accept", ("tcp dport { 22, 10000-11000 } reject",), True),
        ("accept", (f"ip saddr 10.0.0.9 {PORT} drop",), False),
        ("accept", ("ip saddr 10.0.0.0/8 accept", f"{PORT} drop"), False),
        ("accept", ("counter packets 1 bytes 2 jump KUBE-FIREWALL",), False),
        ("drop", ('iif "lo" accept', "ct state established,related accept", "tcp dport 22 accept"), True),
        ("drop", ("tcp dport { 22, 10250 } accept",), False),
        ("drop", ("jump ufw-before-input",), False),
    ],
)
def test_the_kubelets_port(policy: str, rules: tuple[str, ...], dropped: bool) -> None:
    assert bool(netfilter.port_drop(chain("input", policy, *rules))) is dropped


@pytest.mark.parametrize(
    ("policy", "rules", "dropped"),
    [
        ("drop", ("counter jump KUBE-FORWARD",), True),
        ("drop", ("counter jump FLANNEL-FWD",), False),
        ("drop", ('oifname "docker0" accept',), True),
        ("accept", (), False),
    ],
)
def test_what_is_forwarded(policy: str, rules: tuple[str, ...], dropped: bool) -> None:
    assert bool(netfilter.forward_drop(chain("forward", policy, *rules))) is dropped


def test_iptables_legacy() -> None:
    text = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:KUBE-SERVICES - [0:0]\n-A INPUT ! -i lo -p tcp -m tcp --dport 10250 -j DROP\nCOMMIT\n"
    chains, names = netfilter.legacy(text)
    assert "KUBE-SERVICES" in names
    assert netfilter.forward_drop(chains) == ("legacy filter FORWARD (policy drop)",)
    assert len(netfilter.port_drop(chains)) == 1


def test_tcp() -> None:
    assert netfiles.segments("Tcp: OutSegs RetransSegs\nTcp: 100 7\n") == (100, 7)
    row = "   1: 0E004D0A:8AE2 01004D0A:192B 01 00000150:00000000 01:00000123 00000006 0 0 1\n"
    assert netfiles.stuck("heading\n" + row) == ("10.77.0.1:6443",)
    assert netfiles.stuck("heading\n" + row.replace("00000006", "00000000")) == ()
