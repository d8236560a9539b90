#!/bin/bash
# Runs the play against three sshd on this machine: one host dies midway, the controller is killed, and the next runs resume.
# Five more hosts fail the preflight. Usage: test.sh AVE-WORKBENCH
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
place=$(mktemp -d /tmp/ave-fleet.XXXXXX)
hosts=$place/hosts
declare -A daemons

host_ends() { # NAME: its sshd with all connections, as if the host had no power
    local daemon=${daemons[$1]} sessions
    sessions=$(cat "/proc/$daemon/task/$daemon/children")
    # shellcheck disable=SC2086
    kill -9 "$daemon" $sessions 2>/dev/null || true
    [[ ! -e $hosts/$1/pid ]] || kill -9 -- "-$(cat "$hosts/$1/pid")" 2>/dev/null || true
    unset "daemons[$1]"
}

finish() {
    for name in "${!daemons[@]}"; do host_ends "$name"; done
    [[ -z ${play:-} ]] || kill -9 -- "-$play" 2>/dev/null || true
    # Connections that ssh keeps open end with their sshd.
    [[ -n ${KEEP:-} ]] || rm -rf "$place"
}
trap finish EXIT


fails() {
    echo "test.sh: $1" >&2
    tail -n 40 "$place"/run-*.log >&2 || true
    exit 1
}

host_starts() { # NAME PORT
    cat >"$place/$1.conf" <<END
Port $2
ListenAddress 127.0.0.1
HostKey $place/key
AuthorizedKeysFile $place/key.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
END
    /usr/sbin/sshd -D -f "$place/$1.conf" 2>"$place/$1.sshd.log" &
    daemons[$1]=$!
    disown
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

run() { # LOG ARGUMENT…: the play, to its end
    local log=$place/$1.log
    shift
    (cd "$place" && exec setsid ansible-playbook -i "${INVENTORY:-hosts.ini}" "$here/fleet.yml" "$@") >"$log" 2>&1
}

until_running() { # NAME PROCESS: until the host measures, or the play ends
    until [[ -s $hosts/$1/pid ]]; do
        kill -0 "$2" 2>/dev/null || fails "$1 did not start"
        sleep 0.1
    done
}

page() { # the newest
    find "$place/fleet" -name machines.json | sort | tail -n 1
}

says() { # PYTHON-EXPRESSION over `page`, the newest comparison
    python3 -c "import json, sys; page = json.load(open(sys.argv[1])); sys.exit(not ($1))" "$(page)" || fails "not so: $1"
}

[[ -d /run/sshd ]] || mkdir -p /run/sshd 2>/dev/null || true
ssh-keygen -q -t ed25519 -N '' -f "$place/key"
port_a=$(free_port) port_b=$(free_port) port_c=$(free_port)
host_starts a "$port_a"
host_starts b "$port_b"
host_starts c "$port_c"

strip -o "$place/ave-workbench" "$1" 2>/dev/null || cp "$1" "$place/ave-workbench"
cp "$here/../tiny.toml" "$place/tiny.toml"
cat >"$place/hosts.ini" <<END
[small]
a ansible_port=$port_a
b ansible_port=$port_b fleet_binary_on_host=$place/ave-workbench
[large]
c ansible_port=$port_c
[preflight]
unreachable ansible_port=1
full fleet_free_gib=99999999
readonly fleet_dir=/proc/fleet
text fleet_binary=tiny.toml fleet_command="run tiny.toml --start-at 2026-05-04T12:00:00Z"
inputless fleet_inputs='["nonesuch.toml"]'
[preflight:vars]
ansible_port=$port_a
[all:vars]
ansible_host=127.0.0.1
ansible_user=$(id -un)
ansible_ssh_private_key_file=$place/key
ansible_ssh_common_args=-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR
ansible_remote_tmp=$place/tmp
fleet_dir=$hosts/{{ inventory_hostname }}
fleet_inputs=["tiny.toml"]
fleet_free_gib=0.1
fleet_poll_seconds=1
fleet_connect_seconds=2
fleet_reconnect_seconds=2
# An objective that no host meets: exit code 1 is a result.
fleet_command=run tiny.toml --durability off --writers 1 --kills 0 --rate 100 --rounds 1 --warmup 0s --measure 4s --slo p50=1ns --anyway
END
export AVE_WORKBENCH=$place/ave-workbench
export ANSIBLE_CONFIG=$here/ansible.cfg ANSIBLE_SSH_CONTROL_PATH_DIR=$place/cp ANSIBLE_LOCAL_TEMP=$place/local ANSIBLE_NOCOLOR=1

# 0. What is wrong with a host is named, with what to do.
mkdir -p "$hosts/direct"
cp "$here/job" "$hosts/direct/"
refuses() { # PART ARGUMENT…
    local part=$1 said
    shift
    said=$("$hosts/direct/job" "$@") && fails "accepted: $*"
    [[ $said == *"$part"* && $said == *" | "*. ]] || fails "$part is missing: $said"
}
machine=$(uname -m) job=$hosts/direct/jobs/1
"$hosts/direct/job" check "$job" "$machine" 0.1 "$(date +%s)" || fails "this host is refused"
refuses "architecture is $machine" check "$job" vax 0.1 "$(date +%s)"
refuses "99999999 GiB" check "$job" "$machine" 99999999 "$(date +%s)"
refuses "clock differs" check "$job" "$machine" 0.1 "$(($(date +%s) + 60))"
refuses "another build" start "$job" "$(printf %064d 0)" "$place/ave-workbench"
refuses "does not run" start "$job" "$(sha256sum </bin/false | cut -c 1-64)" /bin/false
refuses "no program /nonesuch" start "$job" "$(printf %064d 0)" /nonesuch
refuses "processes were killed, or the host restarted" status "$job"
refuses "no measurement runs" stop
kib=$(df -Pk "$hosts" | awk 'NR == 2 { print $4 }')
refuses " GiB are free in $hosts/direct, expected" check "$job" "$machine" "$(awk "BEGIN { printf \"%.6f\", $kib / 1048576 + 1 }")" "$(date +%s)"
touch "$hosts/file"
refuses "cannot be written" check "$hosts/file/job" "$machine" 0.1 "$(date +%s)"
ended() { # EXIT-CODE LOG EXPECTED: what a measurement leaves
    echo "$1" >"$job/exit-code"
    printf "$2" >"$job/log"
    refuses "$3" status "$job"
}
ended '137 without a report' 'measuring\n' 'exit code 137 without a report: it was killed, likely because the memory ran out'
ended '2 without a report' "measuring\nerror: unexpected argument '--x'\n\nUsage: run\n\nSee --help\n" \
    "exit code 2 without a report: unexpected argument '--x' Usage: run See --help"
ended '2 without a report' 'error: 3 GiB are free. Give --data-dir on a larger disk\n' 'set fleet_dir'
rm "$job/exit-code"
exec 8>>"$hosts/direct/lock"
flock 8
printf '%s\n' "another job" "plan ledger" >"$hosts/direct/running"
echo 4711 >"$hosts/direct/pid"
refuses "another measurement runs: plan ledger, process group 4711" start "$job" "$(printf %064d 0)" "$place/ave-workbench"
refuses "$hosts/direct/job stop" status "$job"
exec 8>&-
refuses "no measurement runs" stop
digest=$(sha256sum <"$place/ave-workbench" | cut -c 1-64)
cp "$place/tiny.toml" "$job/"
start() { "$hosts/direct/job" start "$job" "$digest" "$place/ave-workbench" run tiny.toml --durability off --writers 1 --kills 0 --rate 100 \
    --rounds 2 --warmup 0s --measure 1s --anyway --data-dir "$hosts/direct/data" --reports-dir reports; }
until_log() { for _ in {1..100}; do grep -q "$1" "$job/log" 2>/dev/null && return; sleep 0.1; done; fails "no $1: $(cat "$job/log")"; }
start
until_log "round 2"
"$hosts/direct/job" stop || fails "it does not stop"
refuses "exit code 3 interrupted: it was stopped" status "$job"
touch "$job/reports/.plan-1.journal"
start

refused() { # TEXT ARGUMENT…: by the play, at once
    local text=$1
    shift
    run refused "$@" && fails "accepted: $*"
    tr -s ' \n' ' ' <"$place/refused.log" | grep -q -e "$text" || fails "$text is missing: $(cat "$place/refused.log")"
}
refused "write --limit 'small,localhost'" --limit small
grep -v ^fleet_command "$place/hosts.ini" >"$place/mute.ini"
INVENTORY=mute.ini refused "no fleet_command for .*: set it"

# 1. A host dies while it measures.
run run-1 & play=$!
until_running c "$play"
host_ends c
wait "$play" && fails "a run with failed hosts succeeded"
says "len(page['machines'][0]['reports']) == 2"
says "sorted(failure['host'] for failure in page['failures']) == ['c', 'full', 'inputless', 'readonly', 'text', 'unreachable']"
for expected in 'c|lost' 'unreachable|address' 'full|99999999' 'readonly|/proc/fleet cannot be written: mkdir' "text|$place/tiny.toml is no program" \
    "inputless|no file $place/nonesuch.toml"; do
    host=${expected%%|*} text=${expected#*|}
    grep -q "\"$host (.*: .*\. Then set a new --start-at and run .make fleet. again: it measures all hosts" "$place/run-1.log" || fails "$host is not shown"
    says "any('$text' in f['what'] + f['hint'] and f['hint'].endswith('.') for f in page['failures'] if f['host'] == '$host')"
done
# What was stopped was measured again meanwhile.
flock "$hosts/direct/lock" "$hosts/direct/job" status "$job" >"$place/status.log" || fails "no result after a stop"
[[ $(tar -tf "$job/report.tar" | grep -c '/report.json$') == 1 && -e $job/reports/.plan-1.journal ]] || fails "a part is left, or no journal"
grep -q '^a: .*measuring' "$place/run-1.log" || fails "no live status"

# 2. The controller dies while that host measures, and another again.
sed -i '/^\[preflight\]/,/^ansible_port/d' "$place/hosts.ini"
rm -f "$hosts/c/pid"
host_starts c "$port_c"
of_a=$(find "$hosts/a/jobs" -name exit-code) of_b=$(find "$hosts/b/jobs" -name exit-code)
echo 3 >"$of_a"
echo 1 >"$of_b"
touch "$place/before"
(cd "$place" && exec setsid ansible-playbook -i hosts.ini "$here/fleet.yml" -e fleet_again=true) >"$place/run-2.log" 2>&1 & play=$!
disown
until_running c "$play"
until_running a "$play"
kill -9 -- "-$play"
kill -0 -- "-$(cat "$hosts/c/pid")" || fails "the measurement ended with the controller"

# 3. The next run waits for what still runs, measures nothing twice, and names what is inconclusive.
echo 3 >"$of_b"
touch -r "$place/before" "$of_b"
run run-3 --limit a,b,c,localhost || fails "it did not resume"
[[ $(find "$hosts"/c/jobs -name report.json | wc -l) == 1 ]] || fails "c was measured twice"
[[ $of_a -nt $place/before && ! $of_b -nt $place/before ]] || fails "not a alone was measured again"
grep -q 'inconclusive: .*b.*fleet_again=true' "$place/run-3.log" || fails "b is not named"
says "sum(len(machine['reports']) for machine in page['machines']) == 3 and not page['failures']"
[[ -f $(find "$place/fleet/large/c" -name report.html) && ! -e $place/fleet/large/c/failure.json ]] || fails "no report of c"
echo "test.sh: three hosts, one that died, a controller that died, and five hosts that failed the preflight"
