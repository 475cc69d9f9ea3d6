# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a repair changes on a node, as data: each kind says what is to be, and how it is done stands in _host/repair.

Every kind can be shown before it is done (check mode, ``--diff``), and taken back when it did not help, but for
:class:`Space`, which only gives up what nobody misses.
"""

from __future__ import annotations

import typing as t
from datetime import datetime


class Aside(t.NamedTuple):
    """A file that is moved into our backup; one that is not there is no change."""

    path: str


class Content(t.NamedTuple):
    """A file with this text and no other."""

    path: str
    text: str
    mode: int = 0o644  # of a file that was not there


class Lines(t.NamedTuple):
    """Lines of a file that are rewritten (``re.sub`` of *pattern* on each line); the file may be missing."""

    path: str
    pattern: str
    replacement: str
    needed: bool = False  # without such a line the repair makes no sense


class Unit(t.NamedTuple):
    """``systemctl VERB`` of the first of these units that is installed: start, enable, restart, unmask, or kill.

    ``reread`` is a restart for what was changed before; it is restarted again when that is taken back.
    """

    verb: str
    names: tuple[str, ...]


class Disabled(t.NamedTuple):
    """Units that are not to be started at the next boot, of those that are installed."""

    names: tuple[str, ...]


class Sysctl(t.NamedTuple):
    """A kernel setting; until the next boot, unless a :class:`Content` below /etc/sysctl.d goes with it."""

    name: str
    value: str


class Module(t.NamedTuple):
    """A kernel module that is loaded."""

    name: str


class SwapOff(t.NamedTuple):
    """A swap device or file that is switched off."""

    device: str


class Hostname(t.NamedTuple):
    """The name of this host, now and at every boot."""

    name: str


class KubeletConfig(t.NamedTuple):
    """The kubelet's configuration file as kubeadm makes it of the cluster's kubelet-config and this node's own patches."""

    path: str


class ClientCa(t.NamedTuple):
    """The CA file at *path* that the kubelet checks its clients with, as the *kubeconfig* has the cluster's CA."""

    path: str
    kubeconfig: str


class ClientCertificate(t.NamedTuple):
    """The link at *path* to the kubelet's client certificate, which leads to one beside it that is for *name* and good *now*."""

    path: str
    kubeconfig: str  # whose CA must have signed it
    name: str
    now: datetime


class ApiServer(t.NamedTuple):
    """The kubeconfig at *path*, whose one server becomes the address that the controller has, when it answers this node there."""

    path: str


class NodeKubeconfig(t.NamedTuple):
    """The kubelet's kubeconfig at *path*, made anew: the controller's address, the CA in *ca_file*, the *client* certificate.

    Only when that certificate is for *name*, has its key, is signed by that CA and is good *now*.
    """

    path: str
    ca_file: str
    client: str
    name: str
    now: datetime


class Resolver(t.NamedTuple):
    """The kubelet's configuration file, whose resolvConf names a file that is there and that Pods can use."""

    path: str


class Remembered(t.NamedTuple):
    """A CNI configuration in *directory*: the one that the newest sandbox was made with, which libcni keeps a copy of."""

    directory: str


class Plugin(t.NamedTuple):
    """The CNI plugin *name* where the runtime looks for it: a link to the one that another package put elsewhere."""

    name: str


class PauseImage(t.NamedTuple):
    """containerd's configuration file *path*, whose sandbox image is one that is on this node."""

    path: str


class GoodCopy(t.NamedTuple):
    """containerd's configuration file *path*, which is replaced by the newest copy beside it that containerd can use."""

    path: str
    cgroup_driver: str  # that the copy must be made for: the kubelet's


class Orphan(t.NamedTuple):
    """The directory of a Pod that is gone, which is moved into our backup; never over a mount."""

    path: str


class Mounted(t.NamedTuple):
    """A mount *point* of /etc/fstab that is mounted, and then the *unit* started whose data lies there."""

    point: str
    unit: str


class Leftover(t.NamedTuple):
    """A kubelet (the program *binary*) that listens on *port*, and that neither *unit* nor another one started, is ended."""

    port: int
    unit: str
    binary: str


class Addresses(t.NamedTuple):
    """A link that loses all of its IPv4 addresses but *wanted*; the CNI plugin gives it that one by itself."""

    link: str
    wanted: str


class Mtu(t.NamedTuple):
    """A link and the largest packet that it takes, in octets; until who made the link makes it anew."""

    link: str
    octets: int


class ServiceChains(t.NamedTuple):
    """iptables of this *kind* (legacy, nft) loses the chains of Kubernetes' Services, and what leads to them; IPv4."""

    kind: str


class Reservations(t.NamedTuple):
    """host-local's reservations below *directory* whose sandbox the runtime does not know are moved into our backup."""

    directory: str


class Space(t.NamedTuple):
    """Bytes (or inodes) that are given back on one filesystem until *goal* are available; what is taken stands in *sources*.

    In their order: packages, backups, journal, logs, long logs, images; from what nobody misses to what costs a download.
    """

    path: str  # on the filesystem that is meant
    goal: int
    sources: tuple[str, ...]
    unit: str = "bytes"  # bytes, inodes


Change = t.Union[
    Aside,
    Content,
    Lines,
    Unit,
    Disabled,
    Sysctl,
    Module,
    SwapOff,
    Hostname,
    KubeletConfig,
    ClientCa,
    ClientCertificate,
    ApiServer,
    NodeKubeconfig,
    Resolver,
    Remembered,
    Plugin,
    PauseImage,
    GoodCopy,
    Orphan,
    Mounted,
    Leftover,
    Addresses,
    Mtu,
    ServiceChains,
    Reservations,
    Space,
]
