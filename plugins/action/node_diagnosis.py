# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Observe one node and its Node, and diagnose: one task, one round trip; an unreachable host is a result."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from datetime import UTC, datetime

from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import ClusterEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.conclude import Look, conclude
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import from_json, unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import Mode
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registry import Cause
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.starting import worth_trying
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import AUTH_SPEC
from ansible_collections.outward.kubelet.plugins.plugin_utils._cluster import both, waited
from ansible_collections.outward.kubelet.plugins.plugin_utils._explain import EXPLAIN, asked
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec, arguments, node_name
from ansible_collections.outward.kubelet.plugins.plugin_utils._policy import POLICY, policy
from ansible_collections.outward.kubelet.plugins.plugin_utils._remote import OBSERVE, ask, observe

ARGUMENTS: t.Final[Spec] = {
    **AUTH_SPEC,
    **POLICY,
    "node_name": {"type": "str"},
    "profile": {"type": "str", "choices": ["auto", "kubeadm", "k3s"], "default": "auto"},
    "mode": {"type": "str", "choices": ["diagnose", "recover"], "default": "diagnose"},
    "cluster": {"type": "dict"},
    "try_sandbox": {"type": "bool", "default": True},
    "explain": EXPLAIN,
}


class ActionModule(ActionBase):
    """Runs on the controller; its only connection to the node is one run of node_facts."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return ``incident`` (the report so far), ``permitted`` (step -> its cause) and ``fingerprint``."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        options = arguments(self, ARGUMENTS)
        causes, allowed = asked(options["explain"]), policy(options)
        host = str(variables["inventory_hostname"])
        name = node_name(options, variables)
        started = datetime.now(UTC)
        node, cluster = self._settled(options, name, variables)
        node = self._tried(options, variables, node, cluster)
        mode: Mode = "check" if self._task.check_mode and options["mode"] == "recover" else options["mode"]
        look = Look(host, mode, started, node, cluster, cluster.name)
        return {"changed": False, **conclude(look, allowed, causes)}

    def _settled(
        self, options: dict[str, t.Any], name: str, variables: dict[str, t.Any]
    ) -> tuple[NodeEvidence, ClusterEvidence]:
        """The node and the cluster; once more when the first look came too early to say anything."""
        node, cluster = self._both(options, name, variables)
        if not waited(self._display, name, diagnose(node, cluster)):
            return node, cluster
        return self._both({**options, "cluster": None}, name, variables)

    def _both(
        self, options: dict[str, t.Any], name: str, variables: dict[str, t.Any]
    ) -> tuple[NodeEvidence, ClusterEvidence]:
        return both(lambda: observe(self, options["profile"], variables), options, name)

    def _tried(
        self, options: dict[str, t.Any], variables: dict[str, t.Any], node: NodeEvidence, cluster: ClusterEvidence
    ) -> NodeEvidence:
        """A second, targeted question, when only making a Pod sandbox can decide between causes. Not in check mode."""
        if self._task.check_mode or not options["try_sandbox"]:
            return node
        if not worth_trying(_roots(node, cluster), node, cluster):
            return node
        answer = ask(self, OBSERVE, {"profile": options["profile"], "gather_subset": ["sandbox"]}, variables)
        reason = answer.unreachable or answer.failed
        trial = unknown(f"making a Pod sandbox: {reason}")
        if not reason:
            trial = vars(from_json(NodeEvidence, answer.result["evidence"]))["sandbox"]
        return NodeEvidence(**{**vars(node), "sandbox": trial})


def _roots(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[Cause]:
    """Diagnosed when the first one is asked for."""
    for finding in diagnose(node, cluster).roots:
        yield finding.cause
