# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Approve the certificate requests that are exactly one node's; leave and name all others."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.signing import Request, Station, concerns
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.cordon import read
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError, Silent
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import AUTH_SPEC, Access
from ansible_collections.outward.kubelet.plugins.module_utils._kube.signing import Review, named, review
from ansible_collections.outward.kubelet.plugins.module_utils._parse.pkcs10 import is_address, normal
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec, arguments, login_address, node_name

ARGUMENTS: t.Final[Spec] = {
    **AUTH_SPEC,
    "node_name": {"type": "str"},
    "addresses": {"type": "list", "elements": "str", "default": []},
}


class ActionModule(ActionBase):
    """Runs on the controller only."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return ``approved``, ``left`` and ``others``: each pending request, and why it was left."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        options = arguments(self, ARGUMENTS)
        name = node_name(options, variables)
        host = login_address(self, variables)
        try:
            with connect(Access.of(options)) as api:
                reported = frozenset(_form(address) for address in read(api, name).addresses)
                station = Station(name, inventory(options["addresses"], host), reported)
                found = review(api, station, dry=self._task.check_mode)
        except (KubeError, Silent) as error:
            raise AnsibleActionFail(f"{name}: {error}") from error
        others = strangers(found.others, variables)
        self._display.display("\n".join([*told(name, found), *others]))
        result = {"approved": named(found.approved), "left": named(found.left), "others": others}
        return {"changed": bool(found.approved), **result}


def strangers(requests: t.Iterable[Request], variables: t.Mapping[str, t.Any]) -> list[str]:
    """One line for each request that is no host's of this play; the first host of a play tells them."""
    hosts = variables.get("ansible_play_hosts_all") or [variables["inventory_hostname"]]
    if variables["inventory_hostname"] != hosts[0]:
        return []
    every = variables.get("hostvars") or {}
    stations = [Station(str(every.get(host, {}).get("outward_node_name", host))) for host in hosts]
    return [
        f"{request.name} ({request.signer}) left: {request.username} asks, and {_about(request)}"
        for request in requests
        if not any(concerns(request, station) for station in stations)
    ]


def _about(request: Request) -> str:
    """Of one that is no host's of the play, as far as it can be told."""
    if request.asked is None:
        return f"what it asks for cannot be read: {request.problem}"
    return "it is about no host of this play"


def inventory(addresses: t.Iterable[str], host: str) -> frozenset[str]:
    """What the inventory says of a node's addresses: outward_node_addresses, and ansible_host when it is an address."""
    given = {_form(address.strip()) for address in addresses if address.strip()}
    return frozenset(given | ({_form(host)} if is_address(host) else set()))


def told(name: str, found: Review) -> list[str]:
    """One line for each request."""
    lines = [f"{name}: {v.request.name} ({v.request.signer}) approved" for v in found.approved]
    lines += [f"{name}: {v.request.name} ({v.request.signer}) left: {'; '.join(v.objections)}" for v in found.left]
    return lines or [f"{name}: no request is pending"]


def _form(text: str) -> str:
    return normal(text) if is_address(text) else text
