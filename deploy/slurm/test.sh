#!/bin/bash
# Runs the array on a Slurm of its own: a controller and two nodes on this machine, in a directory that is removed at the end.
# Needs the packages slurmctld, slurmd, slurm-client and munge. Usage: test.sh AVE-WORKBENCH
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
place=$(mktemp -d /tmp/ave-slurm.XXXXXX)
daemons=()

finish() {
    for daemon in "${daemons[@]}"; do kill "$daemon" 2>/dev/null || true; done
    for daemon in "${daemons[@]}"; do wait "$daemon" 2>/dev/null || true; done
    [[ -n ${KEEP:-} ]] || rm -rf "$place"
}
trap finish EXIT

fails() {
    echo "test.sh: $1" >&2
    tail -n 20 "$place"/*.log "$place"/work/*.log >&2
    exit 1
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

chmod 755 "$place"
mkdir -p "$place"/{work,state,spool-a,spool-b}
dd if=/dev/urandom of="$place/key" bs=1024 count=1 status=none
chmod 400 "$place/key"
munged --foreground --force --socket "$place/munge" --key-file "$place/key" --pid-file "$place/munged.pid" \
    --log-file "$place/munged.log" --seed-file "$place/munged.seed" 2>"$place/munged.err.log" &
daemons+=($!)

cat >"$place/slurm.conf" <<END
ClusterName=test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$place/munge
CredType=cred/munge
StateSaveLocation=$place/state
SlurmdSpoolDir=$place/spool-%n
SlurmctldPidFile=$place/slurmctld.pid
SlurmdPidFile=$place/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=0
NodeName=a NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$(free_port) CPUs=1 RealMemory=64
NodeName=b NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$(free_port) CPUs=1 RealMemory=64
PartitionName=small Nodes=a,b Default=YES State=UP
END
export SLURM_CONF=$place/slurm.conf
until [[ -S $place/munge ]]; do
    kill -0 "${daemons[0]}" 2>/dev/null || fails "munged does not start"
    sleep 0.1
done
slurmctld -D 2>"$place/slurmctld.log" &
daemons+=($!)
for node in a b; do
    slurmd -D -N "$node" 2>"$place/slurmd-$node.log" &
    daemons+=($!)
done
for _ in {1..300}; do
    [[ $(sinfo --noheader --Node --format %T 2>/dev/null | sort -u) == idle ]] && break
    sleep 0.1
done
[[ $(sinfo --noheader --Node --format %T | sort -u) == idle ]] || fails "the nodes do not start"

cp "$here/../tiny.toml" "$place/work/tiny.toml"
cp "$1" "$place/ave-workbench"
cd "$place/work"
export AVE_WORKBENCH=$place/ave-workbench FLEET_DATA=$place

says() { # PYTHON-EXPRESSION over `page`, the newest of the array
    local newest
    newest=$(find "fleet/$job" -name machines.json | sort | tail -n 1)
    python3 -c "import json, sys; page = json.load(open(sys.argv[1])); sys.exit(not ($1))" "$newest" || fails "not so: $1"
}

nothing_left() {
    compgen -G "$place/ave-fleet-*" >/dev/null && fails "a data directory is left"
    true
}

question=(run tiny.toml --durability off --writers 1 --kills 0 --rate 100 --warmup 0s --anyway)

# 1. Two tasks on two nodes at a time, and a page when both have ended. Exit code 1 is a result.
job=$(sbatch --parsable --array=1-2 "$here/fleet.sbatch" "${question[@]}" --rounds 1 --measure 1s --slo p50=1ns)
sbatch --wait --dependency="afterany:$job" "$here/merge.sbatch" "fleet/$job" >/dev/null || fails "no page"
says "sum(len(machine['reports']) for machine in page['machines']) == 2 and not page['failures']"
[[ -d fleet/$job/a-1 && -d fleet/$job/b-2 || -d fleet/$job/a-2 && -d fleet/$job/b-1 ]] || fails "not a task on each node"
nothing_left

# 2. Tasks of the same array again: one has no report and is named with what failed, one is stopped midway. Two merges
# leave two pages.
export FLEET_JOB=$job
failed=$(sbatch --parsable --array=2 "$here/fleet.sbatch" run tiny.toml --nonesuch)
stopped=$(sbatch --parsable --array=1 "$here/fleet.sbatch" "${question[@]}" --rounds 20 --measure 1s)
until grep -q 'round 2' "ave-fleet-${stopped}_1.log" 2>/dev/null; do
    [[ $(squeue --noheader --jobs "$stopped" 2>/dev/null) ]] || fails "task 1 ended"
    sleep 0.2
done
scancel "$stopped"
sbatch --wait --dependency="afterany:$failed:$stopped" --wrap true >/dev/null
nothing_left
output=$(bash "$here/merge.sbatch" "fleet/$job" 2>&1) && fails "a page without a report"
for part in "unexpected argument '--nonesuch' found tip" 'was stopped, by scancel' "FLEET_JOB=$job sbatch --array=1"; do
    [[ $output == *"$part"* ]] || fails "$part is missing: $output"
done
# 3. Repeated, one has a report.
again=$(sbatch --parsable --array=1 "$here/fleet.sbatch" "${question[@]}" --rounds 1 --measure 1s)
sbatch --wait --dependency="afterany:$again" "$here/merge.sbatch" "fleet/$job" >/dev/null || fails "no page beside a failure"
says "[f['host'] in 'ab' and '--nonesuch' in f['what'] and not f['what'].startswith('error') for f in page['failures']] == [True]"
says "sum(len(machine['reports']) for machine in page['machines']) == 1"
bash "$here/merge.sbatch" >/dev/null 2>&1 && fails "merged without a directory"
echo "test.sh: an array on two nodes, pages, a task that failed, one that was stopped, and its repetition"
