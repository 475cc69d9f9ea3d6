# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Running a module on a node that may be broken in any way: what comes back is always an answer."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.signs import instant

from ._author import author

# Found by running it (docs: ansible-facts.md rows 1-5): on a full disk or a read-only root a module only works
# when the wrapper's temporary directory, and Ansible's own, lie on a tmpfs and the module comes through a pipe.
TMPFS: t.Final = "/dev/shm"
OBSERVE: t.Final = "outward.kubelet.node_facts"
RETRIES: t.Final = 1
GIVE_UP: t.Final = "-o ServerAliveInterval=10 -o ServerAliveCountMax=6"  # ssh_config(5): after a minute of silence
REMOTE_TMP: t.Final = f"{TMPFS}/.ansible-outward"


@dataclass(frozen=True)
class Answer:
    """A module's result, or why there is none."""

    result: dict[str, t.Any]
    unreachable: str | None  # the host could not be logged into
    failed: str | None  # the module ran and said so, or could not be run
    cut_off: bool = False  # the module began and was ended by something else: nobody knows how far it came


def ask(action: ActionBase, module: str, arguments: dict[str, t.Any], variables: dict[str, t.Any]) -> Answer:
    """Run *module* on the task's host. An unreachable host is an answer, not an exception."""
    _make_robust(action, module)
    try:
        result = action._execute_module(module_name=module, module_args=arguments, task_vars=variables)
    except AnsibleConnectionFailure as error:
        return Answer({}, _one_line(error.message), None)
    if result.get("unreachable"):
        return Answer(result, _one_line(str(result.get("msg", "unreachable"))), None)
    if result.get("failed"):
        return Answer(result, None, _reason(result), _cut_off(result))
    return Answer(result, None, None)


class OnNode(ActionBase):
    """An action that is nothing but the module of the same name, run by :func:`ask`; it fails as a module does."""

    _supports_check_mode = True
    MODULE: t.ClassVar[str]

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """The module's result."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        return self.concluded(ask(self, self.MODULE, self.given(variables), variables))

    def given(self, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """The module's arguments."""
        return t.cast("dict[str, t.Any]", self._task.args)

    def concluded(self, answer: Answer) -> dict[str, t.Any]:
        """The module's result, or why there is none."""
        if answer.unreachable:
            return {"unreachable": True, "msg": answer.unreachable}
        return {**answer.result, "msg": answer.failed} if answer.failed else answer.result


class Acting(OnNode):
    """An action that changes the node: being cut off in the middle is a result too, and never a success."""

    STEP: t.ClassVar[str]
    started: datetime

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """The module's result; ``result: failed`` with the reason when the module did not end by itself."""
        self.started = datetime.now(UTC)
        return super().run(tmp, task_vars)

    def given(self, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """The module's arguments, with what this run is known by in the ledger."""
        return {"holder": author(variables), **self._task.args}

    def concluded(self, answer: Answer) -> dict[str, t.Any]:
        """Bad input fails the task, since nothing was touched; whatever was cut off may have acted."""
        if answer.unreachable:
            return self._lost(f"the node was lost during {self.STEP}: {answer.unreachable}")
        if answer.cut_off:
            return self._lost(f"{self.STEP} was cut off on the node: {answer.failed}")
        if answer.failed:
            raise AnsibleActionFail(answer.failed)
        return answer.result

    def _lost(self, reason: str) -> dict[str, t.Any]:
        action = {"step": self.STEP, "started": instant(self.started), "finished": instant(datetime.now(UTC))}
        lost = {"changed": True, "result": "failed", "refusals": [], "detail": reason}
        return {**lost, "action": {**action, "result": "failed"}}


def _make_robust(action: ActionBase, module: str) -> None:
    action._task.environment = [*(action._task.environment or []), {"TMPDIR": TMPFS}]
    action._connection._shell.set_option("remote_tmp", REMOTE_TMP)
    options = action._connection.get_options()
    # Only connections that can pipe have the option (ssh does, local does not need it).
    if "pipelining" in options:
        action._connection.set_option("pipelining", True)
    # A node that is out of memory keeps the connection and never answers on it.
    if "ssh_extra_args" in options:
        extra = action._connection.get_option("ssh_extra_args") or ""
        action._connection.set_option("ssh_extra_args", f"{extra} {GIVE_UP}".strip())
    # A slow node loses a login now and then. To look twice is harmless; to act twice is not.
    if "reconnection_retries" in options and module == OBSERVE:
        action._connection.set_option("reconnection_retries", RETRIES)


def _cut_off(result: dict[str, t.Any]) -> bool:
    # A module that ends by itself, also in an error, returns its arguments; one without a Python never began.
    return "invocation" not in result and not _no_python(result)


def _no_python(result: dict[str, t.Any]) -> bool:
    return result.get("rc") == 127 or "interpreter" in str(result.get("msg")).lower()


def _reason(result: dict[str, t.Any]) -> str:
    message = str(result.get("msg") or "the module failed")
    if _no_python(result):
        return f"no usable Python on the node ({_one_line(message)}): install python3 there, or set ansible_python_interpreter"
    detail = str(result.get("module_stderr") or "").strip().splitlines()
    return _one_line(f"{message}: {detail[-1]}" if detail else message)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:400]
