#!/usr/bin/env python3
"""Does a plan's answer hold when it is tried?

Plans each workload, then offers the rate that the plan says the recommended machine sustains to that machine, again and
again in fresh processes on fresh databases, at random times, in turns with 1.5 times that rate. Prints a Markdown table
and the sums. Needs Python 3.8 and nothing else.

    docs/validate.py --workbench target/release/ave-workbench ledger registers mixed
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time


def run(workbench, words, directory):
    """Exit code and result of a command whose --json is its report."""
    done = subprocess.run([workbench, "--json", *words], cwd=directory, capture_output=True, text=True)
    if done.returncode in (2, 4) or not done.stdout.strip():
        return done.returncode, {"error": done.stderr.strip().splitlines()[-1:]}
    return done.returncode, json.loads(done.stdout)


def plan(options, workload, directory):
    words = ["plan", workload, "--target", str(options.target), "--slo", options.slo, "--durability", options.durability]
    code, report = run(options.workbench, words + options.plan.split(), directory)
    if "plan" not in report:
        sys.exit(f"plan {workload}: exit code {code}: {report.get('error')}")
    return report


def sustained(report, durability):
    """The recommended machine, the rate it sustains, and the events by which the database had grown."""
    found = next((one for one in report["plan"]["recommendations"] if one["durability"] == durability), None)
    if not found or not found["profile"]:
        return None
    machine = found["profile"]
    known = next(one for one in report["plan"]["profiles"] if one["profile"] == machine)
    mode = next(one for one in known["modes"] if one["durability"] == durability)
    return machine, mode["sustained_per_second"], report["plan"]["horizon"]["measured_grown_events_count"]


def met(options, workload, durability, machine, rate, grown_by, directory):
    """Whether a fresh run on a database of the same size met the objective."""
    words = ["run", workload, "--machine", machine, "--rate", f"{rate:.0f}", "--slo", options.slo]
    words += ["--grown-by", str(grown_by)] if grown_by else []
    words += ["--durability", durability, "--rounds", "1", "--measure", options.measure, "--warmup", "2s", "--no-verify"]
    code, report = run(options.workbench, words, directory)
    if code == 1:
        return False
    command = (report.get("objective") or {}).get("command")
    latency = next((one for mode in report.get("modes", []) for one in mode["commands"] if one["name"] == command), None)
    if not latency:
        return False
    name, limit = options.slo.split("=")
    limit_ns = float(limit[:-2]) * 1e6
    found = next((one["value_ns"] for one in latency["response"]["percentiles"] if one["name"] == name), None)
    behind = report["modes"][0]["achieved_per_second"] < 0.95 * rate
    return found is not None and found <= limit_ns and not behind


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="+", help="shipped workloads, workload files or traces")
    parser.add_argument("--workbench", default="ave-workbench", help="the program")
    parser.add_argument("--target", type=float, default=200, help="commands per second to plan for")
    parser.add_argument("--slo", default="p99=25ms", help="objective, in ms")
    parser.add_argument("--durability", default="both", choices=["off", "on", "both"])
    parser.add_argument("--runs", type=int, default=12, help="fresh runs at the rate: 60 per mode for five workloads")
    parser.add_argument("--beyond", type=int, default=4, help="fresh runs at 1.5 times the rate: 20 per mode")
    parser.add_argument("--pause", type=float, default=20, help="longest pause before a run, seconds: its length is random")
    parser.add_argument("--measure", default="6s", help="measured time of each")
    parser.add_argument("--plan", default="--quick", help="further options of the plan, such as --thorough")
    options = parser.parse_args()
    options.workbench = str(pathlib.Path(options.workbench).resolve()) if "/" in options.workbench else options.workbench
    options.workloads = [str(pathlib.Path(one).resolve()) if pathlib.Path(one).exists() else one for one in options.workloads]
    print("| workload | durability | machine | sustained, commands/s | met there | met at 1.5 times |")
    print("|:--|:--|:--|--:|--:|--:|", flush=True)
    sums = {}
    with tempfile.TemporaryDirectory(dir=".") as directory:
        for workload in options.workloads:
            report = plan(options, workload, directory)
            modes = ["off", "on"] if options.durability == "both" else [options.durability]
            answers = {mode: sustained(report, mode) for mode in modes}
            counts = {1.0: options.runs, 1.5: options.beyond}
            results = {(mode, factor): 0 for mode in modes if answers[mode] for factor in counts}
            # In random order, so that what the disk does meanwhile hits all of them.
            tries = [(mode, factor) for mode, factor in results for _ in range(counts[factor])]
            random.shuffle(tries)
            for mode, factor in tries:
                time.sleep(random.uniform(0, options.pause))
                machine, rate, grown_by = answers[mode]
                held = met(options, workload, mode, machine, factor * rate, grown_by, directory)
                results[mode, factor] += held
                sums[mode, factor] = sums.get((mode, factor), 0) + held
                sums[mode, factor, "all"] = sums.get((mode, factor, "all"), 0) + 1
            for mode in modes:
                name = pathlib.Path(workload).name
                if not answers[mode]:
                    print(f"| {name} | {mode} | none | – | – | – |", flush=True)
                    continue
                machine, rate, _ = answers[mode]
                print(
                    f"| {name} | {mode} | {machine} | {rate:,.0f} | {results[mode, 1.0]} of {options.runs} "
                    f"| {results[mode, 1.5]} of {options.beyond} |",
                    flush=True,
                )
    for mode, factor in [key for key in sums if len(key) == 2]:
        held, tried = sums[mode, factor], sums[mode, factor, "all"]
        print(f"\nDurability {mode}, {factor} times the sustained rate: met {held} of {tried}.")


if __name__ == "__main__":
    main()
