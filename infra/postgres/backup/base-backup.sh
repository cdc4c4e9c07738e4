#!/usr/bin/env bash
# A base backup of a running PostgreSQL, checked, and the ones too many removed. Once a day, beside receive-wal.sh:
#
#   DATABASE_DIRECT_URL=postgres://user:password@host:5432/proximal base-backup.sh /srv/backup
#
# KEEP (7): so many base backups stay, and the write-ahead log from the oldest of them on. docs/recovery.md tells the whole.
set -euo pipefail

folder="${1:?usage: base-backup.sh FOLDER}"
url="${DATABASE_DIRECT_URL:?DATABASE_DIRECT_URL: a role that may replicate, past any pooler}"
keep="${KEEP:-7}"

mkdir -p "$folder/base" "$folder/wal"
# The name is the moment from which on this backup can be restored: its end, by the server's clock.
partial="$folder/base/$$.partial"
trap 'rm -rf "$partial"' EXIT
pg_basebackup -d "$url" -D "$partial" -X stream -c fast --manifest-checksums=SHA256
pg_verifybackup --quiet "$partial"
name="$(psql -XAt -d "$url" -c "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24-MI-SS.MS\"Z\"')")"
mv "$partial" "$folder/base/$name"
sync -f "$folder/base"

find "$folder/base" -mindepth 1 -maxdepth 1 -type d ! -name '*.partial' -printf '%f\n' | sort -r | tail -n "+$((keep + 1))" |
  while read -r old; do rm -rf "${folder:?}/base/$old"; done
oldest="$(find "$folder/base" -mindepth 1 -maxdepth 1 -type d ! -name '*.partial' -printf '%f\n' | sort | head -n 1)"
first="$(sed -n 's/^START WAL LOCATION: .* (file \([0-9A-F]*\))$/\1/p' "$folder/base/$oldest/backup_label")"
pg_archivecleanup "$folder/wal" "$first"
echo "$folder/base/$name"
