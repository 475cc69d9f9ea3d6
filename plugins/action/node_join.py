# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a machine a node of the cluster, with a token that nobody else sees and that soon is gone."""

from __future__ import annotations

import re
import time
import typing as t
from collections.abc import Iterable, Iterator

from ansible.errors import AnsibleActionFail

from ansible_collections.outward.kubelet.plugins.action.kubelet_csr import inventory
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import membership
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import ClusterEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.conclude import Look
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.entrance import opened
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Undecided, from_json
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.gate import Refusal, ask
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy, intentions
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import Mode
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registration import taints
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.signing import Station
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.steps import JOIN
from ansible_collections.outward.kubelet.plugins.module_utils._host.modules.node_join import (
    ARGUMENTS as OF_MODULE,
)
from ansible_collections.outward.kubelet.plugins.module_utils._host.renewal import MEMORY
from ansible_collections.outward.kubelet.plugins.module_utils._kube import bootstrap
from ansible_collections.outward.kubelet.plugins.module_utils._kube.bootstrap import Cluster, Token
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import Api, connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.cordon import read
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError, Silent
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import AUTH_SPEC, Access
from ansible_collections.outward.kubelet.plugins.module_utils._kube.registration import await_node, machines
from ansible_collections.outward.kubelet.plugins.module_utils._kube.renewal import (
    APPROVED,
    LEFT,
    Approver,
    answered,
    lent,
    swept,
)
from ansible_collections.outward.kubelet.plugins.module_utils._kube.signing import review
from ansible_collections.outward.kubelet.plugins.module_utils._parse import x509
from ansible_collections.outward.kubelet.plugins.plugin_utils._author import author
from ansible_collections.outward.kubelet.plugins.plugin_utils._cluster import evidence_now, evidence_of, waited
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import (
    Spec,
    arguments,
    for_module,
    login_address,
    node_name,
)
from ansible_collections.outward.kubelet.plugins.plugin_utils._policy import POLICY, reason, windows
from ansible_collections.outward.kubelet.plugins.plugin_utils._remote import Acting, observe

HANDED: t.Final = ("server", "authority", "token", "version", "address")  # what only this plugin gives to the machine
ARGUMENTS: t.Final[Spec] = {
    **AUTH_SPEC,
    **{name: spec for name, spec in OF_MODULE.items() if name not in HANDED},
    "state": {"type": "str", "choices": ["judged", "joined"], "default": "joined"},
    "addresses": {"type": "list", "elements": "str", "default": []},
    "ca_hash": {"type": "str", "default": ""},
    "cluster": {"type": "dict"},
    **{name: POLICY[name] for name in ("hands_off", "maintenance")},
}
# Seconds that a token lives beyond the time in which the machine has to join: it is looked at, and set up, before.
LOOKING: t.Final = 240
# A kubelet asks for its serving certificate within seconds of its first registration.
SERVING_SECONDS, PAUSE = 30.0, 1.0
# A kubelet that has its certificate registers its Node at once.
REGISTERED: t.Final = 30.0
Options = dict[str, t.Any]


class ActionModule(Acting):
    """The module of the same name on the machine, with what only the controller can do around it."""

    MODULE: t.ClassVar[str] = "outward.kubelet.node_join"
    STEP: t.ClassVar[str] = JOIN
    PIPED: t.ClassVar[bool] = True

    def given(self, variables: Options) -> Options:
        """Checked; the node's name is the host's unless it has another one."""
        options = arguments(self, ARGUMENTS)
        name = node_name(options, variables)
        host = login_address(self, variables)
        known = inventory(options["addresses"], host)
        try:
            repelling = list(taints(options["taints"]))
        except ValueError as error:
            raise AnsibleActionFail(f"taints: {error}") from error
        own = {"node_name": name, "holder": author(variables), "taints": repelling}
        return {**options, **own, "known": known, "address": address(options["addresses"], host)}

    def asked(self, arguments: Options, variables: Options) -> Options:
        """Look and judge, or join."""
        access = Access.of(arguments)
        try:
            with connect(access) as api:
                told, others = bootstrap.cluster(api), machines(api)
            pinned(told, arguments["ca_hash"])
            cluster = evidence_of(arguments, arguments["node_name"])
            if arguments["state"] == "judged":
                return self._judged(arguments, variables, told, cluster, others)
            return self._joined(arguments, variables, told, cluster)
        except (KubeError, Silent) as error:
            raise AnsibleActionFail(f"{arguments['node_name']}: the machine was not touched: {error}") from error

    def _judged(
        self, options: Options, variables: Options, told: Cluster, cluster: ClusterEvidence, others: dict[str, str]
    ) -> Options:
        """What node_lock takes; what an interrupted join has left on a node that has joined is removed."""
        node, cluster, reasons = self._settled(options, variables, cluster, authorities(told))
        refusals = membership.barred(node, cluster, others) if reasons else ()
        policy = Policy(
            hands_off=reason("hands_off", options["hands_off"]),
            maintenance=windows("maintenance", options["maintenance"]),
        )
        refusals += tuple(Refusal("hands-off", words) for words in (intentions(cluster, policy) if reasons else ()))
        refusals += tuple(refusal for refusal in reasons if refusal.doubt)
        mode: Mode = "check" if self._task.check_mode else "join"
        look = Look(str(variables["inventory_hostname"]), mode, self.started, node, cluster, cluster.name)
        found = opened(look, [each.words for each in reasons], refusals)
        tidied = {} if reasons or not leftover(node) else super().asked(tidying(options), variables)
        gone = [] if reasons or self._task.check_mode else swept(Access.of(options), cluster.name)
        return {"changed": bool(tidied.get("changed")), **found, "notes": [*tidied.get("notes", ()), *gone]}

    def _settled(
        self, options: Options, variables: Options, cluster: ClusterEvidence, known: tuple[str, ...]
    ) -> tuple[NodeEvidence, ClusterEvidence, tuple[Refusal, ...]]:
        """As :meth:`_standing`; once more of a node that has joined and is on its way: a run was killed after the join."""
        found = self._standing(options, variables, cluster, known)
        if found[2] or not waited(self._display, cluster.name, diagnose(*found[:2])):
            return found
        return self._standing(options, variables, evidence_now(options, cluster.name), known)

    def _standing(
        self, options: Options, variables: Options, cluster: ClusterEvidence, known: tuple[str, ...]
    ) -> tuple[NodeEvidence, ClusterEvidence, tuple[Refusal, ...]]:
        """The machine, the cluster, and why it has not joined; one that registers itself at this moment is waited for."""
        until = time.monotonic() + REGISTERED
        while True:
            node = observe(self, options["profile"], variables)
            if node.unreachable is not None:
                raise AnsibleActionFail(f"{options['node_name']} cannot be reached: {node.unreachable}")
            reasons = ask(cluster, (joined(node, known),))
            if not reasons or identityless(node, cluster.name, known) or time.monotonic() > until:
                return node, cluster, reasons
            time.sleep(PAUSE)
            cluster = evidence_now(options, cluster.name)

    def _joined(self, options: Options, variables: Options, told: Cluster, cluster: ClusterEvidence) -> Options:
        module = for_module(options, OF_MODULE)
        module |= {**vars(told), "version": str(cluster.api.version), "address": options["address"]}
        if self._task.check_mode:
            return super().asked(module, variables)
        problems: list[str] = []
        access, name = Access.of(options), options["node_name"]
        try:
            with lent(access, name, module["timeout"] + LOOKING, problems, joining=True) as token:
                result = self._with(token, module, variables, access)
        finally:
            for problem in problems:
                self._display.warning(problem)
        if result.get("result") == "done":
            problems += welcomed(access, name, options["known"], serving(result))
        return {**result, "notes": [*unanswered(result.get("notes", ()), problems), *problems]}

    def _with(self, token: Token, module: Options, variables: Options, access: Access) -> Options:
        """The machine joins and proves; its request is answered meanwhile."""
        station = Station(module["node_name"], token=token.id, since=token.made)
        with Approver(access, station) as approver:
            result = super().asked({**module, "token": token.bearer}, variables)
        return approver.added({**result, "notes": [*result.get("notes", ()), *result.get("set", ())]})


def unanswered(notes: Iterable[str], later: Iterable[str]) -> list[str]:
    """*notes* without those of a request that was left while the machine joined, and judged anew as soon as it had."""
    judged = {line.partition(" was ")[0] for line in later if APPROVED in line or LEFT in line}
    return [note for note in notes if LEFT not in note or note.partition(LEFT)[0] not in judged]


def joined(node: NodeEvidence, known: tuple[str, ...]) -> t.Callable[[ClusterEvidence], Iterator[str]]:
    """The rule, with the words that it cannot tell with."""

    def rule(cluster: ClusterEvidence) -> Iterator[str]:
        """it is a node of the cluster."""
        yield from membership.outside(node, cluster, known)

    return rule


def identityless(node: NodeEvidence, name: str, known: tuple[str, ...]) -> bool:
    """It has nothing that a Node could still come of by itself."""
    try:
        return any(membership.without_identity(node, name, known))
    except Undecided:
        return True


def leftover(node: NodeEvidence) -> bool:
    """The link to the token of an interrupted join; the token itself lies in memory, and is worth nothing."""
    try:
        target = node.certificates.bootstrap_kubeconfig.link_target
    except Undecided:
        return False
    return bool(target and target.startswith(MEMORY))


def tidying(options: Options) -> Options:
    """The module's arguments for it."""
    return {"state": "tidied", "profile": options["profile"]}


def authorities(told: Cluster) -> tuple[str, ...]:
    """SHA-256 of each of the cluster's CA certificates."""
    return membership.fingerprints(found.encoded for found in x509.certificates(told.authority))


def pinned(told: Cluster, ca_hash: str) -> None:
    """The CA is the one that a person has named, if one has; raises KubeError and AnsibleActionFail."""
    if ca_hash and not re.fullmatch(r"sha256:[0-9a-f]{64}", ca_hash):
        raise AnsibleActionFail("outward_ca_hash must be sha256: and 64 hexadecimal digits, as kubeadm prints it")
    found = [x509.pin(each) for each in x509.certificates(told.authority)]
    if ca_hash and ca_hash not in found:
        raise KubeError(
            f"the cluster's CA has the hash {', '.join(found)}, and outward_ca_hash is {ca_hash}: another cluster?"
        )


def address(given: list[str], host: str) -> str:
    """By which the kubelet is to be known: the inventory's first IP address; empty: it chooses."""
    return next((each for text in (*given, host) for each in inventory([], text.strip())), "")


def serving(result: Options) -> bool:
    """The kubelet asks for a serving certificate of the cluster."""
    try:
        return bool(from_json(NodeEvidence, result["evidence"]).kubelet.config.server_tls_bootstrap)
    except (Undecided, KeyError):
        return False


def welcomed(access: Access, name: str, known: frozenset[str], asks: bool) -> list[str]:
    """Wait until it has registered; a kubelet that *asks* for a serving certificate is answered. What there is to tell."""
    try:
        with connect(access) as api:
            if await_node(api, name) is None:
                return ["its kubelet has not registered a Node yet"]
            return served(api, name, known) if asks else []
    except (KubeError, Silent) as error:
        return [f"its request for a serving certificate could not be answered: {error}"]


def served(api: Api, name: str, known: frozenset[str]) -> list[str]:
    """Approve its request for one, when it is exactly the node's; what became of it. Raises KubeError and Silent."""
    until = time.monotonic() + SERVING_SECONDS
    told: list[str] = []
    while not told and time.monotonic() < until:
        time.sleep(PAUSE)
        found = review(api, Station(name, known, frozenset(read(api, name).addresses)), dry=False)
        told = answered((v.request.name for v in found.approved), {v.request.name: v.objections for v in found.left})
    return told or ["it has made no request for a serving certificate yet: ansible-playbook certificates-approve.yml"]
