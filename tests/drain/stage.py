# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The node under test: its Pods brought about, watched, and taken away again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import typing as t
from collections.abc import Collection, Iterator

from tests.lab import _process
from tests.lab._kubectl import Object
from tests.lab._lab import Lab
from tests.lab._model import LabError
from tests.lab._settled import condition
from tests.lab._shell import wait_for

from .cases import BUDGET, NAMESPACE, TAINT, Case
from .verdict import evicted

OURS: t.Final = ("cordoned-by", "cordoned-at", "cordoned-because")
RUNNING: t.Final = 900.0  # seconds for sixty Pods on an emulated node
STATE_SECONDS: t.Final = 180.0


class Stage:
    """One node of the lab, and the namespace that is ours."""

    def __init__(self, lab: Lab, host: str) -> None:
        self.kubectl = lab.kubectl
        self.host = host
        self._lab = lab

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Nobody else's Pods come to the node meanwhile; afterwards it is as it was."""
        self._taint("NoSchedule")
        self._leave()
        wait_for("the namespace of an earlier run is gone", lambda: not self._there(), STATE_SECONDS, pause=2)
        self.kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}])
        wait_for("a service account", lambda: self.kubectl.exists("serviceaccount/default", NAMESPACE), 60)
        try:
            yield
        finally:
            self.clear()
            self._taint("-")
            self._leave()

    @contextlib.contextmanager
    def set(self, case: Case) -> Iterator[set[str]]:
        """The case's Pods run, and what else it says is so; the Pods' UIDs."""
        self.clear()
        self.kubectl.apply(case.objects(self.host))
        try:
            wait_for(f"{case.pods} Pods run", lambda: len(self._ready()) >= case.pods, RUNNING, pause=2)
            uids = {pod["metadata"]["uid"] for pod in self.pods()}
            if case.deleted:
                self.kubectl("delete", "pods", "--all", "-n", NAMESPACE, "--wait=false")
            if case.dead:
                self._signal(signal.SIGSTOP)
                wait_for("Ready is Unknown", lambda: condition(self.node(), "Ready") == "Unknown", STATE_SECONDS)
            yield uids
        finally:
            self.clear()

    def pods(self) -> list[Object]:
        """Ours that are on the node."""
        items = json.loads(self.kubectl("get", "pods", "-n", NAMESPACE, "-o", "json"))["items"]
        return [pod for pod in items if pod["spec"].get("nodeName") == self.host]

    def node(self) -> Object:
        """The Node."""
        return t.cast(Object, json.loads(self.kubectl("get", "node", self.host, "-o", "json")))

    @contextlib.contextmanager
    def meanwhile(self, case: Case, uids: Collection[str]) -> Iterator[dict[str, bool]]:
        """What happens during the drain, and what is only to be seen then of the Pods with these *uids*."""
        notes: dict[str, bool] = {}
        end = threading.Event()
        work = threading.Thread(target=self._watch, args=(case, uids, notes, end))
        work.start()
        try:
            yield notes
        finally:
            end.set()
            work.join()

    def _watch(self, case: Case, uids: Collection[str], notes: dict[str, bool], end: threading.Event) -> None:
        if case.opens_after is not None and not end.wait(case.opens_after):
            patch = json.dumps({"spec": {"minAvailable": 0}})
            self.kubectl("patch", "pdb", BUDGET, "-n", NAMESPACE, "--type=merge", "-p", patch)
        if case.deleted:
            notes["evicted_again"] = False
        while case.deleted and not end.wait(2):
            with contextlib.suppress(LabError):
                notes["evicted_again"] |= evicted([pod for pod in self.pods() if pod["metadata"]["uid"] in uids])

    def clear(self) -> None:
        """Nothing of ours runs, and the node works and is not cordoned."""
        self._signal(signal.SIGCONT)
        for kinds in ("deployments,statefulsets,pdb", "pods"):
            force = ["--force", "--grace-period=0"] if kinds == "pods" else []
            self.kubectl("delete", kinds, "--all", "-n", NAMESPACE, "--wait=false", *force, check=False)
        notes = {f"outward.kubelet/{name}": None for name in OURS}
        patch = {"metadata": {"annotations": notes}, "spec": {"unschedulable": None}}
        self.kubectl("patch", "node", self.host, "--type=merge", "-p", json.dumps(patch))
        wait_for("the node works", lambda: condition(self.node(), "Ready") == "True", STATE_SECONDS, pause=2)
        wait_for("no Pod of ours is left", lambda: not self.pods(), STATE_SECONDS, pause=2)

    def _there(self) -> bool:
        return self.kubectl.exists(f"namespace/{NAMESPACE}", NAMESPACE)

    def _leave(self) -> None:
        self.kubectl("delete", "namespace", NAMESPACE, "--wait=false", "--ignore-not-found")

    def _ready(self) -> list[Object]:
        return [pod for pod in self.pods() if condition(pod, "Ready") == "True"]

    def _taint(self, effect: str) -> None:
        taint = f"{TAINT}-" if effect == "-" else f"{TAINT}=:{effect}"
        self.kubectl("taint", "nodes", self.host, taint, "--overwrite", check=effect != "-")

    def _signal(self, number: signal.Signals) -> None:
        """To the machine, which is a process of the lab."""
        os.kill(_process.table(self._lab.paths)[self.host].pid, number)
