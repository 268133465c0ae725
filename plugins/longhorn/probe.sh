# Says what lies in the directories of replicas. It reads and writes nothing:
# no file is made, moved, opened for writing or removed.
#
# $1 is the file with the machine's boot ID, $2 the disk, the rest are names of
# directories below its folder replicas. That a directory is missing is said
# only where the listing of its parent was read to the end; whatever cannot be
# read ends the script before its last line, and then nothing was said.
set -u
boot=$(cat -- "$1") || exit 1
printf 'boot %s\n' "$boot"
disk=$2
shift 2
nl='
'
has() { case "$nl$1$nl" in *"$nl$2$nl"*) ;; *) return 1 ;; esac; }
line() { head -c 4096 -- "$1" | tr -d '\n\r'; }

top=$(ls -A -- "$disk") || exit 1
if has "$top" longhorn-disk.cfg; then
	config=$(line "$disk/longhorn-disk.cfg") || exit 1
	printf 'disk %s\n' "$config"
fi
there=
if has "$top" replicas; then
	there=$(ls -A -- "$disk/replicas") || exit 1
fi
count=0
for name do
	count=$((count + 1))
	dir=$disk/replicas/$name
	if ! has "$there" "$name"; then
		printf 'none %s\n' "$name"
		continue
	fi
	if ! [ -d "$dir" ]; then
		printf 'odd %s\n' "$name"
		continue
	fi
	files=$(ls -A -- "$dir") || exit 1
	printf 'dir %s\n' "$name"
	if has "$files" volume.meta; then
		meta=$(line "$dir/volume.meta") || exit 1
		printf 'meta %s\n' "$meta"
	fi
	set -- "$dir"/*.img
	if [ -e "$1" ]; then
		stat -c 'image %s %b %B %n' -- "$@" || exit 1
	fi
done
printf 'done %s\n' "$count"
