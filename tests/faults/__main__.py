# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python3 -m tests.faults list | show FAULT | inject FAULT HOST | holds FAULT HOST | undo FAULT HOST``."""

from __future__ import annotations

import argparse
import sys

from .lab import NotInjected, in_lab, inject, undo
from .model import Fault
from .table import FAULTS


def describe(fault: Fault) -> str:
    """What `show` prints: everything that the fault does, as one could type it."""
    lines = [f"{fault.id}: {', '.join(fault.root_causes)}; node-recover: {fault.outcome} {' '.join(fault.actions)}"]
    lines += [f"note: {fault.note}"] if fault.note else []
    for title, steps in (("inject", fault.inject), ("holds", (fault.holds,)), ("undo", fault.undo)):
        for step in steps:
            lines += [f"{title} ({step.place}):", *(f"  {line}" for line in step.script.splitlines())]
    return "\n".join(lines)


def act(command: str, fault: Fault, host: str) -> int:
    """Carry out one command on *host*; the exit status."""
    if command == "inject":
        print(f"{fault.id} holds on {host} after {inject(fault, host):.0f} s")
    elif command == "undo":
        undo(fault, host)
    else:
        result = in_lab(fault.holds, host, 60)
        print(f"{fault.id} {'does not hold' if result.code else 'holds'} on {host}: {result.output}")
        return result.code
    return 0


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.faults", description="Break a lab node, on purpose.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list")
    commands.add_parser("show").add_argument("fault", choices=FAULTS, metavar="FAULT")
    for name in ("inject", "holds", "undo"):
        command = commands.add_parser(name)
        command.add_argument("fault", choices=FAULTS, metavar="FAULT")
        command.add_argument("host")
    options = parser.parse_args()
    if options.command == "list":
        for fault in FAULTS.values():
            print(f"{fault.id:48} {fault.kind:10} {fault.outcome:16} {fault.note}")
        return 0
    fault = FAULTS[options.fault]
    if options.command == "show":
        print(describe(fault))
        return 0
    try:
        return act(options.command, fault, options.host)
    except NotInjected as why:
        print(why, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
