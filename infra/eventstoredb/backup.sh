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

partial="$target.partial"
rm -rf "$partial"
mkdir -p "$partial"
# Scavenges and merges of the index remove files while they are copied: a run that meets one is to be repeated.
if [ -d "$data/index" ]; then
  mkdir "$partial/index"
  [ ! -f "$data/index/indexmap" ] || cp -p "$data/index/indexmap" "$partial/index/"
  find "$data/index" -mindepth 1 -maxdepth 1 -type f ! -name indexmap -exec cp -p -t "$partial/index" {} +
  [ ! -d "$data/index/stream-existence" ] || cp -rp "$data/index/stream-existence" "$partial/index/"
fi
find "$data" -maxdepth 1 -name '*.chk' -exec cp -p -t "$partial" {} +
# What is after the chaser may be half written: the node cuts it off when it starts.
cp "$partial/chaser.chk" "$partial/truncate.chk"
find "$data" -maxdepth 1 -name 'chunk-*' | sort | while read -r chunk; do cp -p "$chunk" "$partial/"; done
sync -f "$partial"
mv "$partial" "$target"
echo "$target"
