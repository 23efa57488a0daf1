#!/bin/bash
# booted.sh UNITS PROGRAM SOCKETS: systemd as process 1 of namespaces of its own, over this machine's own files, of which a copy in memory takes
# what is written. Of units it has those in the folder UNITS, and nothing of this machine's; PROGRAM is /usr/bin/gorgias-replicate there, and
# the folder SOCKETS is /run/sockets. It shares the network. Ends with 77 where that is not possible; killed, it leaves nothing behind but an
# empty control group, whose path it prints first.
set -eu
impossible() { echo "$*" >&2; exit 77; }
trap 'impossible "$0: line $LINENO failed"' ERR
export UNITS=$1 PROGRAM=$2 SOCKETS=$3

[ "$(id -u)" = 0 ] || impossible "it takes root"
[ -x /lib/systemd/systemd ] || impossible "systemd is not installed"
groups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$groups" ] || impossible "there is no unified hierarchy of control groups"
group=$(mktemp -d "$groups/gr-booted.XXXXXX")
echo "$group"
echo $$ >"$group/cgroup.procs"

build_root() {
  set -eu
  mount --make-rprivate /
  mount -t tmpfs tmpfs /mnt
  mkdir /mnt/upper /mnt/work /mnt/root /mnt/none
  mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
  cd /mnt/root
  mount -t proc proc proc
  mount --bind proc/sys proc/sys
  mount -o remount,ro,bind proc/sys
  mount -t sysfs -o ro sysfs sys
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount -t tmpfs -o mode=755 tmpfs dev
  for device in null zero full random urandom tty; do touch "dev/$device"; mount --bind "/dev/$device" "dev/$device"; done
  ln -s /proc/self/fd dev/fd
  mkdir dev/shm dev/pts
  mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
  ln -s pts/ptmx dev/ptmx
  for folder in dev/shm run tmp; do mount -t tmpfs tmpfs $folder; done
  chmod 1777 tmp dev/shm
  mkdir run/sockets
  mount --bind "$SOCKETS" run/sockets
  cp "$PROGRAM" usr/bin/gorgias-replicate
  mkdir -p etc/systemd/system usr/lib/systemd/system-generators
  mount --bind /mnt/none usr/lib/systemd/system-generators
  mount --bind /mnt/none etc/systemd/system
  cp -r "$UNITS" /mnt/units
  mount --bind /mnt/units usr/lib/systemd/system
  rm -rf etc/gorgias-replicate var/lib/gorgias-replicate var/lib/private/gorgias-replicate
  echo uninitialized >etc/machine-id
  mkdir .old
  pivot_root . .old
  umount -l .old
  # A service gets its credentials by a mount that another process makes for it.
  mount --make-rshared /
  exec env -i container=namespaces PATH=/usr/sbin:/usr/bin /lib/systemd/systemd --system --unit=multi-user.target --show-status=no
}
export -f build_root
exec unshare --mount --pid --uts --ipc --cgroup --fork --kill-child bash -c 'trap "exit 77" ERR; build_root'
