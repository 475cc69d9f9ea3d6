# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What is observed on a node, section by section (one section is what one probe answers).

Times are aware UTC datetimes of the node's own clock; durations are seconds; sizes are bytes.
``None`` always means "looked, and it is not there".
"""

from __future__ import annotations

import typing as t
from datetime import datetime

from .evidence import Evidence, section, unknown
from .node_pods import Consumer, Sandbox, SandboxTrial


@section(frozen=True)
class Profile(Evidence):
    """Where a distribution keeps what the kubelet needs."""

    name: str
    unit: str
    runtime_unit: str
    binary: str
    kubeconfig: str
    bootstrap_kubeconfig: str
    config: str
    config_dir: str | None
    flag_files: tuple[str, ...]
    pki_dir: str
    ca_file: str
    root_dir: str
    static_pod_dir: str
    cri_socket: str
    runtime_config: str
    runtime_root: str
    cni_config_dir: str
    cni_bin_dirs: tuple[str, ...]


@section(frozen=True)
class File(Evidence):
    """One path as ``lstat`` and a bounded read see it."""

    path: str
    exists: bool  # of what the path finally leads to
    size: int  # bytes; 0 when it does not exist
    modified: datetime | None
    link_target: str | None  # of a symbolic link, also a dangling one


@section(frozen=True)
class Identity(Evidence):
    """Who this machine is."""

    hostname: str
    machine_id: str
    boot_id: str
    uptime: float
    kernel: str
    architecture: str
    os: str
    addresses: tuple[str, ...]  # global IPv4 and IPv6 addresses of the host


@section(frozen=True)
class Unit(Evidence):
    """`systemctl show` of one unit (systemd.unit(5), org.freedesktop.systemd1(5)) and its main process."""

    name: str
    load_state: str  # loaded, not-found, masked, error, bad-setting
    unit_file_state: str  # enabled, disabled, masked, static, ...
    active_state: str  # active, activating, deactivating, inactive, failed
    sub_state: str  # running, dead, auto-restart, start-pre, ...
    result: str  # success, exit-code, signal, oom-kill, watchdog, start-limit-hit, ...
    restarts: int  # NRestarts; a manual restart sets it back to 0
    exit_code: int  # ExecMainCode: 0 none, 1 exited, 2 killed, 3 dumped (siginfo CLD_*)
    exit_status: int  # ExecMainStatus: exit status, or the signal's number
    main_pid: int  # 0: no process
    process_state: str | None  # letter of /proc/PID/stat (proc(5)): R S D T Z ...; None: no process
    invocation_id: str  # empty: never started in this boot
    started: float | None  # when the main process started, seconds since boot (monotonic)
    inactive_since: float | None  # InactiveEnterTimestampMonotonic, seconds since boot


@section(frozen=True)
class Endpoint(Evidence):
    """One question to a local HTTP endpoint."""

    outcome: str  # ok (2xx), http (another status), refused, timeout, closed
    status: int | None
    body: str  # first 200 characters
    seconds: float


@section(frozen=True)
class Setting(Evidence):
    """One command line flag of the kubelet and the file that holds it."""

    flag: str
    file: str


@section(frozen=True)
class KubeletConfig(Evidence):
    """What the kubelet is configured to do: its file, drop-ins and flags, with the release's defaults."""

    file: File
    problem: str | None  # why the file cannot be this kubelet's configuration: empty, not YAML, wrong kind
    fail_swap_on: bool
    cgroup_driver: str
    client_ca_file: str | None
    rotate_certificates: bool
    server_tls_bootstrap: bool
    eviction_hard: dict[str, str]  # effective: a key set by hand drops the defaults of the others
    static_pod_path: str | None
    cri_socket: str  # path of the socket, without unix://
    flags: tuple[Setting, ...]
    unknown_flags: tuple[Setting, ...]  # not in `kubelet --help` of the installed binary
    cri_socket_exists: bool = unknown("the configured socket was not looked for")
    resolv_conf: File | None = unknown("resolvConf was not looked at")  # None: Pods get none from the host
    graceful_shutdown: bool = unknown("shutdownGracePeriod was not looked at")  # it is set


@section(frozen=True)
class LogLine(Evidence):
    """Lines of equal shape of one invocation, folded: the text of the last one, how many, first and last."""

    text: str  # normalised (nested quotes unescaped), at most 1,000 characters, redacted
    count: int
    first: float  # seconds since boot
    last: float
    current: bool  # from the unit's newest invocation


@section(frozen=True)
class Journal(Evidence):
    """The journal of one unit in this boot, newest last, bounded; without start-up dumps and most information."""

    lines: tuple[LogLine, ...]
    truncated: bool


@section(frozen=True)
class Kubelet(Evidence):
    """The kubelet itself."""

    unit: Unit
    binary: File
    version: str | None  # of the installed binary when it was asked; None: not installed
    healthz: Endpoint  # 127.0.0.1:10248/healthz: right in each lab case; 10250 is not a local check
    config: KubeletConfig
    journal: Journal
    # logind's PreparingForShutdown; None: not asked, for the kubelet watches no shutdown, or holds its lock against one
    shutting_down: bool | None = unknown("logind was not asked")
    runs_installed: bool = unknown("the running kubelet was not compared")  # this very binary, with all of its flags


@section(frozen=True)
class Cri(Evidence):
    """One Version, one Status and the Pods over the CRI socket."""

    outcome: str  # ok, no-socket, refused, permission, unimplemented, timeout, error
    detail: str  # grpc-message or errno text, one line
    runtime: str | None  # "containerd 1.7.24"; with outcome unimplemented: a name only if CRI v1alpha2 tells it
    runtime_ready: bool | None
    runtime_message: str | None
    network_ready: bool | None
    network_message: str | None  # reason and message when not ready
    sandboxes: int | None  # in state ready
    containers: int | None  # running
    seconds: float
    cgroup_driver: str | None = unknown("the runtime was not asked")  # None: it does not say (containerd 1.x)
    pods: tuple[Sandbox, ...] = unknown("the runtime's Pods were not listed")


@section(frozen=True)
class Runtime(Evidence):
    """containerd: its unit, its CRI, its configuration and its journal."""

    unit: Unit
    cri: Cri
    config: File
    journal: Journal
    cri_disabled: bool = unknown("disabled_plugins was not looked at")  # names the CRI
    missing_programs: tuple[str, ...] = unknown("runc and its shim were not looked for")  # of these two
    exec_format: tuple[str, ...] = unknown("the logs of containers were not read")  # Pod's UID/container


@section(frozen=True)
class Filesystem(Evidence):
    """statvfs of the filesystem that holds *path*, and its line in /proc/self/mountinfo."""

    path: str
    mount_point: str
    device: str
    kind: str  # ext4, overlay, nfs4, ...
    read_only: bool
    size: int
    available: int  # bytes for root's daemons as the kubelet counts them: f_bavail
    inodes: int
    inodes_free: int


@section(frozen=True)
class Stall(Evidence):
    """One line pair of /proc/pressure/* (PSI): shares of wall time in per cent over 10 s."""

    some: float
    full: float


@section(frozen=True)
class Pressure(Evidence):
    """The resources that the kubelet's eviction manager watches, by its own formulas."""

    nodefs: Filesystem  # of the kubelet's root directory
    imagefs: Filesystem  # of the runtime's root directory
    rootfs: Filesystem
    memory_capacity: int
    memory_available: int  # capacity - working set of the root cgroup: the kubelet's signal
    memory_free_estimate: int  # MemAvailable: what the kernel thinks; not the kubelet's signal
    swap_total: int
    swap_used: int
    swap_devices: tuple[str, ...]
    pids: int
    pid_max: int
    inotify_instances: int  # in use by uid 0
    inotify_max_instances: int
    psi_cpu: Stall | None  # None: the kernel has no PSI
    psi_memory: Stall | None
    psi_io: Stall | None
    load: float  # one minute
    cpus: int
    consumers: tuple[Consumer, ...] = unknown("the control groups were not measured")  # with most memory, or most pids


@section(frozen=True)
class Certificate(Evidence):
    """One X.509 certificate as `openssl x509` reads it."""

    path: str
    common_name: str
    organizations: tuple[str, ...]
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    key_matches: bool | None  # None: no key to compare with
    signed_by_ca: bool | None  # None: no CA to compare with
    usages: tuple[str, ...] = unknown("the extended key usages were not read")  # clientAuth, serverAuth, or an OID
    fingerprint: str = unknown("the fingerprint was not taken")  # SHA-256 of all of it, hexadecimal


@section(frozen=True)
class Kubeconfig(Evidence):
    """The kubelet's kubeconfig, without what is secret in it."""

    file: File
    problem: str | None  # why it cannot be used: empty, not YAML, no cluster, no user
    server: str | None
    client_certificate: str | None  # path; None when embedded or absent
    client_key: str | None


@section(frozen=True)
class Certificates(Evidence):
    """What the kubelet proves itself with, and what it trusts."""

    kubeconfig: Kubeconfig
    bootstrap_kubeconfig: File
    client_file: File
    client: Certificate | None  # None: the file is not there
    client_problem: str | None  # there, and no certificate can be read from it: why
    serving: Certificate | None
    ca: Certificate | None  # of the kubeconfig
    client_ca_file: File | None  # clientCAFile of the configuration; None: not configured
    client_files: tuple[str, ...] = unknown("the PKI directory was not listed")  # kubelet-client-*.pem, of any date
    client_ca: Certificate | None = unknown("clientCAFile was not read")  # what it holds; None: not configured, no file


@section(frozen=True)
class ApiPath(Evidence):
    """The API server as the kubelet would reach it: same address, same certificate, a new connection."""

    server: str
    outcome: str  # ok, unresolvable, refused, timeout, unreachable, tls, http
    detail: str
    addresses: tuple[str, ...]
    status: int | None  # of GET /readyz with the kubelet's certificate
    date: datetime | None  # the server's Date header
    offset: float | None  # node's clock minus the server's, seconds; None: no Date
    handshakes: int = unknown("none was tried")  # of TCP, to tell loss from silence; 0: nothing called for it
    late: int = unknown("none was tried")  # of them, those that took so long that a packet was lost


@section(frozen=True)
class Cni(Evidence):
    """CNI configuration and plugins where containerd looks for them."""

    config_dir: File
    configs: tuple[File, ...]  # *.conf, *.conflist, *.json in lexical order
    problem: str | None  # why the first one cannot be used
    network: str | None
    plugins: tuple[str, ...]  # types that the configuration names
    missing_plugins: tuple[str, ...]  # of these, without a binary in any directory
    reservations: int | None = unknown("host-local was not looked at")  # addresses given out; None: no files
    subnet_env: File | None = unknown("flannel was not looked at")  # its subnet.env; None: the network is not flannel's


@section(frozen=True)
class Firewall(Evidence):
    """What netfilter does to Pods and to the kubelet's port; chains as `family table name`, iptables-legacy's as well."""

    forward_drop: tuple[str, ...]  # chains that drop what is forwarded, and accept nothing of Pods
    port_drop: tuple[str, ...]  # chains, and rules, that drop the kubelet's port 10250 from anywhere
    nft_chains: tuple[str, ...]  # names of KUBE- chains that say who writes rules
    legacy_chains: tuple[str, ...]  # the same of iptables-legacy


@section(frozen=True)
class Network(Evidence):
    """The way to the API, and to the Pods."""

    api: ApiPath
    cni: Cni
    default_route: bool
    links_up: tuple[str, ...]
    firewall: Firewall = unknown("the firewall was not looked at")
    mtus: dict[str, int] = unknown("the links were not measured")  # of links that are not Pods' cables
    vxlans: tuple[str, ...] = unknown("the kinds of links were not looked at")
    hardware: tuple[str, ...] = unknown("the kinds of links were not looked at")  # links with a device behind them
    stuck: tuple[str, ...] = unknown("TCP's connections were not read")  # peers (address:port) that acknowledge nothing


@section(frozen=True)
class Mount(Evidence):
    """One network or data mount, and whether it answers."""

    mount_point: str
    device: str
    kind: str
    answers: bool


@section(frozen=True)
class Storage(Evidence):
    """Mounts and error counters."""

    read_only: tuple[Filesystem, ...]  # of /, /var, kubelet and runtime directories: those mounted read-only
    overlay_root: bool  # read-only by design (overlayroot)
    network_mounts: tuple[Mount, ...]
    ext4_errors: dict[str, int]  # device -> /sys/fs/ext4/*/errors_count
    fstab_missing: tuple[str, ...]  # in /etc/fstab without noauto, and not mounted
    pod_logs: dict[str, int] = unknown("the logs of Pods were not measured")  # namespace/pod/container, the large ones
    journal_size: int = unknown("the journal was not measured")  # of systemd-journald, on disk
    log_space: Filesystem = unknown("the filesystem of the logs was not looked at")  # that holds /var/log


@section(frozen=True)
class Kernel(Evidence):
    """Modules, sysctls, control groups and the kernel's own words in this boot."""

    cgroup_version: int
    cgroup_controllers: tuple[str, ...]  # /sys/fs/cgroup/cgroup.controllers; authoritative since 6.12
    modules: dict[str, bool]  # overlay, br_netfilter, nf_conntrack, vxlan: loaded or built in
    sysctls: dict[str, str]
    journal: Journal  # priority warning and above, and known lines
    blocked_tasks: tuple[str, ...]  # "comm (pid) wchan" of processes in state D for two samples
    vxlan_module: bool = unknown("the modules were not looked for")  # loaded, built in, or there to be loaded
    # systemd, cgroupfs: of the cgroups that hold running Pods (kubepods.slice or kubepods); empty: no Pod runs
    pod_cgroup_drivers: tuple[str, ...] = unknown("the cgroups of Pods were not looked at")
    module_trees: tuple[str, ...] = unknown("/lib/modules was not looked at")  # the releases that it holds
    page_size: int = unknown("the page size was not asked for")
    # Who exchanges its software now: "kubeadm upgrade (pid 812)", "apt-get (pid 7) holds /var/lib/dpkg/lock-frontend"
    upkeep: tuple[str, ...] = unknown("who is at work on the node was not looked at")
    # How the boot before this one ended: orderly, abrupt; None: its journal is gone, or this boot is not young any more
    boot_before: str | None = unknown("the boot before was not looked at")


@section(frozen=True)
class Clock(Evidence):
    """The wall clock, and who keeps it."""

    now: datetime
    synchronized: bool  # of the kernel: timedatectl's NTPSynchronized
    service: str | None  # active time service; None: none
    rtc: datetime | None  # hardware clock; None: there is none (a Pi before 5)


@section(frozen=True)
class Board(Evidence):
    """A Raspberry Pi's firmware; model is None on other machines."""

    model: str | None
    throttled: int | None  # bits of `vcgencmd get_throttled`: 0-3 now, 16-19 since boot
    temperature: float | None  # degrees Celsius


@section(frozen=True)
class Probe(Evidence):
    """How one section was observed."""

    name: str
    seconds: float
    problem: str | None  # why it could not tell


@section(frozen=True)
class NodeEvidence(Evidence):
    """Everything observed on one node in one pass; a section that was not asked for is unknown."""

    schema: str  # outward.kubelet/node/v1
    observed: datetime
    unreachable: str | None  # why the controller could not log in or run a module; None: it could
    profile: Profile
    identity: Identity
    kubelet: Kubelet
    runtime: Runtime
    pressure: Pressure
    certificates: Certificates
    network: Network
    storage: Storage
    kernel: Kernel
    clock: Clock
    board: Board
    probes: tuple[Probe, ...]
    sandbox: SandboxTrial = unknown("making a Pod sandbox was not tried")  # only when it is asked for by name


SCHEMA: t.Final = "outward.kubelet/node/v1"


def unreachable_node(now: datetime, reason: str) -> NodeEvidence:
    """The evidence of a node that could not be looked at: everything but that is unknown."""
    gone = unknown(f"the node could not be reached: {reason}")
    sections = dict.fromkeys(NodeEvidence.__dataclass_fields__, gone)
    return NodeEvidence(**{**sections, "schema": SCHEMA, "observed": now, "unreachable": reason, "probes": ()})
