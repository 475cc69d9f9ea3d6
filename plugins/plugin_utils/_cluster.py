# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The API's side of an action plugin: what a person must mend on the controller fails the task in one sentence."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import ClusterEvidence, Fleet, of_node
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import Diagnosis
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import JSON
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.settling import too_early
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.signs import no_node
from ansible_collections.outward.kubelet.plugins.module_utils._kube.access import lacking
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError, Silent
from ansible_collections.outward.kubelet.plugins.module_utils._kube.listing import list_cluster
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import Access
from ansible_collections.outward.kubelet.plugins.module_utils._kube.poll import look
from ansible_collections.outward.kubelet.plugins.module_utils._kube.rights import Role, complaint

# Seconds. A node that is starved, or that other runs look at first, is seen so much later than it was asked; meanwhile
# its kubelet may have been started, and a Lease from before would be held against it. The others take five or less.
APART: t.Final = 15.0


@contextmanager
def mended_by_a_person() -> Iterator[None]:
    try:
        yield
    except KubeError as error:
        raise AnsibleActionFail(str(error)) from error


def require_rights(options: dict[str, t.Any], role: Role) -> None:
    """Fail now, and name all that is missing; an API server that does not answer is evidence, and no error."""
    with mended_by_a_person(), connect(Access.of(options)) as api:
        try:
            missing = lacking(api, role)
        except Silent:
            return
        if missing:
            raise KubeError(complaint(api.peer.credentials, role, missing))


def listed(options: dict[str, t.Any], names: list[str]) -> JSON:
    """One listing of the cluster, with the Nodes called *names* in detail."""
    with mended_by_a_person():
        return list_cluster(Access.of(options), names)


def evidence_of(options: dict[str, t.Any], name: str) -> ClusterEvidence:
    """The API's side of one Node: out of the listing in ``options["cluster"]`` that the fleet shares, or asked for now."""
    return of_node(options["cluster"], name) if options["cluster"] else evidence_now(options, name)


def evidence_now(options: dict[str, t.Any], name: str) -> ClusterEvidence:
    """The API's side of one Node, asked for now."""
    return of_node(listed(options, [name]), name)


def both(
    observed: Callable[[], NodeEvidence], options: dict[str, t.Any], name: str
) -> tuple[NodeEvidence, ClusterEvidence]:
    """The node as *observed* now and the API's side of it, asked at the same time; a Node that there is not is an error."""
    begin = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        listing = pool.submit(evidence_of, options, name)
        node = observed()
        cluster = listing.result()
    if time.monotonic() - begin > APART:
        cluster = evidence_now(options, name)
    problem = no_node(node, cluster)
    if problem:
        raise AnsibleActionFail(problem)
    return node, cluster


def waited(display: Display, name: str, diagnosis: Diagnosis) -> bool:
    """Whether the look came too early to say anything; the time that the node needs is over then."""
    early = too_early(diagnosis)
    if early is None:
        return False
    display.display(f"{name}: {early.why}; looking again in {early.seconds:.0f} s")
    time.sleep(early.seconds)
    return True


def glance(options: dict[str, t.Any], name: str, fleet: Fleet) -> ClusterEvidence:
    """One Node now, in three small calls; *fleet* is what was listed before."""
    with mended_by_a_person(), connect(Access.of(options)) as api:
        return look(api, name, fleet)
