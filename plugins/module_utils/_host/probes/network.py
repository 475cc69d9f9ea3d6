# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Routes, links and what containerd finds of CNI."""

from __future__ import annotations

import os
import re
import typing as t

from ..._diagnosis.node import Cni, Profile
from ..._parse import cni, netfiles
from ..._parse.errors import ParseError
from ..errors import words
from ..files import attempt, describe, names, read, read_or_none, tcp_tables

Fields = dict[str, t.Any]
_EXTENSIONS: t.Final = (".conf", ".conflist", ".json")
_HOST_LOCAL: t.Final = "/var/lib/cni/networks"
_SUBNET_ENV: t.Final = "/run/flannel/subnet.env"
_HEX: t.Final = "0123456789abcdef"
# The host's ends of Pods' cables: there are as many as Pods.
_POD_LINKS: t.Final = ("veth", "cali", "lxc", "lo")


def ask(profile: Profile) -> Fields:
    """Every field of Network but `api`."""
    return {
        "cni": attempt(_cni, profile),
        "default_route": attempt(_default_route),
        "links_up": attempt(_links_up),
        **_links(),
        "stuck": attempt(_stuck),
    }


def _default_route() -> bool:
    return netfiles.default_route(read("/proc/net/route"), read_or_none("/proc/net/ipv6_route") or "")


def _links_up() -> tuple[str, ...]:
    found: list[str] = []
    for name in names("/sys/class/net"):
        if not name.startswith(_POD_LINKS):
            state = read_or_none(f"/sys/class/net/{name}/operstate")
            if state is not None and state.strip() in ("up", "unknown"):  # tunnels do not know
                found.append(name)
    return tuple(found)


def _links() -> Fields:
    """mtus, vxlans, hardware. DEVTYPE is what the driver calls its kind of link."""
    links = [name for name in names("/sys/class/net") if not name.startswith(_POD_LINKS)]
    sizes = {name: read_or_none(f"/sys/class/net/{name}/mtu") for name in links}
    kinds = {name: read_or_none(f"/sys/class/net/{name}/uevent") or "" for name in links}
    return {
        "mtus": {name: int(text) for name, text in sizes.items() if text is not None},
        "vxlans": tuple(name for name in links if "DEVTYPE=vxlan" in kinds[name]),
        "hardware": tuple(name for name in links if os.path.exists(f"/sys/class/net/{name}/device")),
    }


def _stuck() -> tuple[str, ...]:
    return netfiles.stuck(*tcp_tables())


def _cni(profile: Profile) -> Cni:
    config_dir, bin_dirs = directories(profile, read_or_none(profile.runtime_config) or "")
    paths = configurations(config_dir, names(config_dir))
    problem, network = None, None
    if paths:
        try:
            network = cni.network(read(paths[0]), paths[0].endswith(".conflist"))
        except (OSError, ParseError) as error:
            problem = f"{paths[0]}: {words(error)}"
    plugins = network.plugins if network else ()
    return Cni(
        config_dir=describe(config_dir),
        configs=tuple(describe(path) for path in paths),
        problem=problem,
        network=network.name if network else None,
        plugins=plugins,
        missing_plugins=tuple(name for name in plugins if not _installed(name, bin_dirs)),
        reservations=_reservations(network.name) if network else None,
        subnet_env=describe(_SUBNET_ENV) if "flannel" in plugins else None,
    )


def _reservations(network: str) -> int | None:
    """host-local keeps a file for each address, named by it; the others are its lock and `last_reserved_ip.N`."""
    directory = f"{_HOST_LOCAL}/{network}"
    if not network or "/" in network or not os.path.isdir(directory):
        return None
    return sum(name[0] in _HEX and ("." in name or ":" in name) and "_" not in name for name in names(directory))


def configurations(directory: str, found: t.Iterable[str]) -> list[str]:
    """The paths of CNI configurations among the names *found* in a directory; the runtime takes the first."""
    return [f"{directory}/{name}" for name in found if name.endswith(_EXTENSIONS)]


def directories(profile: Profile, text: str) -> tuple[str, tuple[str, ...]]:
    """containerd's own conf_dir and bin_dir(s), when its configuration (*text*) says other ones."""
    conf = re.search(r"^\s{0,80}conf_dir\s?=\s?[\"'](/[^\"']{1,200})[\"']", text, re.MULTILINE)
    one = re.search(r"^\s{0,80}bin_dir\s?=\s?[\"'](/[^\"']{1,200})[\"']", text, re.MULTILINE)
    many = re.search(r"^\s{0,80}bin_dirs\s?=\s?\[([^\]]{1,500})\]", text, re.MULTILINE)
    if many:
        return (conf.group(1) if conf else profile.cni_config_dir), tuple(re.findall(r"/[^\"',\s]+", many.group(1)))
    places = (one.group(1),) if one else profile.cni_bin_dirs
    return (conf.group(1) if conf else profile.cni_config_dir), places


def _installed(name: str, places: t.Iterable[str]) -> bool:
    return any(os.access(f"{place}/{name}", os.X_OK) for place in places)
