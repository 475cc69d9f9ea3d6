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
from importlib import import_module

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import from_json
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence, unreachable_node
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.signs import instant
from ansible_collections.outward.kubelet.plugins.plugin_utils._author import author
from ansible_collections.outward.kubelet.plugins.plugin_utils._carrier import NO_PYTHON, TOO_OLD, deliver
from ansible_collections.outward.kubelet.plugins.plugin_utils._lock import keeping

# Found by running it (docs: ansible-facts.md rows 1-5): on a full disk or a read-only root a module only works
# when the wrapper's temporary directory, and Ansible's own, lie on a tmpfs and the module comes through a pipe.
TMPFS: t.Final = "/dev/shm"
MODULES: t.Final = "ansible_collections.outward.kubelet.plugins.module_utils._host.modules"
# Keys of a result that change the inventory, the facts, the statistics or the course of a play.
OBEYED: t.Final = ("_", "ansible_", "add_", "failed", "unreachable", "skipped", "invocation")
HIDDEN: t.Final = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"  # as a module says it
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


def ask(
    action: ActionBase, module: str, arguments: dict[str, t.Any], variables: dict[str, t.Any], *, piped: bool = False
) -> Answer:
    """Run *module* on the task's host. An unreachable host is an answer, not an exception.

    *piped*: arguments that may be in no file, also in none of Ansible's own.
    """
    _make_robust(action, module)
    try:
        if action._is_pipelining_enabled("new"):
            return _carried(action, module.rpartition(".")[2], arguments, variables)
        if piped:
            return Answer({}, None, "the connection cannot pipe, and a secret is not written into a file on the way")
        result = action._execute_module(module_name=module, module_args=arguments, task_vars=variables)
    except AnsibleConnectionFailure as error:
        return Answer({}, _one_line(error.message), None)
    if result.get("unreachable"):
        return Answer(result, _one_line(str(result.get("msg", "unreachable"))), None)
    if result.get("failed"):
        return Answer(result, None, _reason(result), _cut_off(result))
    return Answer(result, None, None)


def _carried(action: ActionBase, name: str, arguments: dict[str, t.Any], variables: dict[str, t.Any]) -> Answer:
    """The same over a connection that can pipe, without Ansible's wrapper on the node."""
    spec = import_module(f"{MODULES}.{name}").ARGUMENTS
    checked = ArgumentSpecValidator(spec).validate(arguments)
    shown = {n: HIDDEN if spec[n].get("no_log") else value for n, value in checked.validated_parameters.items()}
    called = {"invocation": {"module_args": shown}}
    if checked.error_messages:
        return _failed(called, "; ".join(checked.error_messages))
    delivery = deliver(action, name, checked.validated_parameters, variables)
    if delivery.answer is not None:
        return Answer({**_harmless(delivery.answer), **called}, None, None)
    if delivery.wrong is not None:
        return _failed(called, delivery.wrong)
    if delivery.begun:
        return _failed(called, f"it ended with status {delivery.status}: {delivery.said}", cut_off=True)
    python = "no Python 3.9 or newer was found" if delivery.status in (NO_PYTHON, TOO_OLD) else "it did not begin"
    message = f"{python} (status {delivery.status}: {delivery.said})"
    return _failed(called, _no_use(message) if delivery.status in (NO_PYTHON, TOO_OLD) else message)


def _failed(result: dict[str, t.Any], message: str, *, cut_off: bool = False) -> Answer:
    return Answer({**result, "failed": True, "changed": False, "msg": message}, None, _one_line(message), cut_off)


def _harmless(answer: dict[str, t.Any]) -> dict[str, t.Any]:
    """Without what Ansible would obey in a result: a node says what it is, and not what the controller does."""
    return {name: value for name, value in answer.items() if not name.startswith(OBEYED)}


def observe(
    action: ActionBase, profile: str, variables: dict[str, t.Any], subsets: t.Sequence[str] = ("all",)
) -> NodeEvidence:
    """The evidence of the task's host; a host that cannot be reached is evidence. Raises AnsibleActionFail.

    A hung thing is evidence at once; a probe that was never heard of is a starved node's, and gets a second look.
    """
    node = _seen(action, profile, variables, subsets)
    if node.unreachable is None and any(probe.problem for probe in node.probes):
        node = _seen(action, profile, variables, subsets)
    return node


def _seen(action: ActionBase, profile: str, variables: dict[str, t.Any], subsets: t.Sequence[str]) -> NodeEvidence:
    answer = ask(action, OBSERVE, {"profile": profile, "gather_subset": list(subsets)}, variables)
    if answer.unreachable:
        return unreachable_node(datetime.now(UTC), answer.unreachable)
    if answer.failed:
        raise AnsibleActionFail(answer.failed)
    return from_json(NodeEvidence, answer.result["evidence"])


class OnNode(ActionBase):
    """An action that is nothing but the module of the same name, run by :func:`ask`; it fails as a module does."""

    _supports_check_mode = True
    MODULE: t.ClassVar[str]
    PIPED: t.ClassVar[bool] = False  # there is a secret among its arguments

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """The module's result."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        return self.asked(self.given(variables), variables)

    def given(self, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """The module's arguments."""
        return t.cast("dict[str, t.Any]", self._task.args)

    def asked(self, arguments: dict[str, t.Any], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run the module with *arguments*."""
        return self.concluded(ask(self, self.MODULE, arguments, variables, piped=self.PIPED))

    def concluded(self, answer: Answer) -> dict[str, t.Any]:
        """The module's result, or why there is none."""
        if answer.unreachable:
            return {"unreachable": True, "msg": answer.unreachable}
        return {**answer.result, "msg": answer.failed} if answer.failed else answer.result


class Acting(OnNode):
    """An action that changes the node: being cut off in the middle is a result too, and never a success."""

    STEP: t.ClassVar[str] = ""
    started: datetime

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """The module's result; ``result: failed`` with the reason when the module did not end by itself.

        The lock, if there is one, is renewed meanwhile. Lost before, the step is refused; lost in the middle, the step
        goes on, since half of it would be worse, and ``lock_lost`` says so.
        """
        self.started = datetime.now(UTC)
        lock = None if self._task.check_mode else self._task.args.get("lock")
        variables = task_vars or {}
        with keeping(lock) as kept:
            before = kept.lost
            if before:
                return self._refused(f"the lock was lost: {before}")
            result = self.asked(self.given(variables), variables)
        return {**result, "lock_lost": kept.lost} if kept.lost else result

    @property
    def step(self) -> str:
        """The name of the step that it takes."""
        return self.STEP

    def given(self, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """The module's arguments, with whom the ledger is to name; the lock stays on the controller."""
        return {"holder": author(variables), **{n: value for n, value in self._task.args.items() if n != "lock"}}

    def concluded(self, answer: Answer) -> dict[str, t.Any]:
        """Bad input fails the task, since nothing was touched; whatever was cut off may have acted."""
        if answer.unreachable:
            return self._lost(f"the node was lost during {self.step}: {answer.unreachable}")
        if answer.cut_off:
            return self._lost(f"{self.step} was cut off on the node: {answer.failed}")
        if answer.failed:
            raise AnsibleActionFail(answer.failed)
        return answer.result

    def _refused(self, reason: str) -> dict[str, t.Any]:
        refused = {"changed": False, "result": "refused", "refusals": [reason], "detail": "", "lock_lost": reason}
        return {**refused, "action": {"step": self.step, "result": "refused"}}

    def _lost(self, reason: str) -> dict[str, t.Any]:
        action = {"step": self.step, "started": instant(self.started), "finished": instant(datetime.now(UTC))}
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


def _no_use(message: str) -> str:
    return f"no usable Python on the node ({message}): install python3 there, or set ansible_python_interpreter"


def _reason(result: dict[str, t.Any]) -> str:
    message = str(result.get("msg") or "the module failed")
    if _no_python(result):
        return _no_use(_one_line(message))
    detail = str(result.get("module_stderr") or "").strip().splitlines()
    return _one_line(f"{message}: {detail[-1]}" if detail else message)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:400]
