# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Chains as `nft list` and `iptables-save` print them, and what they surely do; what they may do is not said."""

from __future__ import annotations

import re
import typing as t

KUBELET_PORT: t.Final = 10250
# Chains that never accept a Pod's packet for good: Kubernetes' own (what they accept is marked) and Docker's.
_ACCEPT_NOTHING: t.Final = re.compile(r"(?:KUBE-|DOCKER)[A-Za-z0-9-]{0,40}")
_ACCEPTS: t.Final = re.compile(r"(?:\baccept|-j ACCEPT)\b")
_JUMP: t.Final = re.compile(r"(?:\b(?:jump|goto)|-[jg]) (?!ACCEPT|DROP|REJECT|RETURN|LOG\b)([\w.-]{1,64})")
_DROPS: t.Final = re.compile(
    r"(?:\b(?:drop|reject(?: with [a-z0-9 -]{1,40})?)|-j (?:DROP|REJECT(?: --reject-with [a-z0-9-]{1,40})?))$"
)
# What narrows a rule down to other packets than a Pod's new ones, or than a stranger's to the kubelet's port.
_NOT_PODS: t.Final = re.compile(r"docker|br-[0-9a-f]{12}|established|iif(?:name)? \"?lo\"?|-i lo\b")
_NOT_STRANGERS: t.Final = re.compile(r"established|iif(?:name)? \"?lo\"?(?: |$)|(?<!! )-i lo\b|icmp|igmp|\budp\b")
_NARROW: t.Final = re.compile(
    r"saddr|daddr|ct state|limit|iif(?:name)? (?!!= \"?lo)|-[sd] |ctstate|(?<!! )-i |-m (?!tcp|comment|multiport)"
)
_PORTS: t.Final = re.compile(r"\bdports? (?:\{ ?([0-9, -]{1,2000}?) ?\}|([0-9,:-]{1,400}))")
# In iptables-save: what stands in a chain of Kubernetes, or leads to one.
_OF_SERVICES: t.Final = re.compile(r"^-A (?:KUBE-|.{1,2000} -[jg] KUBE-)")


class Chain(t.NamedTuple):
    """A chain that hangs on a hook of its own."""

    family: str
    table: str
    name: str
    hook: str  # input, forward, ...
    policy: str  # accept, drop
    rules: tuple[str, ...]

    @property
    def where(self) -> str:
        """What it is called in evidence."""
        return f"{self.family} {self.table} {self.name}"


def nft(text: str) -> tuple[list[Chain], tuple[str, ...]]:
    """(filter chains with a hook, names of all chains) of `nft list chains`, or of chains with their rules."""
    found: list[Chain] = []
    every: list[str] = []
    table = name = ""
    for line in (raw.strip() for raw in text.splitlines()):
        words = line.split()
        if words[:1] == ["table"] and len(words) >= 3:
            table = f"{words[1]} {words[2]}"
        elif words[:1] == ["chain"] and len(words) >= 2:
            name = words[1]
            every.append(name)
        elif line.startswith("type filter hook "):
            policy = re.search(r"policy (accept|drop);", line)
            family, dummy, table_name = table.partition(" ")
            found.append(Chain(family, table_name, name, words[3], policy.group(1) if policy else "accept", ()))
        elif found and found[-1].name == name and line not in ("", "}"):
            found[-1] = found[-1]._replace(rules=(*found[-1].rules, line))
    return found, tuple(every)


def legacy(text: str) -> tuple[list[Chain], tuple[str, ...]]:
    """The same of `iptables-legacy-save`."""
    found: dict[str, Chain] = {}
    every: list[str] = []
    table = ""
    for line in text.splitlines():
        words = line.split()
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith(":") and len(words) >= 2:
            every.append(words[0][1:])
            if table == "filter" and words[1] in ("ACCEPT", "DROP"):
                name = words[0][1:]
                found[name] = Chain("legacy", table, name, name.lower(), words[1].lower(), ())
        elif words[:1] == ["-A"] and table == "filter" and words[1] in found:
            chain = found[words[1]]
            found[words[1]] = chain._replace(rules=(*chain.rules, " ".join(words[2:])))
    return list(found.values()), tuple(every)


def forward_drop(chains: t.Iterable[Chain]) -> tuple[str, ...]:
    """Chains that drop what is forwarded; one with a rule that may accept Pods' packets is not among them."""
    return tuple(
        f"{chain.where} (policy drop)"
        for chain in chains
        if chain.hook == "forward" and chain.policy == "drop" and not any(map(_lets_pods, chain.rules))
    )


def port_drop(chains: t.Iterable[Chain]) -> tuple[str, ...]:
    """Rules that drop the kubelet's port from anywhere, and chains that drop all but what is not that port."""
    found: list[str] = []
    for chain in chains:
        if chain.hook != "input":
            continue
        before = False
        for rule in chain.rules:
            before = before or _lets_strangers(rule)
            if not before and _DROPS.search(rule) and not _NARROW.search(rule) and _names_port(rule):
                found.append(f"{chain.where}: {rule[:160]}")
        if chain.policy == "drop" and not before:
            found.append(f"{chain.where} (policy drop)")
    return tuple(found)


def _lets_pods(rule: str) -> bool:
    jump = _JUMP.search(rule)
    accepts = _ACCEPTS.search(rule) or (jump and not _ACCEPT_NOTHING.fullmatch(jump.group(1)))
    return bool(accepts) and not _NOT_PODS.search(rule)


def _lets_strangers(rule: str) -> bool:
    """A rule that may accept a new connection from elsewhere to the port; a jump to who knows where may."""
    jump = _JUMP.search(rule)
    if jump:
        return not _ACCEPT_NOTHING.fullmatch(jump.group(1))
    if not _ACCEPTS.search(rule) or _NOT_STRANGERS.search(rule):
        return False
    return not _PORTS.search(rule) or _names_port(rule)


def _names_port(rule: str) -> bool:
    match = _PORTS.search(rule)
    if not match:
        return False
    for part in (match.group(1) or match.group(2)).split(","):
        first, dummy, last = part.strip().replace(":", "-").partition("-")
        if first.isdigit() and int(first) <= KUBELET_PORT <= int(last if last.isdigit() else first):
            return True
    return False


def without_services(text: str) -> tuple[str, str]:
    """What removes Kubernetes' chains from the `iptables-save` *text*, and what brings them back, for --noflush; empty: none.

    Rules of others stay in their order; what jumps to these chains comes back behind them.
    """
    away: list[str] = []
    back: list[str] = []
    for table in re.findall(r"^\*\w{1,40}\n(?:[^*].*\n)*", text, re.MULTILINE):
        name, *lines = table.splitlines()
        chains = [line.split()[0] for line in lines if line.startswith(":KUBE-")]
        if chains:
            heads = [name, *(f"{chain} - [0:0]" for chain in chains)]
            rules = [line for line in lines if _OF_SERVICES.search(line)]
            jumps = [f"-D{rule[2:]}" for rule in rules if not rule.startswith("-A KUBE-")]
            away += [*heads, *jumps, *(f"-X {chain[1:]}" for chain in chains), "COMMIT"]
            back += [*heads, *rules, "COMMIT"]
    return "".join(f"{line}\n" for line in away), "".join(f"{line}\n" for line in back)
