# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""`journalctl -o json` and /dev/kmsg -> folded, bounded, redacted lines."""

from __future__ import annotations

import json
import re
import typing as t
from collections import OrderedDict

from .._diagnosis.node import Journal, LogLine
from .errors import ParseError
from .redact import redact

FIELDS: t.Final = "MESSAGE,_SYSTEMD_INVOCATION_ID,INVOCATION_ID"
LONGEST: t.Final = 1000
MOST_LINES: t.Final = 60
MOST_INFORMATION: t.Final = 10
_RAW_LIMIT: t.Final = 8000

# A kubelet prints its flags and its whole configuration at each start: about 128 lines of a crash loop's turn.
_DUMP_LINE: t.Final = re.compile(r"\] FLAG: --|KubeletConfiguration\{")
_DUMP_START: t.Final = re.compile(r"[Cc]onfig(?:uration)?=<\s*$")
_DUMP_END: t.Final = re.compile(r"^\s*>")
# klog's I lines and logrus' info: what a start and every new Pod says.
_INFORMATION: t.Final = re.compile(r'I[0-9]{4} |time="[^"]{0,40}" level=(?:info|debug) ')
# Registers and frames of a stack that the kernel dumps.
_STACK: t.Final = re.compile(
    r" ?(?:\? )?[\w.]{1,80}\+0x[0-9a-f]+/0x|(?:Code|R[A-Z0-9]{2}|[FC]S|CR[0-9]|PKRU|CPU|Call Trace|Hardware name|Workqueue): ?"
    r"| ?</?(?:TASK|IRQ|NMI)>|NMI backtrace|Modules linked in"
)
_KLOG_TIME: t.Final = re.compile(r"^([IWEF])[0-9]{4} [0-9:.]{8,15} +[0-9]+ ")
_NUMBER: t.Final = re.compile(r"[0-9]{1,18}")  # int() would take digits of any script
_VARYING: t.Final = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{12,64}\b|[0-9]+")
# Lines of the kernel below `warning` that are evidence all the same.
_KERNEL_KNOWN: t.Final = re.compile(
    r"oom-kill:|file-max limit|Disabling memory control group|fork rejected by pids controller|not responding, (?:still trying|timed out)|server .{1,80} OK"
    r"|[Uu]nder-?voltage|throttl|Remounting filesystem|I/O error|mmc[0-9]: |blocked for more than|Link is (?:Down|Up)"
)
WARNING: t.Final = 4
# systemd's last words, in the order in which they are said (src/core, src/shutdown, src/journal).
_ORDERLY: t.Final = re.compile(
    r"Reached target .{0,60}(?:Reboot|Power[ -]?Off|Shutdown|Halt|Kexec)|System is (?:rebooting|powering down|halting)"
    r"|Shutting down\.|systemd-shutdow|Journal stopped",
    re.IGNORECASE,
)


class Entry(t.NamedTuple):
    """One line as it was logged; the invocation is empty for the kernel's."""

    text: str
    at: float  # seconds since boot
    invocation: str


def entries(text: str) -> list[Entry]:
    """The lines of `journalctl -o json --output-fields=`:data:`FIELDS`. Raises :class:`ParseError`."""
    found: list[Entry] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("{"):
            continue
        try:
            record = json.loads(line)
            at = int(record["__MONOTONIC_TIMESTAMP"]) / 1_000_000
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise ParseError(f"line {number} of journalctl is no record of it") from error
        invocation = record.get("_SYSTEMD_INVOCATION_ID") or record.get("INVOCATION_ID") or ""
        found += [Entry(part, at, str(invocation)) for part in _message(record.get("MESSAGE")).split("\n") if part]
    return found


def _message(value: t.Any) -> str:
    """A message that is no UTF-8 comes as a list of octets; one that is too long as null."""
    if isinstance(value, list):
        return bytes(octet & 0xFF for octet in value if isinstance(octet, int)).decode("utf-8", "replace")
    return str(value) if value is not None else ""


def ended(text: str) -> str:
    """How a boot ended, by its last lines: systemd says good-bye unless it never got to it."""
    return "orderly" if _ORDERLY.search(text) else "abrupt"


def kmsg(records: t.Iterable[str]) -> list[Entry]:
    """Records of /dev/kmsg: `priority,sequence,microseconds,flags;text`; warnings and worse, and known lines."""
    found: list[Entry] = []
    for record in records:
        head, semicolon, text = record.partition(";")
        fields = head.split(",")
        if not semicolon or len(fields) < 3 or not (_NUMBER.fullmatch(fields[0]) and _NUMBER.fullmatch(fields[2])):
            continue
        text = text.split("\n", 1)[0]
        if _STACK.match(text):
            continue
        # The three lowest bits are the priority.
        if int(fields[0]) & 7 <= WARNING or _KERNEL_KNOWN.search(text[:_RAW_LIMIT]):
            found.append(Entry(text, int(fields[2]) / 1_000_000, ""))
    return found


def fold(lines: t.Sequence[Entry], truncated: bool) -> Journal:
    """Equal shapes of one invocation become one line; the newest :data:`MOST_LINES` are kept, newest last.

    Of merely informational lines only the newest :data:`MOST_INFORMATION` are kept. *truncated*: there was more in
    the journal than *lines*.
    """
    newest = next((line.invocation for line in reversed(lines) if line.invocation), "")
    folded: OrderedDict[tuple[str, str], _Shape] = OrderedDict()
    for line in _worth_keeping(lines):
        invocation = line.invocation or newest
        key = (invocation, _VARYING.sub("#", _KLOG_TIME.sub(r"\1 ", line.text[:_RAW_LIMIT])))
        before = folded.pop(key, None)
        folded[key] = _Shape(line, before.times + 1 if before else 1, before.first if before else line.at)
    # Only what is kept is cleaned: that costs more than all the rest.
    kept = list(folded.items())[-MOST_LINES:]
    found = tuple(_line(shape, invocation == newest) for (invocation, dummy), shape in kept)
    return Journal(lines=found, truncated=truncated or len(folded) > len(kept))


class _Shape(t.NamedTuple):
    """Lines of one shape: the newest, how many there are, and when the first one was logged."""

    newest: Entry
    times: int
    first: float


def _line(shape: _Shape, current: bool) -> LogLine:
    text, last = clean(shape.newest.text), shape.newest.at
    return LogLine(text=text, count=shape.times, first=shape.first, last=last, current=current)


def clean(text: str) -> str:
    """One line for a person and for the rules: nested quotes unescaped, redacted, at most 1,000 characters."""
    return redact(re.sub(r'(?<!\\)\\+"', '"', text[:_RAW_LIMIT]))[:LONGEST]


def _worth_keeping(lines: t.Sequence[Entry]) -> list[Entry]:
    kept = list(_without_dumps(lines))
    information = [at for at, line in enumerate(kept) if _INFORMATION.match(line.text)]
    dropped = set(information[:-MOST_INFORMATION])
    return [line for at, line in enumerate(kept) if at not in dropped]


def _without_dumps(lines: t.Iterable[Entry]) -> t.Iterator[Entry]:
    inside = ""
    for line in lines:
        if inside and line.invocation == inside:
            if _DUMP_END.match(line.text):
                inside = ""
            continue
        if _DUMP_START.search(line.text):
            inside = line.invocation
        elif not _DUMP_LINE.search(line.text):
            yield line
