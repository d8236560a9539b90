//! Fits: the trace that is generated from a fitted workload resembles the original.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind};
use ave_workbench::actor::{PersistenceRules, Strategy};
use ave_workbench::load::arrival_times;
use ave_workbench::trace;
use ave_workbench::trace::{
    Fit, GenerateLength, GenerateOptions, ImportOptions, Preload, Selection, Sizes, Table, TableFormat, Trace,
    TraceBuilder, TraceInfo, Truncation,
};
use ave_workbench::workload::{Arrivals, Bursts, PersistenceMode, Step, Workload, shipped};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tempfile::tempdir;

use crate::support::skip::skipped;
use crate::support::{TracedCommand, commands_in, provenance, trace_of_commands};

const RATE: f64 = 500.0;

fn options(length: GenerateLength, preload: Preload) -> GenerateOptions {
    GenerateOptions { length, preload, per_second: RATE }
}

/// The trace of a workload, by way of a file.
fn generated(workload: &Workload, options: &GenerateOptions) -> Trace {
    let directory = tempdir().unwrap();
    let path = directory.path().join("t.csv.zst");
    let times = arrival_times(workload.arrivals, options.per_second, workload.seed);
    let summary = trace::generate(&Arc::new(workload.clone()), &path, options, times, |_| true).unwrap();
    let read = trace::read(&path, Truncation::Refuse).unwrap();
    assert_eq!((summary.commands, summary.operations), (read.command_count(), read.operation_count()));
    read
}

fn commands_of(workload: &Workload, commands: u64) -> Trace {
    generated(workload, &options(GenerateLength::Commands(commands), Preload::AsPast))
}

/// A fitted workload reads back from its file, and the trace that is generated from it resembles the original.
#[track_caller]
fn fits(original: &Trace) -> (Fit, TraceInfo, TraceInfo) {
    let fit = trace::fit(original, arrival_times).unwrap();
    let workload = Workload::parse(&fit.to_toml()).unwrap();
    assert_eq!(workload, fit.workload);
    let again = trace::info(&commands_of(&workload, original.command_count())).unwrap();
    let info = trace::info(original).unwrap();
    for kind in OpKind::ALL {
        let off = (info.operation_share(kind) - again.operation_share(kind)).abs();
        assert!(off <= 0.01, "{}: {kind} is off by {off}", workload.name);
    }
    assert_sizes(info.event_sizes.as_ref(), again.event_sizes.as_ref());
    assert_sizes(info.state_sizes.as_ref(), again.state_sizes.as_ref());
    let [one, other] = [&info, &again].map(|info| info.skew.zipf_exponent);
    assert!((one - other).abs() <= 0.1, "{}: skew {one} and {other}", workload.name);
    (fit, info, again)
}

/// Within 10 %, as far as there are values enough on either side of a percentile.
#[track_caller]
fn assert_sizes(one: Option<&Sizes>, other: Option<&Sizes>) {
    let (Some(one), Some(other)) = (one, other) else { return assert_eq!(one.is_some(), other.is_some()) };
    let count = one.count().min(other.count());
    for percent in 1..100 {
        if count * percent.min(100 - percent) < 100 * 50 {
            continue;
        }
        let [a, b] = [one, other].map(|sizes| f64::from(sizes.quantile_bytes(10 * usize::try_from(percent).unwrap())));
        assert!((a - b).abs() <= 0.1 * a, "p{percent}: {a} and {b} of {count}");
    }
}

#[test]
fn a_shipped_workload_is_fitted_to_its_trace() {
    for shipped in shipped() {
        let mut workload = Workload::find(shipped.name).unwrap();
        if workload.populations.len() > 1 {
            continue;
        }
        workload.seed = 11;
        let (fit, ..) = fits(&commands_of(&workload, 30_000));
        let [found] = &fit.workload.populations[..] else { panic!("{}: {:#?}", workload.name, fit.workload) };
        assert_eq!(found.persistence.mode, workload.populations[0].persistence.mode, "{}", workload.name);
        if found.persistence.mode == PersistenceMode::Full {
            assert_eq!(
                found.persistence.snapshot_every, workload.populations[0].persistence.snapshot_every,
                "{}",
                workload.name
            );
        }
        assert_eq!(found.persistence.encrypted, workload.populations[0].persistence.encrypted, "{}", workload.name);
        assert_eq!(found.persistence.compact_on_snapshot, workload.populations[0].persistence.compact_on_snapshot);
        assert_eq!(found.actors.types, workload.populations[0].actors.types);
        assert_eq!(found.preload, workload.populations[0].preload, "{}", workload.name);
        let actors = f64::from(found.actors.count) / f64::from(workload.populations[0].actors.count);
        assert!((0.9..1.1).contains(&actors), "{}: {} actors", workload.name, found.actors.count);
        let off: Vec<_> = fit.aspects.iter().filter(|aspect| !aspect.is_met()).collect();
        assert!(off.is_empty(), "{}: {off:#?}", workload.name);
    }
}

/// Steps, and share of the transactions, commonest first.
fn transactions(workload: &Workload) -> Vec<(&[Step], f64)> {
    let all: f64 = workload.transactions.iter().map(|one| one.weight).sum();
    let mut found: Vec<_> = workload.transactions.iter().map(|one| (&one.steps[..], one.weight / all)).collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found
}

#[track_caller]
fn assert_same_transactions(found: &Workload, wanted: &Workload) {
    let [found, wanted] = [found, wanted].map(transactions);
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for ((steps, share), (wanted_steps, wanted_share)) in found.iter().zip(&wanted) {
        assert_eq!(steps, wanted_steps);
        assert!((share - wanted_share).abs() < 0.05, "{share} and {wanted_share}");
    }
}

/// Populations, transactions and growth are found in a recording of a ledger node, whose eight clients it does not show, and in a
/// trace of the workload made from it.
#[test]
fn populations_and_transactions_are_found_in_a_trace() {
    let node = Workload::find("ledger-node").unwrap();
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/recorded-ledger-node.trace.csv.zst");
    if !recorded.exists() {
        return skipped(populations_and_transactions_are_found_in_a_trace, "no recorded trace in workloads");
    }
    let recorded = trace::read(&recorded, Truncation::Refuse).unwrap();
    for original in [recorded, commands_of(&node, 60_000)] {
        let fit = trace::fit(&original, arrival_times).unwrap();
        assert_eq!(Workload::parse(&fit.to_toml()).unwrap(), fit.workload);
        assert_same_transactions(&fit.workload, &node);
        for shipped in &node.populations {
            let found = fit.workload.populations.iter().find(|found| found.name == shipped.name);
            let found = found.unwrap_or_else(|| panic!("{}: {:#?}", shipped.name, fit.workload));
            assert_eq!(found.persistence.mode, shipped.persistence.mode, "{}", shipped.name);
            assert_eq!(found.persistence.encrypted, shipped.persistence.encrypted, "{}", shipped.name);
        }
        let grows: Vec<_> = fit.workload.populations.iter().filter(|one| one.state_growth_per_event > 0.0).collect();
        let node = grows.iter().find(|one| one.name == "node").expect("its state has an entry per subject");
        assert!((node.state_growth_per_event - 92.0).abs() < 1.0, "{}", node.state_growth_per_event);
        // Bursts are those of a busy machine, and a generated trace spaces its commands alike, so that its transactions begin evenly.
        // Quantiles of the sizes of all populations together lie between two of them.
        let is_judged = |name: &str| !name.starts_with("dispersion") && !["state sizes", "burstiness"].contains(&name);
        let judged: Vec<_> = fit.aspects.iter().filter(|aspect| is_judged(aspect.name)).collect();
        assert!(judged.iter().all(|aspect| aspect.is_met()), "{judged:#?}");
    }
}

/// On a witness, a subject has one actor; registers that all subjects share are written between its `persist` and its snapshot.
#[test]
fn commands_of_shared_actors_are_found_in_a_recording_of_a_witness() {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/recorded-ledger-witness.trace.csv.zst");
    if !recorded.exists() {
        return skipped(
            commands_of_shared_actors_are_found_in_a_recording_of_a_witness,
            "no recorded trace in workloads",
        );
    }
    let fit = trace::fit(&trace::read(&recorded, Truncation::Refuse).unwrap(), arrival_times).unwrap();
    // Facts and creations do the same with a subject: what creations write beside it is left, each command alone.
    let found = transactions(&fit.workload);
    let witness = Workload::find("ledger-witness").unwrap();
    let fact = witness.transactions.iter().find(|one| one.name == "fact").unwrap();
    assert_eq!(found[0].0, fact.steps);
    let alone: Vec<_> = found[1..].iter().map(|(steps, _)| (steps[0].population.as_str(), steps.len())).collect();
    assert!(alone.contains(&("node", 1)) && alone.contains(&("witnesses_register", 1)), "{alone:?}");
    // Facts come between evenly and at random, which no arrivals of a workload do.
    let off = fit.aspects.iter().filter(|aspect| !aspect.is_met() && aspect.name != "burstiness").collect::<Vec<_>>();
    assert!(off.is_empty(), "{off:#?}");
    // A register has 57 bytes for each subject, those with a first fact. Its own events, ten times as many, do not tell its size.
    let has_note = |register: &str| fit.notes.iter().any(|note| note.starts_with(register));
    assert!(
        has_note("sn_register: the states grow with the actors of tracker") && !has_note("node: "),
        "{:#?}",
        fit.notes
    );
    let note = fit.notes.iter().find(|note| note.starts_with("sn_register: ")).unwrap();
    assert!(note.contains("`state_bytes_per_actor = { tracker = 56.7 }`"), "{note}");
}

/// Two kinds of transactions over subjects with two actors each, and two shared actors.
const SHOP: &str = "name='shop'\ndescription='d'\n\
    [[population]]\nname='cart'\nevent_bytes={constant=10}\nstate_bytes={constant=20}\nactors={count=40}\n\
    persistence={mode='full', snapshot_every=0}\n\
    [[population]]\nname='user'\nevent_bytes={constant=10}\nstate_bytes={constant=20}\nactors={count=40}\n\
    persistence={mode='light'}\n\
    [[population]]\nname='orders'\nevent_bytes={constant=30}\nstate_bytes={constant=40}\nactors={count=1}\n\
    persistence={mode='light'}\n\
    [[population]]\nname='visits'\nevent_bytes={constant=30}\nstate_bytes={constant=40}\nactors={count=1}\n\
    persistence={mode='light'}\n\
    [[transaction]]\nname='order'\nweight=3\nsteps=[{population='visits', commands=['persist']},\n\
    {population='cart', commands=['recover', 'persist']}, {population='orders', commands=['persist', 'persist']},\n\
    {population='user', commands=['persist']}, {population='cart', commands=['snapshot']}]\n\
    [[transaction]]\nname='visit'\nsteps=[{population='user', commands=['last_event', 'persist']},\n\
    {population='visits', commands=['persist']}]\n";

/// The shop's transactions as so many clients run them, which think between them. Each command takes 0.1 to 3 ms.
fn trace_of_clients(shop: &Workload, clients: usize) -> Trace {
    let commands = commands_in(&commands_of(shop, 20_000));
    let (mut of_clients, mut of_subjects) = (vec![0.0; clients], BTreeMap::new());
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(clients as u64);
    let (mut found, mut rest) = (Vec::new(), &commands[..]);
    while let Some((chain, after)) = rest.first().and_then(|first| rest.split_at_checked(commands_from(first))) {
        let client = of_clients.iter_mut().min_by(|a, b| f64::total_cmp(a, b)).unwrap();
        let subject = of_subjects.entry(chain[1].actor.name.clone()).or_insert(0.0);
        let mut time = client.max(*subject) + rng.random_range(0.5..1.5);
        for command in chain {
            time += rng.random_range(0.0001..0.003);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time in nanoseconds")]
            let at_ns = (time * 1e9) as u64;
            found.push(TracedCommand { at_ns, ..command.clone() });
        }
        (*client, *subject, rest) = (time, time, after);
    }
    found.sort_by_key(|command| command.at_ns);
    let mut events = BTreeMap::new();
    for command in &mut found {
        let next = events.entry((command.actor.type_name.clone(), command.actor.name.clone())).or_insert(0);
        for op in command.ops.iter_mut().filter(|op| op.kind == OpKind::EventsPut) {
            (op.number, *next) = (*next, *next + 1);
        }
    }
    trace_of_commands(provenance("clients"), &found)
}

/// Commands of the transaction that begins with this one.
fn commands_from(first: &TracedCommand) -> usize {
    if first.actor.type_name.starts_with("visits") { 7 } else { 3 }
}

#[test]
fn transactions_are_found_however_many_clients_run_them_beside_each_other() {
    let shop = Workload::parse(SHOP).unwrap();
    for clients in [1, 4, 20] {
        let fit = trace::fit(&trace_of_clients(&shop, clients), arrival_times).unwrap();
        assert_same_transactions(&fit.workload, &shop);
        let counts = fit.workload.populations.iter().map(|one| (one.name.as_str(), one.actors.count));
        let wanted = [("cart", 40), ("orders", 1), ("user", 40), ("visits", 1)];
        assert_eq!(counts.collect::<BTreeMap<_, _>>(), BTreeMap::from(wanted), "{clients} clients");
    }
}

/// Actors of several types that do one thing at a time, whenever it comes, have populations and no transactions.
#[test]
fn commands_that_come_by_chance_are_no_transactions() {
    let shop = SHOP.split("[[transaction]]").next().unwrap();
    let by_chance = shop.replace("persistence={", "commands={persist=3, last_event=1, events=1}\npersistence={");
    let fit = trace::fit(&commands_of(&Workload::parse(&by_chance).unwrap(), 20_000), arrival_times).unwrap();
    assert_eq!(fit.workload.transactions, []);
    assert!(fit.workload.populations.len() > 1);
}

/// After an orderly stop, a start replays no events.
#[test]
fn orderly_stops_and_query_lengths_are_found() {
    let mut workload = Workload::find("ledger").unwrap();
    workload.populations[0].commands.recover_after_stop = 0.8;
    workload.populations[0].commands.events_per_query_quantiles = vec![1, 5, 60];
    let (fit, info, _) = fits(&commands_of(&workload, 40_000));
    assert!(info.commands_count[&CommandKind::Snapshot] > 100);
    let mix = &fit.workload.populations[0].commands;
    assert!((0.75..0.85).contains(&mix.recover_after_stop) && mix.snapshot == 0.0, "{mix:?}");
    assert!(mix.events_per_query_quantiles.len() > 2, "{mix:?}");
}

/// 8,577 events of 1,434 cases of a municipality's permits.
#[test]
fn an_imported_event_log_is_resembled() {
    let log = ["/work/shared/data/receipt.csv", concat!(env!("CARGO_MANIFEST_DIR"), "/data/receipt.csv")];
    let Some(log) = log.iter().map(Path::new).find(|log| log.exists()) else {
        return skipped(an_imported_event_log_is_resembled, "receipt.csv does not exist");
    };
    let directory = tempdir().unwrap();
    for strategy in [Strategy::Light, Strategy::Full { snapshot_every: Some(100) }] {
        let path = directory.path().join("receipt.trace.csv.zst");
        import(log, &path, strategy);
        let (fit, info, again) = fits(&trace::read(&path, Truncation::Refuse).unwrap());
        assert!(info.skew.is_uniform && again.skew.is_uniform, "cases are about equally long");
        assert!(fit.notes.iter().any(|note| note.contains("burst")), "{:?}", fit.notes);
        assert!(matches!(fit.workload.arrivals, Arrivals::Bursts(_)), "{:?}", fit.workload.arrivals);
        assert_bursts(&fit, true);
    }
}

fn import(log: &Path, path: &Path, strategy: Strategy) {
    let rules = PersistenceRules { strategy, compact_on_snapshot: false, encrypted: false };
    let summary = trace::import(log, path, &ImportOptions { rules, ..ImportOptions::default() }).unwrap();
    assert_eq!((summary.events, summary.actors), (8_577, 1_434));
}

/// Recordings of real actor systems, if present.
#[test]
fn recorded_traces_are_resembled() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads");
    let entries = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let traces: Vec<PathBuf> = entries.filter(|path| path.to_string_lossy().ends_with(".trace.csv.zst")).collect();
    if traces.is_empty() {
        return skipped(recorded_traces_are_resembled, "no recorded trace in workloads");
    }
    // The sizes of a node with many kinds of actors jump: see `populations_are_found_in_a_trace`.
    for path in traces.into_iter().filter(|path| !path.to_string_lossy().contains("recorded-ledger-")) {
        let (fit, ..) = fits(&trace::read(&path, Truncation::Refuse).unwrap());
        assert!(matches!(fit.workload.arrivals, Arrivals::Bursts(_)), "{:?}", fit.workload.arrivals);
        assert_bursts(&fit, true);
    }
}

#[test]
fn a_preload_is_prehistory_or_commands_at_time_0() {
    let mut workload = Workload::find("registers").unwrap();
    workload.populations[0].actors.count = 50;
    workload.populations[0].commands.recover = 96.0;
    let past = commands_of(&workload, 2_000);
    assert_eq!(past.command_count(), 2_000);
    let first_of = |trace: &Trace| {
        let ops = commands_in(trace).into_iter().flat_map(|command| command.ops);
        ops.filter(|op| op.kind == OpKind::EventsPut).map(|op| op.number).min()
    };
    assert_eq!(first_of(&past), Some(5), "numbers go on after the preload");
    assert!(past.prehistory_events() > 0);
    let mut ops = Vec::new();
    (0..50).for_each(|actor| past.prehistory(actor, &mut ops));
    assert!(ops.iter().any(|op| op.kind == OpKind::StatesPut), "the state that a start reads was there");

    let commands = generated(&workload, &options(GenerateLength::Commands(2_000), Preload::AsCommands));
    assert_eq!(commands.command_count(), 2_250);
    assert_eq!((first_of(&commands), commands.prehistory_events()), (Some(0), 0));
    let at_front = commands_in(&commands).iter().filter(|command| command.at_ns == 0).count();
    assert!((250..=251).contains(&at_front), "{at_front}");
}

#[test]
fn a_generated_trace_has_the_arrivals_of_its_workload() {
    let mut workload = Workload::find("registers").unwrap();
    let length = GenerateLength::Time(Duration::from_secs(20));
    for (arrivals, low, high) in [(Arrivals::Constant, 0.0, 0.01), (Arrivals::Poisson, 0.95, 1.05)] {
        workload.arrivals = arrivals;
        let info = trace::info(&generated(&workload, &options(length, Preload::AsPast))).unwrap();
        let cv = info.rhythm.interarrival_cv_ratio.unwrap();
        assert!((low..high).contains(&cv), "{arrivals:?}: {cv}");
        assert!((info.commands_per_second / RATE - 1.0).abs() < 0.05, "{}", info.commands_per_second);
        for (seed, commands) in [(1, 200), (2, 1_000), (3, 3_000), (4, 10_000)] {
            workload.seed = seed;
            let fit = trace::fit(&commands_of(&workload, commands), arrival_times).unwrap();
            assert_eq!(fit.workload.arrivals, arrivals, "{commands} commands");
        }
    }
}

/// The fit states correctly whether variation and clustering are those of the trace.
#[track_caller]
fn assert_bursts(fit: &Fit, are_met: bool) {
    let judged: Vec<_> = ["burstiness", "dispersion of 100 commands"]
        .into_iter()
        .map(|name| fit.aspects.iter().find(|aspect| aspect.name == name).unwrap())
        .inspect(|aspect| assert!(aspect.tolerance.is_some(), "{aspect:?}"))
        .collect();
    assert_eq!(judged.iter().all(|aspect| aspect.is_met()), are_met, "{:?}: {judged:#?}", fit.workload.arrivals);
    assert_eq!(fit.to_toml().contains("OFF"), !are_met);
}

/// Coefficient of variation and index of dispersion.
fn figures(trace: &Trace) -> [f64; 2] {
    let rhythm = trace::info(trace).unwrap().rhythm;
    [rhythm.interarrival_cv_ratio.unwrap(), rhythm.dispersion_per_100_commands_ratio.unwrap()]
}

/// Long and short bursts, with low and high rates between them.
#[test]
fn bursts_vary_and_cluster_like_those_of_the_trace() {
    let mut workload = Workload::find("registers").unwrap();
    workload.populations[0].actors.count = 100;
    for (factor, share, seconds) in
        [(5.0, 0.1, 0.5), (2.0, 0.3, 0.1), (15.0, 0.06, 0.01), (1.6, 0.4, 1.0), (10.0, 0.1, 0.2)]
    {
        workload.seed += 1;
        workload.arrivals = Arrivals::Bursts(Bursts { factor, share, seconds });
        let trace = commands_of(&workload, 30_000);
        let fit = trace::fit(&trace, arrival_times).unwrap();
        assert_bursts(&fit, true);
        let mut again = fit.workload;
        let mut found: Vec<[f64; 2]> = (1..=5)
            .map(|seed| {
                again.seed = seed;
                figures(&commands_of(&again, 30_000))
            })
            .collect();
        for (which, within) in [(0, 0.15), (1, 0.3)] {
            found.sort_by(|a, b| a[which].total_cmp(&b[which]));
            let [wanted, median] = [figures(&trace)[which], found[2][which]];
            let what = format!("{:?} of {:?}: {found:?}", again.arrivals, workload.arrivals);
            assert!((median / wanted - 1.0).abs() <= within, "{wanted} became {median}, {what}");
        }
    }
}

/// Ten commands at the same time vary more than they cluster, unlike bursts of random length.
#[test]
fn batches_are_approximated_and_the_difference_is_reported() {
    let workload = Arc::new(Workload::find("registers").unwrap());
    let directory = tempdir().unwrap();
    let path = directory.path().join("batches.csv.zst");
    let times = arrival_times(Arrivals::Poisson, RATE / 10.0, 1).flat_map(|time| [time; 10]);
    let options = options(GenerateLength::Commands(30_000), Preload::AsPast);
    trace::generate(&workload, &path, &options, times, |_| true).unwrap();
    let fit = trace::fit(&trace::read(&path, Truncation::Refuse).unwrap(), arrival_times).unwrap();
    assert!(matches!(fit.workload.arrivals, Arrivals::Bursts(_)), "{:?}", fit.workload.arrivals);
    assert_bursts(&fit, false);
    for (name, within) in [("burstiness", 0.2), ("dispersion of 100 commands", 120.0)] {
        let aspect = fit.aspects.iter().find(|aspect| aspect.name == name).unwrap();
        assert!(aspect.difference < within, "{aspect:?}");
    }
}

/// Events of one actor at these times, milliseconds.
fn events_at(times: impl Iterator<Item = u64>) -> Trace {
    let mut builder = TraceBuilder::new(provenance("short"));
    let actor = builder.actor("account", "one");
    for (number, at_ms) in times.enumerate() {
        let mut ops = [Op::new(OpKind::EventsPut, number as u64, 100)];
        builder.command(at_ms * 1_000_000, actor, CommandKind::Persist, &mut ops).unwrap();
    }
    builder.finish().unwrap()
}

#[test]
fn the_mean_rate_is_that_of_the_times_between_commands() {
    let info = trace::info(&events_at((0..5).map(|second| second * 1_000))).unwrap();
    assert!((info.commands_per_second - 1.0).abs() < 1e-9, "{}", info.commands_per_second);
    let one = trace::info(&events_at(0..1)).unwrap();
    assert!(one.commands_per_second.abs() < f64::EPSILON, "{}", one.commands_per_second);
}

#[test]
fn a_short_trace_gives_figures_and_no_rate_that_it_does_not_support() {
    // Bursts of a fifth of a second, minutes apart.
    let bursty = |events: u64| (0..events).map(|n| n / 40 * 300_000 + n % 40 * 5);
    let traces =
        (1..8).map(|events| events_at((0..events).map(|n| n * n))).chain([80, 130, 400].map(|n| events_at(bursty(n))));
    for trace in traces {
        let fit = trace::fit(&trace, arrival_times).unwrap();
        let text = fit.to_toml();
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        Workload::parse(&text).unwrap();
        for aspect in &fit.aspects {
            assert!(aspect.difference.is_finite(), "{aspect:?}");
            let means_nothing =
                aspect.name == "mean rate" && aspect.tolerance.is_some_and(|tolerance| tolerance > 50.0);
            assert!(!means_nothing, "{aspect:?}");
        }
    }
}

fn exported(trace: &Trace, selection: &Selection, table: Table, format: TableFormat) -> (u64, String) {
    let mut out = Vec::new();
    let rows = trace::export(trace, selection, table, format, &mut out).unwrap();
    (rows, String::from_utf8(out).unwrap())
}

#[test]
fn tables_sum_up_to_the_trace() {
    let trace = commands_of(&Workload::find("mixed").unwrap(), 3_000);
    let info = trace::info(&trace).unwrap();
    for (table, expected) in [(Table::Commands, 3_000), (Table::Actors, info.actors_count)] {
        let (rows, csv) = exported(&trace, &Selection::ALL, table, TableFormat::Csv);
        let (_, json) = exported(&trace, &Selection::ALL, table, TableFormat::JsonLines);
        assert_eq!((rows, csv.lines().count() as u64, json.lines().count() as u64), (expected, expected + 1, expected));
        let json: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let sum = |field: &str| json.iter().map(|row| row[field].as_u64().unwrap()).sum::<u64>();
        assert_eq!((sum("operations_count"), sum("written_bytes")), (trace.operation_count(), info.written_bytes));
        let header = csv.lines().next().unwrap();
        let mut fields: Vec<_> = json[0].as_object().unwrap().keys().map(String::as_str).collect();
        let mut columns: Vec<_> = header.split(',').collect();
        fields.sort_unstable();
        columns.sort_unstable();
        assert_eq!(columns, fields);
    }
}

fn reread(text: &str) -> Trace {
    let directory = tempdir().unwrap();
    let path = directory.path().join("t.csv");
    fs::write(&path, text).unwrap();
    trace::read(&path, Truncation::Refuse).unwrap()
}

#[test]
fn an_exported_trace_is_the_original_or_the_selected_part() {
    let trace = commands_of(&Workload::find("ledger").unwrap(), 3_000);
    let of = |selection| exported(&trace, &selection, Table::Trace, TableFormat::Csv).1;
    let whole = reread(&of(Selection::ALL));
    assert_eq!((commands_in(&whole), &whole.provenance), (commands_in(&trace), &trace.provenance));

    let second = Selection { from_ns: 1_000_000_000, to_ns: Some(2_000_000_000), ..Selection::ALL };
    let part = reread(&of(second));
    let expected = commands_in(&trace).into_iter().filter(|command| (1..2).contains(&(command.at_ns / 1_000_000_000)));
    let expected: Vec<_> = expected.map(|command| (command.actor, command.kind)).collect();
    assert_eq!(
        commands_in(&part).into_iter().map(|command| (command.actor, command.kind)).collect::<Vec<_>>(),
        expected
    );
    assert!(part.provenance.assumptions.iter().any(|assumed| assumed.contains("from 1 s on, before 2 s")));

    let sample = reread(&of(Selection { actors_ratio: 0.25, ..Selection::ALL }));
    let share = sample.actors().len() as f64 / trace.actors().len() as f64;
    assert!((0.2..0.3).contains(&share), "{share}");
    let kept: Vec<_> =
        commands_in(&trace).into_iter().filter(|command| sample.actors().contains(&command.actor)).collect();
    assert_eq!(kept.len() as u64, sample.command_count(), "actors are kept with all they do");
}
