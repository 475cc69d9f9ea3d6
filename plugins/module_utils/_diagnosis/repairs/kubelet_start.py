# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Repairs of what the kubelet is started with: its flags, its configuration, the name and the address of its host."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator

from ..change import Change, Hostname, KubeletConfig, Leftover, Lines, Resolver
from ..node import NodeEvidence, Setting
from ..repair import LOOPING, Repair, entered
from ..signs import flag, kubelet_answers, said, size
from ..thresholds import EVICTION_HARD, threshold
from .disk import inode_spaces, spaces

USER: t.Final = "system:node:"
# Flags that releases removed and that did nothing any more before (kubelet's changelogs 1.24 to 1.35): without one of
# them the kubelet does what it did with it. --register-schedulable and --cloud-config are not among them: they did something.
REMOVED: t.Final = frozenset(
    {
        "--network-plugin",
        "--cni-conf-dir",
        "--cni-bin-dir",
        "--container-runtime",
        "--master-service-namespace",
        "--keep-terminated-pod-volumes",
        "--iptables-masquerade-bit",
        "--iptables-drop-bit",
        "--pod-infra-container-image",
    }
)
GATE: t.Final = r"(?:unrecognized feature gate:|cannot set feature gate) ([A-Za-z][A-Za-z0-9]{1,100})"
ENDPOINT, ADDRESS = "--container-runtime-endpoint", "--node-ip"


def without(setting: Setting) -> Lines:
    """The file of a flag without it; what belongs to it stands behind a = (systemd.syntax(7): words may be quoted)."""
    name = re.escape(setting.flag.partition("=")[0])
    return Lines(setting.file, rf"(^|[\s\"'=]){name}(?:=[^\s\"']*)?(?=[\s\"']|$)", r"\1", needed=True)


def in_a_unit(node: NodeEvidence, settings: t.Iterable[Setting]) -> Iterator[str]:
    """A unit file is the package's or somebody's work; kubeadm and people keep flags in files of their own."""
    for setting in settings:
        if setting.file not in node.profile.flag_files:
            yield f"{setting.flag} stands in {setting.file}, which is no file of flags: a person has to take it out"


def meant_something(node: NodeEvidence) -> Iterator[str]:
    """What a flag was for that we know nothing of, a person has to say."""
    for setting in node.kubelet.config.unknown_flags:
        if setting.flag.partition("=")[0] not in REMOVED:
            yield f"{setting.flag} is none of the flags that did nothing when they were removed: see what it was for"
    yield from in_a_unit(node, node.kubelet.config.unknown_flags)


FLAGS: t.Final = entered(
    Repair(
        step="remove-old-flags",
        words="takes flags out of the kubelet's files of flags that its release does not know, and that did nothing any more "
        "when they were removed; systemd starts the kubelet again",
        asks=LOOPING | {"kubelet-binary", "kubelet-files", "kubelet-journal"},
        changes=lambda node: tuple(without(setting) for setting in node.kubelet.config.unknown_flags),
        refuse=meant_something,
        shows=kubelet_answers,
    )
)


def gates(node: NodeEvidence) -> tuple[Change, ...]:
    """The gate that the kubelet named, as a line of its own or in a flow mapping."""
    found = said(node.kubelet.journal, GATE, several_turns=True)
    if not found:
        return ()
    name = rf"[\"']?{re.escape(found[1].group(1))}[\"']?\s*:\s*[\"']?(?:true|false)[\"']?"
    pattern = rf"^\s+{name}\s*$|(?<=[{{,\s]){name}\s*,?\s*(?=[^\n]*\}})"
    return (Lines(node.kubelet.config.file.path, pattern, "", needed=True),)


FEATURE_GATE: t.Final = entered(
    Repair(
        step="remove-feature-gate",
        words="takes the feature gate that this release does not know out of the kubelet's configuration; systemd starts the "
        "kubelet again",
        asks=LOOPING | {"kubelet-files", "kubelet-journal"},
        changes=gates,
        shows=kubelet_answers,
    )
)


def endpoint(node: NodeEvidence) -> tuple[Change, ...]:
    """The socket that answers, where the wrong one stands; a flag wins over the file."""
    right, given = f"unix://{node.profile.cri_socket}", flag(node, ENDPOINT)
    if given:
        return (Lines(given[1], rf"{ENDPOINT}=[^\s\"']+", f"{ENDPOINT}={right}", needed=True),)
    path = node.kubelet.config.file.path
    return (Lines(path, r"^containerRuntimeEndpoint\s*:.*$", f"containerRuntimeEndpoint: {right}", needed=True),)


RUNTIME_ENDPOINT: t.Final = entered(
    Repair(
        step="set-runtime-endpoint",
        words="configures the kubelet for the runtime's socket that answers; systemd starts the kubelet again",
        asks=LOOPING | {"cri", "kubelet-files"},
        changes=endpoint,
        refuse=lambda node: in_a_unit(node, _given(node, ENDPOINT)),
        shows=kubelet_answers,
    )
)


def _given(node: NodeEvidence, name: str) -> list[Setting]:
    return [setting for setting in node.kubelet.config.flags if setting.flag.startswith(f"{name}=")]


def wrong_address(node: NodeEvidence) -> Iterator[str]:
    """What the node alone can tell now; the kubelet's own lines stay in its journal until it is restarted."""
    for setting in _given(node, ADDRESS)[-1:]:
        value = setting.flag.partition("=")[2]
        if not _here(node, value):
            yield f"{ADDRESS}={value} stands in {setting.file}, and the host does not have it"


def _here(node: NodeEvidence, value: str) -> bool:
    return all(address in node.identity.addresses for address in value.split(","))


def no_other_address(node: NodeEvidence) -> Iterator[str]:
    """Which of its addresses a node is to be known by is a choice; one that was made in another file is kept."""
    given = _given(node, ADDRESS)
    if not any(_here(node, setting.flag.partition("=")[2]) for setting in given[:-1]):
        yield f"no other {ADDRESS} is given: which of {', '.join(node.identity.addresses)} is the node's, a person has to say"
    yield from in_a_unit(node, given[-1:])


NODE_ADDRESS: t.Final = entered(
    Repair(
        step="remove-node-ip",
        words="takes out a --node-ip that the host does not have, where another one is given that it has",
        asks=frozenset({"kubelet-files", "kubelet-journal"}),
        changes=lambda node: tuple(without(setting) for setting in _given(node, ADDRESS)[-1:]),
        refuse=no_other_address,
        sign=wrong_address,
        restart=True,
    )
)


def renamed(node: NodeEvidence) -> Iterator[str]:
    """The half of the cause's rule that the node alone can tell."""
    name = _certified(node)
    if name and node.identity.hostname.strip().lower() != name:
        yield f"the host is called {node.identity.hostname}, and its kubelet's certificate is for {name}"


def _certified(node: NodeEvidence) -> str:
    client = node.certificates.client
    return client.common_name[len(USER) :] if client and client.common_name.startswith(USER) else ""


def overridden(node: NodeEvidence) -> Iterator[str]:
    """Then it is not the host's name that counts."""
    given = flag(node, "--hostname-override")
    if given:
        yield f"--hostname-override={given[0]} stands in {given[1]}: mend it there"


HOSTNAME: t.Final = entered(
    Repair(
        step="restore-hostname",
        words="gives the host the name back that its kubelet's certificate is for; a rename that was meant needs drain, reset and join",
        asks=frozenset({"certificates", "kubelet-files"}),
        changes=lambda node: (Hostname(_certified(node)),),
        refuse=overridden,
        sign=renamed,
        restart=True,
    )
)


def resolver_missing(node: NodeEvidence) -> Iterator[str]:
    """What the node alone can tell now; what the kubelet said stays in its journal."""
    file = node.kubelet.config.resolv_conf
    if file is not None and not file.exists:
        yield f"resolvConf is {file.path}, which does not exist"


RESOLVER: t.Final = entered(
    Repair(
        step="set-resolv-conf",
        words="sets resolvConf of the kubelet to the resolv.conf that is there and names no server on a loopback address",
        asks=frozenset({"kubelet-files"}),
        changes=lambda node: (Resolver(node.kubelet.config.file.path),),
        sign=resolver_missing,
        restart=True,
    )
)


# Of the kubelet's API (--port); the kubelet exits when it cannot listen there.
PORT: t.Final = 10250

LEFTOVER: t.Final = entered(
    Repair(
        step="end-leftover-kubelet",
        words="ends a kubelet that holds the port and that no unit of systemd started, as one that was tried out by hand; any other "
        "process is named and left alone",
        asks=LOOPING | {"kubelet-files", "kubelet-journal"},
        changes=lambda node: (Leftover(PORT, node.profile.unit, node.kubelet.binary.path),),
        shows=kubelet_answers,
    )
)


def cannot_be_had(node: NodeEvidence) -> Iterator[str]:
    """kubeadm reads the cluster's configuration with the kubelet's own credentials, and writes one place only."""
    if node.profile.name != "kubeadm":
        yield f"the profile is {node.profile.name}: kubeadm did not make this node"
    if node.kubelet.config.file.path != node.profile.config:
        yield f"the kubelet reads {node.kubelet.config.file.path}, and kubeadm writes {node.profile.config}"
    if node.network.api.outcome != "ok":
        yield f"the cluster's configuration cannot be read: {node.network.api.server}: {node.network.api.outcome}"


CONFIG: t.Final = entered(
    Repair(
        step="rebuild-kubelet-config",
        words="lets kubeadm make the kubelet's configuration anew, of the cluster's kubelet-config and this node's patches (kubeadm "
        "upgrade node phase kubelet-config); what somebody changed on this node alone stays in our backup",
        asks=LOOPING | {"api", "kubelet-files", "kubelet-journal"},
        changes=lambda node: (KubeletConfig(node.kubelet.config.file.path),),
        refuse=cannot_be_had,
        shows=kubelet_answers,
    )
)


def watched_again(node: NodeEvidence) -> tuple[Change, ...]:
    """Space first: a kubelet that is told of a threshold which is crossed already evicts Pods at once."""
    limits = {**EVICTION_HARD, **node.kubelet.config.eviction_hard}
    return (*spaces(node, limits), *inode_spaces(node, limits), *CONFIG.changes(node))


def would_evict(node: NodeEvidence) -> Iterator[str]:
    """As above: memory is nothing that we could give back."""
    limit = threshold(EVICTION_HARD["memory.available"], node.pressure.memory_capacity)
    if "memory.available" not in node.kubelet.config.eviction_hard and node.pressure.memory_available < 2 * limit:
        yield f"{size(node.pressure.memory_available)} of memory are available: the kubelet would evict Pods at once; end something first"
    yield from CONFIG.refuse(node)


THRESHOLDS: t.Final = entered(
    Repair(
        step="restore-eviction-thresholds",
        words="gives disk space and inodes back as for a kubelet that watches them, and lets kubeadm make the kubelet's configuration "
        "anew, of the cluster's kubelet-config and this node's patches; refuses when Pods would be evicted at once",
        asks=frozenset({"api", "kubelet-files", "pressure"}),
        changes=watched_again,
        refuse=would_evict,
        shows=CONFIG.shows,
        restart=True,
    )
)
