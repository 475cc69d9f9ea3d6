# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Journals: folded, bounded, of this invocation, and without what a start dumps."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._parse.errors import ParseError
from ansible_collections.outward.kubelet.plugins.module_utils._parse.journal import (
    LONGEST,
    MOST_INFORMATION,
    MOST_LINES,
    Entry,
    clean,
    ended,
    entries,
    fold,
    kmsg,
)

OLD, NEW = "a" * 32, "b" * 32


def record(message: t.Any, at: int, **fields: str) -> str:
    """One line of `journalctl -o json`."""
    return json.dumps({"MESSAGE": message, "__MONOTONIC_TIMESTAMP": str(at * 1_000_000), "_BOOT_ID": "c", **fields})


def test_records_of_journalctl() -> None:
    text = "\n".join(
        [
            record("one", 1, _SYSTEMD_INVOCATION_ID=OLD),
            record([98, 195, 40, 255], 2, _SYSTEMD_INVOCATION_ID=NEW),
            record("Started kubelet.service.", 3, INVOCATION_ID=NEW),
            record("panic: a\n\ngoroutine 1", 4, _SYSTEMD_INVOCATION_ID=NEW),
            record(None, 5),
            "-- No entries --",
        ]
    )
    assert entries(text) == [
        Entry("one", 1.0, OLD),
        Entry("b\ufffd(\ufffd", 2.0, NEW),
        Entry("Started kubelet.service.", 3.0, NEW),
        Entry("panic: a", 4.0, NEW),
        Entry("goroutine 1", 4.0, NEW),
    ]


@pytest.mark.parametrize("text", ["{", '{"MESSAGE": "x"}', '{"__MONOTONIC_TIMESTAMP": "x"}'])
def test_what_is_no_record(text: str) -> None:
    with pytest.raises(ParseError, match="line 1"):
        entries(text)


@pytest.mark.parametrize(
    ("last", "how"),
    [
        ("Received SIGTERM from PID 1 (systemd-shutdow).\nJournal stopped\n", "orderly"),
        ("Reached target reboot.target - System Reboot.\nShutting down.\n", "orderly"),
        ("Reached target Power-Off.\n", "orderly"),
        ("Started kubelet.service - kubelet.\nFinished apt-daily.service.\n", "abrupt"),
        ("Reached target multi-user.target - Multi-User System.\n", "abrupt"),
    ],
)
def test_how_a_boot_ended(last: str, how: str) -> None:
    """systemd 257 (Debian 13), and the names of targets before 249."""
    assert ended(last) == how


def test_equal_shapes_are_folded_by_invocation() -> None:
    lines = [
        Entry('E1123 20:00:00.000001    1154 kubelet.go:2055] "Skipping" err="seen 1m ago"', 10.0, OLD),
        Entry('E1123 20:00:10.000001    1160 kubelet.go:2055] "Skipping" err="seen 2m ago"', 20.0, NEW),
        Entry("other", 21.0, NEW),
        Entry('E1123 20:00:20.000001    1160 kubelet.go:2055] "Skipping" err="seen 3m ago"', 30.0, NEW),
    ]
    found = fold(lines, truncated=False).lines
    assert [(line.count, line.first, line.last, line.current) for line in found] == [
        (1, 10.0, 10.0, False),
        (1, 21.0, 21.0, True),
        (2, 20.0, 30.0, True),
    ]
    assert "seen 3m ago" in found[-1].text


def test_systemds_own_line_decides_which_invocation_is_the_newest() -> None:
    lines = [Entry("old trouble", 1.0, OLD), Entry("Started kubelet.service.", 2.0, NEW)]
    assert [line.current for line in fold(lines, truncated=False).lines] == [False, True]


def test_the_dumps_of_a_start_are_left_out() -> None:
    lines = [
        'I1123 20:00:00.1 1 flags.go:64] FLAG: --address="0.0.0.0"',
        'I1123 20:00:00.1 1 server.go:260] "Effective configuration" config=<',
        "\tapiVersion: v1",
        "\tclusterDNS: x",
        " >",
        'I1123 20:00:00.1 1 server.go:530] "Kubelet version" kubeletVersion="v1.37.2"',
    ]
    found = fold([Entry(line, 1.0, NEW) for line in lines], truncated=False).lines
    assert [line.text for line in found] == [lines[-1]]


def test_the_newest_lines_are_kept() -> None:
    lines = [Entry(f"{chr(97 + number // 26)}{chr(97 + number % 26)}", float(number), NEW) for number in range(100)]
    journal = fold(lines, truncated=False)
    assert (len(journal.lines), journal.truncated) == (MOST_LINES, True)
    assert journal.lines[-1].last == 99.0
    assert not fold(lines[:10], truncated=False).truncated
    assert fold(lines[:10], truncated=True).truncated


def test_information_does_not_push_out_evidence() -> None:
    error = Entry('E1123 21:26:23.1 867 run.go:72] "command failed" err="unknown flag: --x"', 0.5, NEW)
    pods = [
        Entry(f'time="2026-11-23T21:23:30Z" level=info msg="{chr(97 + at % 26)}{at // 26 * "x"}"', at, NEW)
        for at in range(90)
    ]
    klog = [
        Entry(f"I1123 21:25:44.36 867 server.go] {chr(97 + at % 26)}{at // 26 * 'x'}", at + 90.0, NEW)
        for at in range(90)
    ]
    found = fold([error, *pods, *klog], truncated=False)
    assert found.lines[0].text == error.text
    assert len(found.lines) == 1 + MOST_INFORMATION
    assert (found.lines[-1].last, found.truncated) == (179.0, False)


def test_a_line_is_unescaped_redacted_and_short() -> None:
    assert clean(r'err="node \\\"new\\\" is \"forbidden\""') == 'err="node "new" is "forbidden""'
    assert clean("x token=abcdef0123") == "x token=<redacted>"
    assert len(clean("word " * 5000)) == LONGEST


KMSG = [
    "6,100,1000000,-;Linux version 6.12.48\n",
    "4,101,2000000,-;nf_conntrack: table full, dropping packet\n SUBSYSTEM=x\n",
    "6,102,3000000,-;oom-kill:constraint=CONSTRAINT_NONE,task=kubelet,pid=1,uid=0\n",
    "2,103,4000000,c;EXT4-fs error (device vda): ext4_do_writepages: err -30\n",
    "12,104,5000000,-;written by a program\n",
    "4,105,6000000,-; _printk+0x6c/0x87\n",
    "4,106,6000000,-; ? __pfx_kthread+0x10/0x10\n",
    "4,107,6000000,-;RSP: 0018:ff56be65400fbdf8 EFLAGS: 00000282\n",
    "4,108,6000000,-;CPU: 1 UID: 0 PID: 29 Comm: kworker/1:0 Not tainted 6.12.117+deb13-cloud-amd64 #1\n",
    "4,109,6000000,-; <TASK>\n",
    "garbage\n",
    "x,1,2;y",
]


def test_the_kernels_warnings_and_known_lines() -> None:
    assert [(line.text[:9], line.at) for line in kmsg(KMSG)] == [
        ("nf_conntr", 2.0),
        ("oom-kill:", 3.0),
        ("EXT4-fs e", 4.0),
        ("written b", 5.0),
    ]
    assert all(line.current for line in fold(kmsg(KMSG), truncated=False).lines)
