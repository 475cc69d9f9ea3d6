# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A test's callback: strike ansible-playbook at one moment of one task, as OUTWARD_CHAOS says (see tests.chaos.points).

``{"task": NAME, "moment": "after"}`` or ``"during"`` with ``"seconds"``. ``"command"``: run it and go on; without one we are
killed, with ``"all"`` together with every process that we have started.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import typing as t
from pathlib import Path

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: outward_chaos
type: notification
short_description: Strike a run of the tests at one moment
description: Only for tests/chaos.
"""
LONGEST: t.Final = 120


class CallbackModule(CallbackBase):
    """Told of everything; waits for one task."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "outward_chaos"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._strike = json.loads(os.environ["OUTWARD_CHAOS"])
        self._struck = False

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        """In the middle of a task is some seconds after its start."""
        if self._strike["moment"] == "during" and task.get_name() == self._strike["task"]:
            timer = threading.Timer(self._strike["seconds"], self._now)
            timer.daemon = True
            timer.start()

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """A task has ended on the host."""
        self._ended(result)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        """So has one that had nothing to do."""
        self._ended(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """And one that failed."""
        self._ended(result)

    def _ended(self, result: t.Any) -> None:
        task = getattr(result, "task", None) or result._task
        if self._strike["moment"] == "after" and task.get_name() == self._strike["task"]:
            self._now()

    def _now(self) -> None:
        if self._struck:
            return
        self._struck = True
        Path(self._strike["mark"]).touch()
        if self._strike.get("command"):
            subprocess.run(
                self._strike["command"],
                cwd=self._strike["root"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=LONGEST,
                check=False,
            )
            return
        if self._strike.get("all"):
            for process in descendants(os.getpid()):
                kill(process)
        os.kill(os.getpid(), signal.SIGKILL)


def descendants(process: int) -> list[int]:
    """Every process that *process* has started, and theirs."""
    found: list[int] = []
    for thread in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = [int(word) for word in thread.read_text().split()]
        except OSError:  # it has ended meanwhile
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def kill(process: int) -> None:
    """Unless it has ended by itself."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return
