# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a Pod's end would cost, as far as other objects say so: budgets, volumes, its owner's other Pods. Pure.

Kept of a fleet is one number for each owner, the selector of each budget and the name of each local claim.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .._diagnosis.cluster import Budget, Pod
from .._diagnosis.evidence import amended, unknown
from .convert import Object
from .refusal import Question

BUDGETS: t.Final = Question("list", "poddisruptionbudgets.policy", "/apis/policy/v1/poddisruptionbudgets")
VOLUMES: t.Final = Question("list", "persistentvolumes", "/api/v1/persistentvolumes")


@dataclass(frozen=True)
class _Rule:
    """One budget, and whom it covers."""

    budget: Budget
    selector: Mapping[str, t.Any] | None


class Cost:
    """Fed with whole lists: budgets and volumes before the Pods, then every Pod, then asked about some of them."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []
        self._local: set[tuple[str, str]] = set()
        self._ready: Counter[tuple[str, str]] = Counter()
        self._no_volumes: str | None = None

    def add_budgets(self, page: Iterable[Object]) -> None:
        """PodDisruptionBudgets."""
        self._rules += [_Rule(_budget(item), (item.get("spec") or {}).get("selector")) for item in page]

    def add_volumes(self, page: Iterable[Object]) -> None:
        """PersistentVolumes."""
        for item in page:
            claim = item["spec"].get("claimRef")
            if claim and ("local" in item["spec"] or "hostPath" in item["spec"]):
                self._local.add((claim["namespace"], claim["name"]))

    def no_volumes(self, reason: str) -> None:
        """The PersistentVolumes could not be listed: nobody knows where a claim's data lies."""
        self._no_volumes = reason

    def count(self, pod: Pod) -> None:
        """Any Pod of the fleet."""
        if pod.owner and pod.ready and not pod.deleting:
            self._ready[pod.namespace, pod.owner] += 1

    def place(self, item: Object, pod: Pod) -> Pod:
        """*pod*, made from *item*, with its storage and budgets."""
        covered = tuple(rule.budget.name for rule in self._rules if _covers(rule, item["metadata"]))
        return amended(pod, storage=self._storage(item), budgets=covered)

    def complete(self, pod: Pod) -> Pod:
        """*pod* with its siblings; asked when all Pods were counted."""
        itself = bool(pod.owner) and pod.ready and not pod.deleting
        return amended(pod, siblings=self._ready[pod.namespace, pod.owner] - itself)

    def budgets(self, pods: Iterable[Pod]) -> tuple[Budget, ...]:
        """Those that cover one of *pods*."""
        names = {(pod.namespace, name) for pod in pods for name in vars(pod)["budgets"]}
        return tuple(rule.budget for rule in self._rules if (rule.budget.namespace, rule.budget.name) in names)

    def _storage(self, item: Object) -> t.Any:
        volumes = item["spec"].get("volumes") or ()
        kinds = {kind for volume in volumes for kind in ("emptyDir", "hostPath") if kind in volume}
        claims = {(item["metadata"]["namespace"], _claim(item, volume)) for volume in volumes} - {
            (item["metadata"]["namespace"], "")
        }
        if claims and self._no_volumes:
            return unknown(self._no_volumes)
        return tuple(sorted(kinds | ({"local"} if claims & self._local else set())))


def _claim(item: Object, volume: Object) -> str:
    """The PersistentVolumeClaim of a volume; an ephemeral one is called after Pod and volume (KEP-1698)."""
    if "ephemeral" in volume:
        return f"{item['metadata']['name']}-{volume['name']}"
    return str((volume.get("persistentVolumeClaim") or {}).get("claimName", ""))


def _budget(item: Object) -> Budget:
    metadata, status = item["metadata"], item.get("status") or {}
    return Budget(
        namespace=metadata["namespace"],
        name=metadata["name"],
        allowed=int(status.get("disruptionsAllowed") or 0),
        healthy=int(status.get("currentHealthy") or 0),
        desired=int(status.get("desiredHealthy") or 0),
        frees_unready=(item.get("spec") or {}).get("unhealthyPodEvictionPolicy") == "AlwaysAllow",
    )


def _covers(rule: _Rule, metadata: Object) -> bool:
    """As the API server decides (policy/v1): an empty selector covers the whole namespace, and none covers nothing."""
    if rule.selector is None or rule.budget.namespace != metadata["namespace"]:
        return False
    return matches(rule.selector, metadata.get("labels") or {})


def matches(selector: Mapping[str, t.Any], labels: Mapping[str, str]) -> bool:
    """A LabelSelector (apimachinery meta/v1): all its terms must hold; an operator that we do not know holds for nothing."""
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(term, labels) for term in selector.get("matchExpressions") or ())


def _holds(term: Object, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(term["key"]), term.get("values") or ()
    answers = {
        "In": value is not None and value in values,
        "NotIn": value is None or value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    return answers.get(term["operator"], False)
