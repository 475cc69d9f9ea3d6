# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Sends node code to a node over the task's own connection: one program into Python's standard input, one line back.

No disk of the node is written to. Become, the connection's options and the environment are Ansible's, as for its modules;
only the wrapper is left out that each of these needs, and that costs more than most of them.
"""

from __future__ import annotations

import json
import shlex
import typing as t
from dataclasses import dataclass

from ansible import constants
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._host.arrival import BEGUN, MARK
from ansible_collections.outward.kubelet.plugins.plugin_utils._shipment import packed

AUTO: t.Final = ("", "auto", "auto_silent", "auto_legacy", "auto_legacy_silent")
# The distribution's own Python comes first: it is the one whose standard library is compiled.
KNOWN: t.Final = ("/usr/bin/python3", "python3", *(f"python3.{minor}" for minor in range(14, 8, -1)))
TOO_OLD: t.Final = 97  # exit status; also of a program that came in half
NO_PYTHON: t.Final = 127
# -I -S: nothing but the standard library, whoever is logged in and wherever.
BOOT: t.Final = (
    "import sys;sys.version_info<(3,9) and sys.exit({old});import marshal,zlib;"
    "program=sys.stdin.buffer.read({size});len(program)<{size} and sys.exit({old});"
    "exec(*marshal.loads(zlib.decompress(program)))"
)
LOOK: t.Final = (
    "for python in {known}; do command -v $python >/dev/null 2>&1 || continue; "
    "$python -I -S -c {boot}; status=$?; [ $status = {old} ] || exit $status; done; exit {none}"
)


@dataclass(frozen=True)
class Delivery:
    """What became of a program: ``answer`` or ``wrong`` when it ended by itself."""

    begun: bool
    status: int
    answer: dict[str, t.Any] | None
    wrong: str | None
    said: str  # the end of what was printed besides


def deliver(action: ActionBase, module: str, parameters: dict[str, t.Any], variables: dict[str, t.Any]) -> Delivery:
    """Run ``_host.modules.MODULE`` on the task's host; raises AnsibleConnectionFailure when it cannot be reached."""
    program = packed(module, parameters, bool(action._task.check_mode))
    command = _command(_interpreter(action, variables), len(program))
    environment = action._compute_environment_string()
    return understood(action._low_level_execute_command(f"{environment} {command}".strip(), in_data=program))


def understood(result: dict[str, t.Any]) -> Delivery:
    """What a command printed, whatever else a login prints around it."""
    lines = [line.removeprefix(MARK) for line in result["stdout"].splitlines() if line.startswith(MARK)]
    told: dict[str, t.Any] = {}
    if len(lines) > 1:
        try:
            told = json.loads(lines[-1])
        except ValueError:  # it was cut off in the middle of its answer
            told = {}
    said = (result["stderr"].strip() or ("" if lines else result["stdout"].strip())).splitlines()
    return Delivery(BEGUN in lines, result["rc"], told.get("answer"), told.get("wrong"), said[-1] if said else "")


def _interpreter(action: ActionBase, variables: dict[str, t.Any]) -> str | None:
    """As Ansible chooses it; None: it is to be looked for."""
    delegated = variables.get("ansible_delegated_vars", {}).get(action._task.delegate_to, {})
    known = {**variables, **delegated}
    if getattr(action._connection, "_remote_is_local", False):
        return str(known["ansible_playbook_python"])
    chosen = action._templar.template(constants.config.get_config_value("INTERPRETER_PYTHON", variables=known))
    if str(chosen or "").strip() in AUTO:
        chosen = known.get("ansible_facts", {}).get("discovered_interpreter_python")
    return str(chosen) if chosen else None


def _command(interpreter: str | None, size: int) -> str:
    boot = shlex.quote(BOOT.format(old=TOO_OLD, size=size))
    if interpreter:
        return f"{interpreter} -I -S -c {boot}"
    look = LOOK.format(known=" ".join(KNOWN), boot=boot, old=TOO_OLD, none=NO_PYTHON)
    return f"/bin/sh -c {shlex.quote(look)}"
