//! Errors: arguments, workload files, standard error.

use super::program::{FAILED, Place, TINY, USAGE};

#[test]
fn invalid_arguments_exit_with_2_and_touch_nothing() {
    let place = Place::new();
    for (words, parts) in [
        ("", &["Usage"][..]),
        ("fly", &["fly"]),
        ("run", &["<WORKLOAD|TRACE>"]),
        ("run nonesuch", &["no workload named `nonesuch`", "ledger", "mixed"]),
        ("run tiny.toml --rate 0", &["'0' for '--rate", "more than 0"]),
        ("run tiny.toml --rate -5", &["'-5' for '--rate", "more than 0"]),
        ("run tiny.toml --rate NaN", &["'NaN' for '--rate"]),
        ("run tiny.toml --rate inf", &["'inf' for '--rate"]),
        ("run tiny.toml --rate 5 --speed 2", &["--rate", "--speed"]),
        ("run tiny.toml --speed 2", &["--speed needs a trace"]),
        ("run tiny.toml --measure soon", &["'soon' for '--measure", "`30s`"]),
        ("run tiny.toml --measure 0s", &["'0s' for '--measure", "above zero"]),
        ("run tiny.toml --measure 200000000000y", &["'200000000000y' for '--measure", "a hundred years"]),
        ("run tiny.toml --rounds 0", &["'0' for '--rounds"]),
        ("run tiny.toml --writers 0", &["'0' for '--writers", "from 1 to 1,024"]),
        ("run tiny.toml --tune-for huge", &["'huge' for '--tune-for", "nano", "CORES,RAM_MIB", "`host`"]),
        ("run tiny.toml --tune-for 0,512", &["'0,512' for '--tune-for"]),
        ("run tiny.toml --machine nanoo", &["did you mean `nano`?"]),
        ("run ledgr", &["no workload named `ledgr`", "did you mean `ledger`?"]),
        ("ran ledger", &["'run'"]),
        ("run tiny.toml --rate 20,00", &["'20,00' for '--rate", "`2,000` or `2k`"]),
        ("run tiny.toml --rate 5000..500", &["a ramp that rises"]),
        ("plan tiny.toml --target 2m --slo p99=1ms", &["'2m' for '--target", "`2000` or `2k`"]),
        ("run tiny.toml --warmup soon", &["'soon' for '--warmup", "`steady`"]),
        ("run tiny.toml --slo fast", &["'fast' for '--slo", "p99=10ms"]),
        ("run tiny.toml --slo p42=1ms", &["no percentile `p42`", "p99.99"]),
        ("run tiny.toml --slo p99=-1ms", &["longer than zero"]),
        ("run tiny.toml --slo recover:p99=1ms", &["`recover`", "never issues", "it issues persist"]),
        ("plan tiny.toml --target 0 --slo p99=1ms", &["'0' for '--target", "more than 0"]),
        ("plan tiny.toml --target -1 --slo p99=1ms", &["'-1' for '--target"]),
        ("plan tiny.toml --target 5 --slo p99=1ms --headroom 100", &["a headroom of 100 %", "below 100"]),
        ("plan tiny.toml --target 5 --slo p99=1ms --headroom -1", &["a headroom of -1 %"]),
        ("plan tiny.toml --target 5 --slo recover:p99=1ms", &["`recover`", "never issues"]),
        ("plan tiny.toml --target 5", &["--slo"]),
        ("plan --target 5 --slo p99=1ms", &["<WORKLOAD|TRACE>"]),
        ("plan tiny.toml --target 5,3,9 --slo p99=1ms", &["'5,3,9' for '--target", "ascending", "500,2000,5000"]),
        ("plan tiny.toml --target 5 --slo p99=1ms --growth 4%", &["'4%' for '--growth", "4%/month"]),
        ("plan tiny.toml --target 5 --slo p99=1ms --machines clouds", &["no catalogue `clouds`", "cloud"]),
        ("plan tiny.toml --target 5 --slo p99=1ms --machines tiny.toml --machine nano", &["--machines", "--machine"]),
        ("plan --from report --slo p99=1ms", &["--from", "--slo"]),
        ("plan tiny.toml --from report", &["--from", "<WORKLOAD|TRACE>"]),
        ("plan tiny.toml --target 5 --slo p99=1ms --retention 0", &["'0' for '--retention"]),
        ("plan tiny.toml --target 5 --slo p99=1ms --machine host", &["'host' for '--machine"]),
        ("plan tiny.toml --target 5 --slo p99=1ms --what-if colour=2x", &["'colour=2x' for '--what-if", "event_size"]),
        ("workloads nonesuch", &["nonesuch", "ledger"]),
        ("workloads nonesuch --memory", &["nonesuch", "ledger"]),
        ("workloads --memory", &["<WORKLOAD>"]),
        ("trace import log.csv --delimiter ß", &["'ß' for '--delimiter", "one ASCII character"]),
        ("trace import log.csv --snapshot-every 5", &["--snapshot-every", "--persistence full"]),
        ("trace export t.csv --table trace --format csv", &["--format", "a trace has its own"]),
        ("run tiny.toml --allow-truncated", &["--allow-truncated needs a trace"]),
        ("completions csh", &["csh", "bash"]),
    ] {
        let ended = place.run(words);
        ended.refused(USAGE, parts);
        place.holds_only(&[]);
    }
}

#[test]
fn an_invalid_catalogue_is_refused_with_file_line_and_field() {
    let place = Place::new();
    let header = "name,vcpus,memory,price_per_hour,currency,price_date\n";
    for (rows, part) in [
        ("", "m.csv: it has no machine"),
        ("a,1,,1,EUR,2026-11-28\n", "m.csv:2: `memory` is missing"),
        ("a,1,1,1,,2026-11-28\n", "m.csv:2: `currency` is missing"),
        ("a,1,1,1,EUR,2026-11-28\nb,1,1,1,USD,2026-11-28\n", "m.csv:3: `currency` is USD here and EUR on line 2"),
        ("a,1,1,1,EUR,2026-11-28\na,1,1,1,EUR,2026-11-28\n", "m.csv:3: `name` is `a`, which the machine on line 2 has"),
    ] {
        place.write("m.csv", format!("{header}{rows}"));
        place.run("plan tiny.toml --target 5 --slo p99=1ms --machines m.csv").refused(FAILED, &[part]);
    }
}

#[test]
fn an_invalid_workload_file_is_refused_with_file_line_and_key() {
    let place = Place::new();
    place.write("bad.toml", TINY.replace("count = 5", "count = 5\ncolour = 3"));
    place.run("run bad.toml").refused(FAILED, &["bad.toml:7: ", "colour", "`count`, `types`"]);
    place.write("bad.toml", TINY.replace("count = 5", "count = 0"));
    place.run("run bad.toml").refused(FAILED, &["bad.toml:6: ", "count", "1 to 100,000,000"]);
    place.run("run .").refused(FAILED, &["cannot read workload ."]);
    place.holds_only(&["bad.toml"]);
}

#[test]
fn errors_go_to_standard_error_only() {
    let place = Place::new();
    place.write("broken.json", "{}");
    for (words, code, why) in [
        ("run nonesuch", USAGE, "nonesuch"),
        ("run tiny.toml --slo p99", USAGE, "p99"),
        ("plan ledger --target 0 --slo p99=10ms", USAGE, "target"),
        ("certify --check nonesuch.json", FAILED, "nonesuch.json"),
        ("trace info nonesuch.csv", FAILED, "nonesuch.csv"),
        ("trace import nonesuch.csv", FAILED, "nonesuch.csv"),
        ("report nonesuch", FAILED, "nonesuch"),
        ("report broken.json", FAILED, "broken.json"),
        ("report merge nonesuch", FAILED, "nonesuch"),
        ("workloads nonesuch", USAGE, "nonesuch"),
        ("host --data-dir nonesuch", FAILED, "nonesuch"),
        ("man broken.json", FAILED, "cannot write broken.json"),
        ("run nonesuch.toml", FAILED, "cannot read workload nonesuch.toml"),
        ("run ./nonesuch", FAILED, "cannot read workload ./nonesuch"),
        ("plan nonesuch.csv --target 5 --slo p99=1s", FAILED, "nonesuch.csv"),
        ("trace generate nonesuch.toml -o t.csv", FAILED, "nonesuch.toml"),
        ("workloads nonesuch.toml", FAILED, "nonesuch.toml"),
        ("workloads nonesuch.toml --memory", FAILED, "nonesuch.toml"),
    ] {
        for verbosity in ["", " --json", " --quiet"] {
            place.run(&format!("{words}{verbosity}")).refused(code, &["error: ", why]);
        }
    }
}
