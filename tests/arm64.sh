#!/bin/sh
# Install qrsd into a Debian 12 for arm64, which a Pi's system is made of, and run its fast tests there.
#
#   sudo sh tests/arm64.sh [PYTEST ARGUMENTS]
#
# The processor, a Pi 4's, is emulated by qemu-user, so it takes half an hour. FOLDER=... keeps the
# system for the next time.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
packages="qemu-user-static mmdebstrap arch-test binfmt-support"
# With the SVE of qemu's own choice, the OpenBLAS of numpy 1.26 multiplies wrongly.
export QEMU_CPU=cortex-a72
export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8

[ "$(id -u)" -eq 0 ] || { echo "Making a system of another kind needs root: sudo make test-arm64"; exit 77; }
# All mounts are gone when it ends.
[ -n "${UNSHARED:-}" ] || UNSHARED=yes exec unshare --mount --propagation private sh "$0" "$@"

apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends $packages
mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
arch-test arm64 >/dev/null || update-binfmts --enable qemu-aarch64
arch-test arm64

if [ -z "${FOLDER:-}" ]; then
    FOLDER=$(mktemp -d)
    trap 'umount --lazy "$FOLDER/proc" "$FOLDER/dev"; rm -rf --one-file-system "$FOLDER"' EXIT
fi
[ -e "$FOLDER/bin" ] || mmdebstrap --mode=root --architectures=arm64 --variant=minbase \
    --include=make,python3,python3-venv,ca-certificates,systemd-standalone-sysusers bookworm "$FOLDER"
mkdir -p "$FOLDER/home/pi/qrsd"
tar -C "$here" --exclude='./.*' -cf - . | tar -C "$FOLDER/home/pi/qrsd" --no-same-owner -xf -
mount --rbind /proc "$FOLDER/proc"
mount --rbind /dev "$FOLDER/dev"
cp -L /etc/resolv.conf /etc/hosts "$FOLDER/etc"
cp /etc/ssl/certs/ca-certificates.crt "$FOLDER/etc/ssl/certs" # whom this machine trusts

# CI: hypothesis then has no deadlines, which an emulated processor would miss.
in_there() { chroot "$FOLDER" env HOME=/root CI=true sh -c "cd /home/pi/qrsd && $*"; }
in_there make install
in_there qrsd --version
in_there /opt/qrsd/bin/python -m pip --quiet install gpiozero hypothesis jsonschema prometheus-client pytest pytest-xdist
in_there /opt/qrsd/bin/python -m pytest --numprocesses=auto --dist=loadfile -m "'not realtime and not system and not servers and not web and not train and not benchmark'" "$@"
