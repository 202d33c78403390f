#!/usr/bin/env bash
# The whole store as one tar file: the database, the artifacts, and NORMLAW_HOME (journals and checkpoints) without
# the files of data sets, which are fetched again.
#   store.sh backup > FILE    the server may run
#   store.sh restore < FILE   replaces what is there; nothing is touched before the whole file has been read
# The database is named by PGHOST, PGUSER, PGPASSWORD and PGDATABASE; below $STORE lie artifacts/ and home/.
set -euo pipefail
store=${STORE:-/store}
umask 077

backup() {
    [[ ! -t 1 ]] || { echo "backup writes to standard output: send it into a file, > normlaw.tar" >&2; exit 2; }
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # The database before the files: a run is finished in it only when its files are there.
    pg_dump --format=custom --file="$work/database"
    date --utc --iso-8601=seconds > "$work/complete"
    # Status 1: a journal grew while it was read. It is read back to its last whole line.
    tar --create --warning=no-file-changed --exclude=home/data --exclude=.restore \
        --directory="$work" database --directory="$store" artifacts home --directory="$work" complete || (($? == 1))
}

restore() {
    [[ ! -t 0 ]] || { echo "restore reads from standard input: give it a file, < normlaw.tar" >&2; exit 2; }
    staged=$store/artifacts/.restore
    rm -rf "$staged" "$store/home/.restore"
    mkdir "$staged"
    trap 'rm -rf "$staged" "$store/home/.restore"' EXIT
    if ! tar --extract --directory="$staged" || [[ ! -s $staged/complete ]]; then
        echo "this is no whole backup: nothing was changed" >&2
        exit 1
    fi
    database=$PGDATABASE
    psql --quiet --dbname=postgres --set=ON_ERROR_STOP=1 \
        --command="DROP DATABASE IF EXISTS ${database}_restored" --command="CREATE DATABASE ${database}_restored" \
        2> >(grep -v "does not exist, skipping" >&2)
    pg_restore --exit-on-error --no-owner --dbname="${database}_restored" "$staged/database"
    cp --archive "$staged/home" "$store/home/.restore"  # another volume: from here on, only renaming

    replace "$store/artifacts" "$staged/artifacts"
    replace "$store/home" "$store/home/.restore"
    psql --quiet --dbname=postgres --set=ON_ERROR_STOP=1 \
        --command="DROP DATABASE IF EXISTS $database WITH (FORCE)" \
        --command="ALTER DATABASE ${database}_restored RENAME TO $database"
    echo "restored the backup of $(cat "$staged/complete")" >&2
}

replace() {  # FOLDER BY: what lies in BY goes in the place of what lies in FOLDER
    find "$1" -mindepth 1 -maxdepth 1 ! -name .restore ! -path "$store/home/data" -exec rm -rf {} +
    find "$2" -mindepth 1 -maxdepth 1 -exec mv --target-directory="$1" {} +
    chmod --reference="$2" "$1"
    [[ $(id -u) != 0 ]] || chown --reference="$2" "$1"
}

case ${1:-} in
    backup | restore) "$1" ;;
    *) echo "usage: store.sh backup > FILE, or store.sh restore < FILE" >&2; exit 2 ;;
esac
