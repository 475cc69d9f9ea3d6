# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/proc and /sys as kernel 6.12 writes them."""

from __future__ import annotations

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import Stall
from ansible_collections.outward.kubelet.plugins.module_utils._parse import mounts, netfiles, procfs
from ansible_collections.outward.kubelet.plugins.module_utils._parse.errors import ParseError

MEMINFO = (
    "MemTotal:        1179692 kB\nMemFree:          221812 kB\nMemAvailable:     790368 kB\nHugePages_Total:       0\n"
)
MEMORY_STAT = "anon 199299072\nfile 619720704\ninactive_file 340250624\n"
PSI = "some avg10=12.50 avg60=3.10 avg300=0.71 total=1216170\nfull avg10=4.10 avg60=1.00 avg300=0.20 total=803102\n"
STAT = (
    "812 (tmux: (a) b) T 1 812 812 0 -1 4194560 1046 0 17 0 5 4 0 0 20 0 9 0 6351 1316040704 11170 18446744073709551615"
)


def test_numbers_of_meminfo_and_memory_stat() -> None:
    assert procfs.key_values(MEMINFO)["MemTotal"] == 1179692 * 1024
    assert procfs.key_values(MEMINFO)["HugePages_Total"] == 0
    assert procfs.number(procfs.key_values(MEMORY_STAT), "inactive_file") == 340250624
    with pytest.raises(ParseError, match="SwapTotal"):
        procfs.number(procfs.key_values(MEMINFO), "SwapTotal")


def test_swaps() -> None:
    heading = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
    assert procfs.swaps(heading) == ()
    text = (
        heading + "/swap\\040file                           file\t\t65532\t\t0\t\t-2\n/dev/zram0 partition\t1\t0\t100\n"
    )
    assert procfs.swaps(text) == ("/swap file", "/dev/zram0")
    with pytest.raises(ParseError):
        procfs.swaps("")


def test_pressure() -> None:
    assert procfs.pressure(PSI) == Stall(12.5, 4.1)
    assert procfs.pressure(PSI.splitlines(keepends=True)[0]) == Stall(12.5, 0.0)
    with pytest.raises(ParseError):
        procfs.pressure("")


def test_a_process_with_brackets_in_its_name() -> None:
    assert procfs.stat(STAT) == ("tmux: (a) b", "T", 1, 6351)
    for text in ("", "1 (a", "1 (a) S", ") ("):
        with pytest.raises(ParseError):
            procfs.stat(text)


def test_load_and_threads() -> None:
    assert procfs.load("0.64 0.52 0.30 2/231 4711\n") == (0.64, 231)
    with pytest.raises(ParseError):
        procfs.load("x")


def test_os_name() -> None:
    assert (
        procfs.os_name('NAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n')
        == "Debian GNU/Linux 13 (trixie)"
    )
    assert procfs.os_name("") == "unknown"


MOUNTINFO = r"""21 28 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
28 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,errors=remount-ro
40 28 254:16 / /var/lib rw,relatime shared:2 - ext4 /dev/vdb ro
41 28 0:51 / /mnt/a\040b rw,relatime - nfs4 10.77.0.1:/export rw,vers=4.2
42 40 0:60 / /var/lib/kubelet/pods/x/volumes/y rw master:9 - tmpfs tmpfs rw
"""


def test_mounts() -> None:
    found = mounts.mountinfo(MOUNTINFO)
    assert mounts.holding(found, "/etc") == ("/", "/dev/vda", "ext4", False)
    assert mounts.holding(found, "/var/lib/kubelet") == ("/var/lib", "/dev/vdb", "ext4", True)
    assert mounts.holding(found, "/var/library").mount_point == "/"
    assert [each.mount_point for each in found if mounts.is_network(each.kind)] == ["/mnt/a b"]
    for text in ("1 2 3\n", "28 1 254:0 / / rw - ext4\n"):
        with pytest.raises(ParseError):
            mounts.mountinfo(text)
    with pytest.raises(ParseError):
        mounts.holding((), "/")


def test_fstab() -> None:
    fstab = r"""# <file system> <mount point> <type> <options>
/dev/vda / ext4 errors=remount-ro 0 1
/dev/vdc /data ext4 defaults,nofail
10.77.0.1:/export /mnt/a\040b nfs4 _netdev
/dev/sda1 /media/usb ext4 noauto
/dev/sdb1 /auto ext4 x-systemd.automount
/swapfile none swap sw
tmpfs /var/lib/ tmpfs
short
"""
    assert mounts.missing_of_fstab(fstab, mounts.mountinfo(MOUNTINFO)) == ("/data",)


ROUTE = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\neth0\t{}\t01004D0A\t{}\t0\t0\t0\t{}\t0\t0\t0\n"
NO_IPV6 = f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 00000001 00000000 00200200       lo\n"


@pytest.mark.parametrize(
    ("route", "ipv6", "answer"),
    [
        (ROUTE.format("00000000", "0003", "00000000"), NO_IPV6, True),
        (ROUTE.format("00000000", "0002", "00000000"), NO_IPV6, False),
        (ROUTE.format("00004D0A", "0001", "00FFFFFF"), NO_IPV6, False),
        ("", NO_IPV6.replace("lo\n", "eth0\n"), True),
        ("", "", False),
    ],
)
def test_default_route(route: str, ipv6: str, answer: bool) -> None:
    assert netfiles.default_route(route, ipv6) is answer


def test_addresses() -> None:
    trie = """Main:
  +-- 0.0.0.0/0 3 0 5
     +-- 10.77.0.0/24 2 0 2
        |-- 10.77.0.14
           /32 host LOCAL
        |-- 10.77.0.255
           /32 link BROADCAST
     |-- 127.0.0.1
        /32 host LOCAL
Local:
        |-- 10.77.0.14
           /32 host LOCAL
"""
    six = (
        "fe800000000000005054fffefe770014 02 40 20 80     eth0\n"
        "fd000000000000000000000000000002 02 40 00 80     eth0\n"
        "20010db8000100000000ff0000428329 02 40 00 80     eth1\n"
    )
    assert netfiles.addresses(trie, six) == ("10.77.0.14", "fd00::2", "2001:db8:1::ff00:42:8329")


@pytest.mark.parametrize(
    ("arguments", "work"),
    [
        ("kubeadm upgrade node", "kubeadm upgrade"),
        ("/usr/bin/kubeadm --v=5 join 10.77.0.1:6443 --token x", "kubeadm join"),
        ("kubeadm version", None),
        ("kubeadm token create", None),
        ("apt-get -y -q upgrade", "apt-get upgrade"),
        ("apt list --upgradable", None),
        ("apt-get update", None),
        ("/usr/bin/dpkg --force-confold --configure -a", "dpkg --configure"),
        ("dpkg -l kubelet", None),
        ("dpkg-query -W", None),
        ("/usr/bin/python3 -u /usr/bin/unattended-upgrade --download-only", "unattended-upgrade"),
        ("/usr/bin/python3 /usr/share/unattended-upgrades/unattended-upgrade-shutdown --wait-for-signal", None),
        ("/bin/sh /usr/lib/apt/apt.systemd.daily install", None),
        ("vim kubeadm upgrade", None),
        ("python3", None),
        ("", None),
    ],
)
def test_what_exchanges_a_nodes_software(arguments: str, work: str | None) -> None:
    assert procfs.upkeep(arguments.split(" ")) == work


LOCKS = """\
1: POSIX  ADVISORY  WRITE 812 fd:00:1234 0 EOF
1: -> POSIX  ADVISORY  WRITE 900 fd:00:1234 0 EOF
2: POSIX  ADVISORY  READ 813 fd:00:1234 0 EOF
3: FLOCK  ADVISORY  WRITE 814 fd:00:1234 0 EOF
4: POSIX  ADVISORY  WRITE 815 fd:00:12345 0 EOF
5: OFDLCK ADVISORY  WRITE -1 fd:00:1234 0 EOF
"""


def test_who_holds_a_lock_and_not_who_waits_for_it() -> None:
    assert procfs.lock_holders(LOCKS, 1234) == (812,)
    assert procfs.lock_holders(LOCKS, 12) == ()
