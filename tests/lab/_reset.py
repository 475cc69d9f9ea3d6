# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Return nodes to the baseline: the guest by its snapshot, the API by its differences."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.lab import _baseline, _process, _settled, _vm, _workloads
from tests.lab._baseline import Baseline
from tests.lab._kubectl import Object
from tests.lab._lab import Lab, at_once
from tests.lab._model import SNAPSHOT, Host, LabError
from tests.lab._shell import locked, say, step, wait_for, write

RESET_SECONDS = 90
# Of the ten seconds between renewals; what is left is for the clock to be stepped first.
LEASE_AGE = 6.0
RESTART_SECONDS = 180
SSH_SECONDS = 60
# Load average of a guest that may become a baseline: one that is starved takes its kernel's complaints with it.
CALM = 4.0
CALM_SECONDS = 240


def save(lab: Lab, hosts: Sequence[Host]) -> None:
    """Make what is now the baseline: the API's objects, and each new host's memory and disk."""
    pods = load(lab).pods if lab.paths.baseline.exists() else {}
    items = lab.kubectl.list(_baseline.KINDS)
    baseline = _baseline.record(items, lab.kubectl.list("nodes"))
    _store(lab, replace(baseline, pods=pods))
    for host in hosts:
        _await_calm(lab, host)
        _save_host(lab, host)


def _await_calm(lab: Lab, host: Host) -> None:
    """Until the guest has caught up with its boot and with what else this machine does; a busy one is saved in the end."""
    try:
        wait_for(f"{host.name} is calm", lambda: lab.guest(host).load() < CALM, CALM_SECONDS, pause=5)
    except LabError as error:
        say(f"  {error}")


def _store(lab: Lab, baseline: Baseline) -> None:
    write(lab.paths.baseline, json.dumps(_baseline.to_json(baseline), indent=1))


def _save_host(lab: Lab, host: Host) -> None:
    """Save the host's memory and disk, and note which Pods are in them."""
    # What ss -K needs, so that waking up does not begin with loading it.
    lab.guest(host).run("modprobe tcp_diag")
    # A baseline remembers no action: the ledger would refuse the same one after each reset.
    lab.guest(host).run("rm -rf /var/lib/outward-kubelet")
    lab.guest(host).hang_up()
    _await_lease(lab, host)
    _vm.Monitor(lab.paths.monitor(host)).must(f"savevm {SNAPSHOT}")
    here = _baseline.pods_on(lab.kubectl.list("pods"), host.name)
    with locked(lab.paths.state / "lock-baseline"):
        baseline = load(lab)
        _store(lab, replace(baseline, pods={**baseline.pods, host.name: here}))


def _await_lease(lab: Lab, host: Host) -> None:
    """Until the kubelet's next renewal is near: a node put back then proves itself seconds sooner."""

    def renewed() -> float:
        return _settled.renew_time(lab.kubectl.lease(host.name))

    if (last := renewed()) + LEASE_AGE < time.time():
        wait_for(f"{host.name} renews its Lease", lambda: renewed() > last, 60)
    time.sleep(max(0.0, renewed() + LEASE_AGE - time.time()))


def load(lab: Lab) -> Baseline:
    """The baseline of the API."""
    return _baseline.from_json(json.loads(lab.paths.baseline.read_text(encoding="utf-8")))


def _delete(lab: Lab, items: Sequence[Object]) -> None:
    """Delete without waiting for anybody's consent."""
    for item in items:
        metadata = item["metadata"]
        namespace = ["-n", metadata["namespace"]] if "namespace" in metadata else []
        words = ["delete", item["kind"], metadata["name"], *namespace, "--ignore-not-found", "--wait=false"]
        force = ["--force", "--grace-period=0"] if item["kind"] == "Pod" else []
        lab.kubectl(*words, *force)


def _clean_host(lab: Lab, host: Host, baseline: Baseline) -> None:
    """What a test did to this host in the API."""
    # Boots that the guest has never had: they belong to what was undone.
    about = f"involvedObject.kind=Node,involvedObject.name={host.name}"
    lab.kubectl("delete", "events", f"--field-selector={about}", "--ignore-not-found", "--wait=false")
    items = lab.kubectl.list(f"nodes,pods,certificatesigningrequests,{_baseline.WORKLOADS}")
    _delete(lab, _baseline.foreign(items, host.name, baseline))
    _delete(lab, [item for item in items if _baseline.is_request_for(item, host.name, baseline)])
    on_host = [item for item in items if item["kind"] == "Pod" and item["spec"].get("nodeName") == host.name]
    _delete(lab, [pod for pod in on_host if _baseline.is_leftover(pod)])
    for node in items:
        if node["kind"] == "Node" and node["metadata"]["name"] == host.name:
            patch = _baseline.node_patch(node, baseline.nodes[host.name])
            if patch:
                lab.kubectl("patch", "node", host.name, "--type=merge", "-p", json.dumps(patch))


def _clean_cluster(lab: Lab, baseline: Baseline) -> None:
    """What a test did to everything else in the API."""
    items = lab.kubectl.list(_baseline.KINDS)
    _delete(lab, _baseline.extras(items, baseline))
    damaged = _baseline.damaged(items, baseline)
    if damaged:
        lab.kubectl.replace(damaged)


def _set_clock(lab: Lab, host: Host) -> None:
    """Until ssh answers and the guest's clock is ours; the first seconds after loadvm may fail."""

    def done() -> bool:
        try:
            lab.guest(host).set_clock()
        except LabError:
            return False
        return True

    wait_for(f"{host.name} answers over ssh", done, SSH_SECONDS)


def _rewind(lab: Lab, host: Host) -> None:
    """Put the guest's memory and disk back, and at once its clock right."""
    guest, monitor = lab.guest(host), _vm.Monitor(lab.paths.monitor(host))
    guest.hang_up()
    monitor.must(f"loadvm {SNAPSHOT}")
    monitor.must("cont")
    guest.wake()


def _awake(lab: Lab, host: Host) -> None:
    """Until the guest of a QEMU that was started from the snapshot answers."""
    wait_for(f"{host.name} runs", lambda: lab.guest(host).wake(), SSH_SECONDS)


def _restart(lab: Lab, host: Host) -> None:
    """A new QEMU that starts from the snapshot."""
    _process.stop(lab.paths, [host.name], patience=0)
    lab.guest(host).hang_up()
    _vm.start(lab.paths, lab.image, host)
    _awake(lab, host)


def _rejoin(lab: Lab, host: Host, baseline: Baseline, since: float, seconds: float) -> None:
    """From a guest that runs again to a node that works."""
    _set_clock(lab, host)
    _clean_host(lab, host, baseline)
    if not lab.kubectl.has_node(host.name):
        lab.guest(host).run("systemctl restart kubelet")
        wait_for(f"the Node {host.name} is back", lambda: lab.kubectl.has_node(host.name), seconds)
        _clean_host(lab, host, baseline)
    lab.wait_settled(host, since, seconds)


def _return(lab: Lab, host: Host, by: Callable[[Lab, Host], None], seconds: float) -> None:
    """A node that works again, by this means, and when that does not do, by a new QEMU."""
    since, baseline = time.time(), load(lab)
    try:
        by(lab, host)
        _rejoin(lab, host, baseline, since, seconds)
    except LabError as error:
        say(f"  {host.name}: {error}; restarting its VM from the snapshot")
        _restart(lab, host)
        _rejoin(lab, host, baseline, since, RESTART_SECONDS)


def resume(lab: Lab, host: Host) -> None:
    """One host whose QEMU has just been started from the snapshot."""
    _return(lab, host, _awake, RESTART_SECONDS)


def _reset_host(lab: Lab, host: Host) -> None:
    with step(f"{host.name}: reset"):
        _return(lab, host, _rewind, RESET_SECONDS)


def _revive(lab: Lab, hosts: Sequence[Host]) -> None:
    """The control plane and these hosts, also when their processes were stopped, killed or frozen.

    Another host may be frozen for a reason: somebody else's test of a dead node.
    """
    wanted = {host.name for host in hosts}
    with locked(lab.paths.state / "lock-control-plane"):
        _process.wake(lab.paths, but={host.name for host in _vm.existing(lab.paths)} - wanted)
        if not lab.kubectl.ready():
            lab.control_plane.stop_apiserver()
        lab.control_plane.start()


def _follow_pods(lab: Lab, hosts: Sequence[Host], baseline: Baseline) -> None:
    """Save the hosts anew whose Pods a test had replaced: or every later reset would replace them."""
    pods = lab.kubectl.list("pods")
    for host in hosts:
        if _baseline.pods_on(pods, host.name) != baseline.pods.get(host.name):
            with step(f"{host.name}: other Pods than before: saving it anew"):
                _await_calm(lab, host)
                _save_host(lab, host)


def reset(lab: Lab, hosts: Sequence[Host], everything: bool) -> None:
    """Return these hosts to the baseline, and with `everything` the rest of the API too."""
    baseline = load(lab)
    unknown = [host.name for host in hosts if host.name not in baseline.nodes]
    if unknown:
        raise LabError(f"no baseline of {', '.join(unknown)}: run lab-up first")
    _revive(lab, hosts)
    if everything:
        _clean_cluster(lab, baseline)
    lab.kubectl.apply(_workloads.objects())
    at_once(lambda host: _reset_host(lab, host), hosts)
    _follow_pods(lab, hosts, baseline)
