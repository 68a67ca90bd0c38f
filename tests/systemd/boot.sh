#!/bin/sh
# Boot a throw-away copy of this machine, with qrsd installed into it as a user would.
#
#   unshare --mount --pid --fork --mount-proc sh boot.sh FOLDER
#
# The copy is an overlay in memory on FOLDER/root, and gone with the mount namespace; this machine's
# own files, /run and cgroups stay as they are. A reboot in there boots the same copy again.
# Exit status 69: this machine cannot do it, and the last line says why.
set -eu
folder=$1
here=$(cd "$(dirname "$0")/../.." && pwd)
root=$folder/root
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8

refused() { echo "it cannot $*"; exit 69; }

machine() {
    systemd-nspawn --quiet --directory="$root" --machine="qrsd-${folder##*-}" --register=no \
        --keep-unit --link-journal=no --private-network --console=pipe \
        --bind-ro="$here:/usr/local/src/qrsd" "$@"
}

mount -t tmpfs -o mode=755 tmpfs "$folder" || refused mount a tmpfs
mkdir "$folder/upper" "$folder/work" "$root"
mount -t overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" overlay "$root" ||
    refused mount an overlay on its root
mount -t tmpfs -o mode=755 tmpfs /run || refused mount a tmpfs on /run
# A systemd since 256 wants the unified hierarchy, which some machines hide behind the old one.
mount -t cgroup2 cgroup2 /sys/fs/cgroup || refused mount cgroups
outside=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)
cgroup=$outside/qrsd-${folder##*-}
mkdir "$cgroup" && echo $$ >"$cgroup/cgroup.procs" || refused make a cgroup
# The unit has PrivateUsers, which no kernel allows within a chroot.
machine --as-pid2 unshare --user true || refused start a container with user namespaces

# Before the first boot, since the container has no network.
touch "$root/before-install"
mkdir -p "$root/usr/local/src/qrsd"
mount --bind "$here" "$root/usr/local/src/qrsd"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
chroot "$root" make -C /usr/local/src/qrsd install PYTHON=/usr/bin/python3
umount "$root/usr/local/src/qrsd" "$root/run"
umount --lazy "$root/proc" "$root/dev"

# What else this machine starts at boot is no matter of these tests.
rm -rf "$root"/etc/systemd/system/*.wants

status=133 # what systemd-nspawn says of a reboot
while [ "$status" -eq 133 ]; do
    status=0
    machine --boot systemd.unit=multi-user.target || status=$?
done
echo $$ >"$outside/cgroup.procs"
find "$cgroup" -depth -type d -exec rmdir {} +
exit "$status"
