#!/usr/bin/env bash
# A new data folder from what base-backup.sh and receive-wal.sh wrote: as of the last commit there is, of a time, or of a position
# of Proximal's log. Run it as the user that runs PostgreSQL:
#
#   restore.sh /srv/backup /var/lib/postgresql/15/main
#   restore.sh /srv/backup /var/lib/postgresql/15/main --to-time '2026-03-01 12:00:00Z'
#   restore.sh /srv/backup /var/lib/postgresql/15/main --to-position 123456
#
# --to-position N ends with the commit that holds position N (an append of others may share it), and needs
# `track_commit_timestamp = on` from when it was written; all of the log is replayed once to find it, then again. The server
# is stopped when this ends. Then `proximal after-restore --yes`, and a new FOLDER for the next backups.
# DATABASE (proximal) is the database that is looked into, PGUSER a superuser of the server (else: the one of your name). docs/recovery.md tells the whole.
set -euo pipefail

usage="usage: restore.sh FOLDER DATA [--to-time TIME | --to-position N]"
folder="$(realpath "${1:?$usage}")"
data="$(realpath -m "${2:?$usage}")"
kind="${3:-}"
target="${4:-}"
database="${DATABASE:-proximal}"

fail() {
  echo "restore.sh: $*" >&2
  exit 1
}

case "$kind" in
"") ;;
--to-time)
  [ -n "$target" ] || fail "$usage"
  # Without one, PostgreSQL would take it for the server's zone, and this script for UTC.
  [[ "$target" =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}[T\ ][0-9:.]+\ ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)$ ]] ||
    fail "--to-time takes a time with its zone, like '2026-03-01 12:00:00Z' or '2026-03-01 13:00:00+01'"
  ;;
--to-position) [[ "$target" =~ ^[0-9]+$ ]] || fail "--to-position takes a number" ;;
*) fail "$usage" ;;
esac
[ "$(id -u)" != 0 ] || fail "run it as the user that runs PostgreSQL, not as root: sudo -u postgres $0 ..."
[ -z "$(ls -A "$data" 2>/dev/null)" ] || fail "$data is not empty: move it away first, it may hold what the backup does not"

# Its own socket, whatever port its settings say, and no network: nobody else finds it.
socket="$(mktemp -d)"
running=""
end() {
  [ -z "$running" ] || pg_ctl -D "$data" -m fast -w stop >/dev/null || true
  rm -rf "$socket"
}
trap end EXIT

ask() {
  psql -XAt -h "$socket" -p 5432 -d "$1" -c "$2"
}

# The newest base backup that had ended by this moment (its name), all of them without one.
base_before() {
  local name newest=""
  for name in $(find "$folder/base" -mindepth 1 -maxdepth 1 -type d ! -name '*.partial' -printf '%f\n' | sort); do
    [[ -n "$1" && ! "$name" < "$1" ]] || newest="$name"
  done
  [ -n "$newest" ] || fail "no base backup in $folder/base${1:+ ended before $1}"
  echo "$newest"
}

# Base backup $1, with settings for its recovery in $2; the files it was started with are put back afterwards.
lay() {
  rm -rf "$data"
  cp -a "$folder/base/$1" "$data"
  chmod 700 "$data"
  cp "$data/postgresql.auto.conf" "$data/postgresql.auto.conf.before"
  {
    # A segment that was still being received when its server was lost has an ending of its own.
    echo "restore_command = 'cp \"$folder/wal/%f\" \"%p\" 2>/dev/null || cp \"$folder/wal/%f.partial\" \"%p\"'"
    echo "$2"
  } >>"$data/postgresql.auto.conf"
}

# Says why it did not, in `why`.
start() {
  local options="-c listen_addresses= -c port=5432 -c unix_socket_directories=$socket -c archive_mode=off -c synchronous_standby_names=" name value
  # A server that answers while it recovers must be as large as the one that wrote the log.
  for name in max_connections max_worker_processes max_wal_senders max_prepared_xacts max_locks_per_xact; do
    value="$(pg_controldata "$data" | sed -n "s/^$name setting: *//p")"
    case "$name" in
    max_prepared_xacts) name=max_prepared_transactions ;;
    max_locks_per_xact) name=max_locks_per_transaction ;;
    esac
    [ -z "$value" ] || options="$options -c $name=$value"
  done
  running=yes
  pg_ctl -D "$data" -l "$data/restore.log" -w -t 86400 -o "$options ${SERVER_OPTIONS:-}" start >/dev/null && return
  running=""
  why="the server did not start: $(tail -n 5 "$data/restore.log")"
  return 1
}

# Until it is done with recovery and takes connections. Says why it is not, in `why`.
recovered() {
  start || return 1
  local said
  until said="$(ask postgres "SELECT pg_is_in_recovery()" 2>&1)" && [ "$said" = f ]; do
    case "$said" in *"does not exist"* | *"authentication failed"* | *"no pg_hba.conf entry"*)
      why="the server cannot be asked; PGUSER names its superuser, where that is not who runs it: $said"
      return 1
      ;;
    esac
    if ! pg_ctl -D "$data" status >/dev/null; then
      running=""
      why="the server ended: $(tail -n 5 "$data/restore.log")"
      return 1
    fi
    sleep 0.1
  done
}

stop() {
  pg_ctl -D "$data" -m fast -w stop >/dev/null
  running=""
}

# When the commit that holds position $1 was made, into `moment`: everything is replayed, and nothing promoted.
time_of_position() {
  lay "$(base_before "")" "hot_standby = on
wal_retrieve_retry_interval = 200ms"
  touch "$data/standby.signal"
  start || fail "$why"
  local lsn before=none still=0
  while true; do
    moment="$(ask "$database" "SELECT pg_xact_commit_timestamp(xmin) FROM events WHERE position = $1")"
    [ -z "$moment" ] || break
    lsn="$(ask "$database" "SELECT pg_last_wal_replay_lsn()")"
    if [ "$lsn" = "$before" ]; then still=$((still + 1)); else still=0; fi
    [ "$still" -lt 6 ] || fail "position $1 is not in this backup: it ends at $(ask "$database" "SELECT position FROM log_head")"
    before="$lsn"
    sleep 0.5
  done
  stop
}

moment=""
why=""
# Not as it was given: PostgreSQL knows no names of zones yet when it reads this, not even Z.
[ "$kind" = --to-time ] && moment="$(date -u -d "$target" '+%Y-%m-%d %H:%M:%S.%6N+00')"
[ "$kind" = --to-position ] && time_of_position "$target"

named=""
[ -z "$moment" ] || named="$(date -u -d "$moment" '+%Y-%m-%dT%H-%M-%S.%3NZ')"
base="$(base_before "$named")"
ending=""
[ -z "$moment" ] || ending="recovery_target_time = '$moment'
recovery_target_inclusive = on
recovery_target_action = promote"
lay "$base" "hot_standby = off
$ending"
touch "$data/recovery.signal"
if ! recovered; then
  # Nothing was committed after that moment: then it is the end that is meant.
  grep -q "recovery ended before configured recovery target was reached" "$data/restore.log" || fail "$why"
  lay "$base" "hot_standby = off"
  touch "$data/recovery.signal"
  recovered || fail "$why"
fi
position="$(ask "$database" "SELECT position FROM log_head")"
stop
mv "$data/postgresql.auto.conf.before" "$data/postgresql.auto.conf"
echo "$data holds the log up to position $position; next: start the server, then proximal after-restore --yes"
