# Begins one container: a file system of its own over this machine's, what the image of rootless BuildKit adds to it, its
# mounts, and then its command as its user. Run by `unshare --mount --pid --fork`; the words: folder, programs, mounts, command.
set -eu
folder=$1 programs=$2 mounts=$3
shift 3
mount --make-rprivate /
root=$folder/root
mkdir -p "$folder/upper" "$folder/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/dev"
mount -t tmpfs tmpfs "$root/run"
for device in null zero full random urandom tty; do
  : > "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir -p "$root/dev/shm" "$root/run/user/1000" "$root/home/user/.local/tmp"
chmod 1777 "$root/dev/shm"
for name in sh wget tar sed awk mktemp expr; do
  ln -sf "$(command -v busybox)" "$root/usr/local/bin/$name"
done
ln -sf "$(command -v busybox)" "$root/bin/sh"
cp "$programs"/build* "$root/usr/local/bin/"
echo 'user:x:1000:1000::/home/user:/bin/sh' > "$root/etc/passwd"
echo 'user:x:1000:' > "$root/etc/group"
echo user:100000:65536 | tee "$root/etc/subuid" > "$root/etc/subgid"
chown -R 1000:1000 "$root/run/user/1000" "$root/home/user"
while read -r from to; do
  if [ -d "$from" ]; then mkdir -p "$root$to"; else : > "$root$to"; fi
  mount --bind "$from" "$root$to"
done < "$mounts"
cd "$root"
mkdir -p .old
# Not chroot: who is in one may make no user namespace.
pivot_root . .old
umount -l /.old
cd /
exec "$@"
