# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guests' disk: Debian, the Kubernetes programs, and the files below guest/."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.lab import _build, _cache
from tests.lab._model import Paths
from tests.lab._oci import Image, write_archive
from tests.lab._shell import run

# Count up when the disk is made in another way of the same things.
REVISION = 2
SUITE = "trixie"
PACKAGES = (
    "busybox-static ca-certificates conntrack containerd containernetworking-plugins dbus ethtool"
    " initramfs-tools iproute2 iptables kmod linux-image-cloud-amd64 nfs-common nftables"
    " openssh-server openssl procps python3  runc socat sudo systemd systemd-sysv"
    " systemd-timesyncd udev"
).split()
# The disk is in the kernel or one module away: a small initrd, seconds less for each boot.
INITRAMFS = "echo MODULES=list >$1/etc/initramfs-tools/conf.d/lab"
INITRAMFS_MODULES = "echo virtio_blk >$1/etc/initramfs-tools/modules"
OPTIONS = (
    '--aptopt=APT::Install-Recommends "false"',
    "--dpkgopt=force-unsafe-io",
    "--dpkgopt=force-confold",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    f"--essential-hook=mkdir -p $1/etc/initramfs-tools/conf.d; {INITRAMFS}; {INITRAMFS_MODULES}",
)
UNITS_ON = ("systemd-networkd", "containerd", "outward-lab-images", "ssh", "systemd-timesyncd")
UNITS_OFF = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty@tty1.service",
    "kubelet.service",
    "nfs-blkmap.service",
    "rpcbind.service",
    "rpcbind.socket",
    "serial-getty@ttyS0.service",
)
# Hands networkd the address that comes with the kernel's command line; Debian leaves it off.
GENERATOR = "usr/lib/systemd/system/systemd-network-generator.service"
DISK_SIZE = "3G"
GUEST = Path(__file__).parent / "guest"
PAUSE_IMAGE = "outward.lab/pause:1"
WEB_IMAGE = "outward.lab/web:1"
WEB_TOOLS = ("cat", "httpd", "ls", "sh", "sleep", "wget")


@dataclass(frozen=True)
class GuestImage:
    """What a guest starts from."""

    directory: Path

    @property
    def disk(self) -> Path:
        return self.directory / "disk.raw"

    @property
    def kernel(self) -> Path:
        return self.directory / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.directory / "initrd"

    @property
    def key(self) -> Path:
        """The private key that opens root's door in every guest."""
        return self.directory / "id_ed25519"

    @property
    def host_key(self) -> Path:
        return self.directory / "ssh_host_ed25519_key.pub"


def _bootstrap(target: Path) -> None:
    command = ["mmdebstrap", "--mode=root", "--variant=minbase", "--format=tar", *OPTIONS]
    packages = f"--include={','.join(PACKAGES)}"
    run([*command, packages, SUITE, str(target / "root.tar")], timeout=1800)


def _debian(cache: Path) -> Path:
    """A plain Debian root with the packages, as a tar file."""
    recipe = _cache.digest(part.encode() for part in (SUITE, *PACKAGES, *OPTIONS))
    title = f"installing Debian {SUITE} for the guests"
    return _cache.entry(cache, f"debian-{recipe}", title, _bootstrap) / "root.tar"


def _install_keys(root: Path, target: Path) -> None:
    """One pair of keys for all guests: they are made from one disk."""
    for key in target / "id_ed25519", root / "etc/ssh/ssh_host_ed25519_key":
        key.unlink(missing_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "outward-lab", "-f", str(key)])
    for key in (root / "etc/ssh").glob("ssh_host_*_key*"):
        if "ed25519" not in key.name:
            key.unlink()
    shutil.copy(root / "etc/ssh/ssh_host_ed25519_key.pub", target)
    door = root / "root/.ssh"
    door.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(target / "id_ed25519.pub", door / "authorized_keys")


def _install_programs(root: Path, programs: Path) -> None:
    for program in ("kubelet", "kubeadm"):
        shutil.copy(programs / program, root / "usr/bin")
    pause = {"bin/pause": (programs / "pause").read_bytes()}
    busybox = {"bin/busybox": (root / "usr/bin/busybox").read_bytes()}
    tools = {f"bin/{tool}": "busybox" for tool in WEB_TOOLS}
    store = root / "var/lib/outward-lab"
    store.mkdir(parents=True)
    write_archive(
        store / "images.tar",
        [
            Image(PAUSE_IMAGE, ["/bin/pause"], pause, {}),
            Image(WEB_IMAGE, ["/bin/pause"], pause | busybox, tools),
        ],
    )


def _set_up_units(root: Path) -> None:
    wants = root / "etc/systemd/system/sysinit.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / Path(GENERATOR).name).symlink_to(f"/{GENERATOR}")
    run(["chroot", str(root), "systemctl", "enable", *UNITS_ON])
    run(["chroot", str(root), "systemctl", "disable", *UNITS_OFF])
    run(["chroot", str(root), "systemctl", "mask", "getty@tty1", "serial-getty@ttyS0"])
    # Newer than /usr: no boot has caches to rebuild first.
    for updated in ("etc/.updated", "var/.updated"):
        (root / updated).touch()
    # Empty, not missing: missing would make every boot a first boot.
    (root / "etc/machine-id").write_text("", encoding="ascii")


def _install_files(root: Path) -> None:
    for unwanted in ("etc/resolv.conf", "etc/hostname"):
        (root / unwanted).unlink(missing_ok=True)
    shutil.copytree(GUEST, root, dirs_exist_ok=True, copy_function=shutil.copyfile)
    (root / "etc/kubernetes/manifests").mkdir(parents=True)


def _take_kernel(root: Path, target: Path) -> None:
    for name, pattern in (("vmlinuz", "vmlinuz-*"), ("initrd", "initrd.img-*")):
        [found] = (root / "boot").glob(pattern)
        shutil.move(found, target / name)


def _make(debian: Path, programs: Path, target: Path) -> None:
    root = target / "root"
    root.mkdir(mode=0o755)
    run(["tar", "-xpf", str(debian), "-C", str(root), "--numeric-owner", "--xattrs-include=*"])
    _install_files(root)
    _install_keys(root, target)
    _install_programs(root, programs)
    _set_up_units(root)
    _take_kernel(root, target)
    disk = target / "disk.raw"
    run(["mke2fs", "-q", "-t", "ext4", "-L", "root", "-d", str(root), str(disk), DISK_SIZE])
    shutil.rmtree(root)


def _recipe() -> Iterable[bytes]:
    yield f"revision {REVISION}".encode()
    yield from _build.recipe()
    yield from _cache.tree(GUEST)
    yield from (word.encode() for word in (SUITE, *PACKAGES, *OPTIONS, *UNITS_ON, *UNITS_OFF))
    yield from (word.encode() for word in (DISK_SIZE, PAUSE_IMAGE, WEB_IMAGE, *WEB_TOOLS))


def name() -> str:
    """The cache entry's name: a guest made by another recipe is another guest."""
    return f"guest-{_cache.digest(_recipe())}"


def guest(paths: Paths) -> GuestImage:
    """The guest image, made when it is missing."""
    programs, debian = _build.programs(paths.cache), _debian(paths.cache)
    title = "making the guests' disk"
    return GuestImage(_cache.entry(paths.cache, name(), title, lambda target: _make(debian, programs, target)))
