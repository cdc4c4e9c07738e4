#!/usr/bin/env bash
# A copy of the files of one node of EventStoreDB (or KurrentDB) while it runs, as its makers describe it: index first, then
# checkpoints, then chunks, so that no checkpoint counts what was not copied. Take it of a follower.
#
#   backup.sh /var/lib/eventstore /srv/backup/2026-03-01
#
# To restore: stop the node, copy the folder to where its data was, start it. It goes on from the chaser's checkpoint.
set -euo pipefail

data="${1:?usage: backup.sh DATA NEW_FOLDER}"
target="${2:?usage: backup.sh DATA NEW_FOLDER}"
[ -f "$data/chaser.chk" ] || { echo "backup.sh: $data is no data folder of EventStoreDB: it has no chaser.chk" >&2; exit 1; }
[ ! -e "$target" ] || { echo "backup.sh: $target is there already" >&2; exit 1; }

partial="$(realpath -m "$target").partial"
rm -rf "$partial"
mkdir -p "$partial"
# Of the index its checkpoints before what they count. A merge may remove a file while it is copied: run it again then.
if [ -d "$data/index" ]; then
  (cd "$data" && find index -type f -name '*.chk' -exec cp -p --parents -t "$partial" {} +)
  (cd "$data" && find index -type f ! -name '*.chk' -exec cp -p --parents -t "$partial" {} +)
fi
find "$data" -maxdepth 1 -name '*.chk' -exec cp -p -t "$partial" {} +
# What is after the chaser may be half written: the node cuts it off when it starts.
cp "$partial/chaser.chk" "$partial/truncate.chk"
find "$data" -maxdepth 1 -name 'chunk-*' | sort | while read -r chunk; do cp -p "$chunk" "$partial/"; done
sync -f "$partial"
mv "$partial" "$target"
echo "$target"
