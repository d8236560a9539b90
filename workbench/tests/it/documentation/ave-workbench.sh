#!/bin/bash
# Runs the built `ave-workbench` for a document: the same command with short measurements. All changes are made here.
set -euo pipefail
words=("$@")

# Gives an option this value, whatever it was.
short() {
    local at
    for at in "${!words[@]}"; do
        if [[ ${words[at]} == "$1" ]]; then
            words[at + 1]=$2
            return
        fi
    done
    words+=("$1" "$2")
}

has() { [[ " ${words[*]} " == *" $1 "* ]]; }

# A shipped workload is the same one with a preload of one event per actor.
with_less_preload() {
    local at
    for at in "${!words[@]}"; do
        if [[ -e $SHORT_WORKLOADS/${words[at]}.toml ]]; then words[at]=$SHORT_WORKLOADS/${words[at]}.toml; fi
    done
}

# On a busy host an objective may be missed, or the result inconclusive: the document still works.
measured() {
    printf '%s\t%s\n' "$1" "$invocation" >>"$RUN_LOG"
    [[ $1 == 1 || $1 == 3 ]] && exit 0
    exit "$1"
}

# Stops a plan, as Ctrl-C does, after its first ceiling: it writes a report of what it has measured.
first_ceiling_of_a_plan() {
    local log process code=0
    log=$(mktemp)
    "$WORKBENCH" "${words[@]}" 2>"$log" &
    process=$!
    while kill -0 $process 2>/dev/null && ! grep -q 'ceiling' "$log"; do sleep 0.1; done
    kill -TERM $process 2>/dev/null || true
    wait $process || code=$?
    cat "$log" >&2
    return $code
}

invocation="ave-workbench $*"
code=0
# Other tests keep the host busy.
if [[ ${1-} == run || ${1-} == plan || ${1-} == certify ]]; then words+=(--anyway); fi
case ${1-} in
run)
    with_less_preload
    short --rounds 1
    # Kills are tried where the document shows them.
    if has --kills; then short --kills 1; elif ! has --no-verify; then short --kills 0; fi
    # A trace without a rate or a speed runs from its first to its last command.
    if ! [[ $2 == *.csv || $2 == *.zst || -d $2 ]] || has --rate || has --measure; then
        short --measure 400ms
        short --warmup 0s
    fi
    "$WORKBENCH" "${words[@]}" || code=$?
    measured $code
    ;;
certify)
    with_less_preload
    if ! has --check; then
        short --duration 3s
        short --slice 1s
        "$WORKBENCH" "${words[@]}" || code=$?
        measured $code
    fi
    ;;
plan)
    if has --from; then
        "$WORKBENCH" "${words[@]}" || code=$?
        measured $code
    fi
    with_less_preload
    short --horizon 1m
    words=("${words[@]/#--thorough/--quick}")
    has --quick || words+=(--quick)
    has --durability || words+=(--durability off)
    first_ceiling_of_a_plan || code=$?
    measured $code
    ;;
compare | history)
    "$WORKBENCH" "${words[@]}" || code=$?
    measured $code
    ;;
trace)
    # A trace that is made to be replayed often.
    with_less_preload
    words=("${words[@]/#40000/1000}")
    ;;
report)
    "$WORKBENCH" "${words[@]}" || code=$?
    measured $code
    ;;
host)
    short --probe 100ms
    ;;
esac
"$WORKBENCH" "${words[@]}" || code=$?
printf '%s\t%s\n' $code "$invocation" >>"$RUN_LOG"
exit $code
