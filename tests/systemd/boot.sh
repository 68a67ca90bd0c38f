#!/bin/sh
# Boot a throw-away copy of a system, this machine's with / for BASE.
#
#   unshare --mount --pid --fork --mount-proc sh boot.sh FOLDER BASE [COMMAND]
#
# COMMAND is run in it before its first boot; then it has a network, which the booted copy has not.
# The copy is an overlay in memory on FOLDER/root, and gone with the mount namespace; this machine's
# own files, /run and cgroups stay as they are. A reboot in there boots the same copy again.
# Exit status 69: this machine cannot do it, and the last line says why.
set -eu
folder=$1 base=$2 command=${3:-}
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
mount -t overlay -o "lowerdir=$base,upperdir=$folder/upper,workdir=$folder/work" overlay "$root" ||
    refused mount an overlay on $base
mount -t tmpfs -o mode=755 tmpfs /run || refused mount a tmpfs on /run
# A systemd since 256 wants the unified hierarchy, which some machines hide behind the old one.
mount -t cgroup2 cgroup2 /sys/fs/cgroup || refused mount cgroups
outside=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)
cgroup=$outside/qrsd-${folder##*-}
mkdir "$cgroup" && echo $$ >"$cgroup/cgroup.procs" || refused make a cgroup
# The unit has PrivateUsers, which no kernel allows within a chroot.
machine --as-pid2 unshare --user true || refused start a container with user namespaces

touch "$root/before-install"
if [ -n "$command" ]; then
    mkdir -p "$root/usr/local/src/qrsd"
    mount --bind "$here" "$root/usr/local/src/qrsd"
    mount --rbind /proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/run"
    chroot "$root" sh -c "$command"
    umount "$root/usr/local/src/qrsd" "$root/run"
    umount --lazy "$root/proc" "$root/dev"
fi

# What else this machine starts at boot is no matter of these tests.
[ "$base" != / ] || rm -rf "$root"/etc/systemd/system/*.wants

status=133 # what systemd-nspawn says of a reboot
while [ "$status" -eq 133 ]; do
    status=0
    machine --boot systemd.unit=multi-user.target || status=$?
done
echo $$ >"$outside/cgroup.procs"
find "$cgroup" -depth -type d -exec rmdir {} +
exit "$status"
