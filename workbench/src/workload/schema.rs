//! A workload: its populations, their numbers and shares, and when commands arrive.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::arrivals::Arrivals;
use super::file::WorkloadFile;
use super::input_text::{Problem, did_you_mean, path_text};
use super::population::{CommandMix, Population};
use super::transaction::{Transaction, resolve, subjects};
use super::values::ActorNames;
use ave_actors_rocksdb::trace::CommandKind;

/// Populations of actors and their commands, from a `.toml` file.
///
/// Unknown keys are errors that name the line they stand on.
///
/// ```
/// use ave_workbench::workload::Workload;
///
/// let workload = Workload::parse(
///     r#"
///     name = "shop"
///     description = "Carts that live for a visit, and one register of all orders."
///     [[population]]
///     name = "cart"
///     weight = 9
///     event_bytes = { constant = 120 }
///     state_bytes = { constant = 400 }
///     actors = { count = 1000 }
///     persistence = { mode = "light" }
///     commands = { visit = ["recover", "persist", "snapshot"] }
///     [[population]]
///     name = "orders"
///     event_bytes = { constant = 60 }
///     state_bytes = { constant = 100 }
///     state_growth_per_event = 20
///     actors = { count = 1 }
///     persistence = { mode = "light" }
///     commands = { persist = 1 }
///     "#,
/// )
/// .unwrap();
/// assert_eq!(workload.actor_count(), 1001);
/// ```
///
/// The keys of a single population may stand at the top, without `[[population]]`; its name is that of the workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(into = "WorkloadFile")]
pub struct Workload {
    /// 1 to 64 letters, digits, `-` or `_`; part of the report's name.
    pub name: String,
    /// A paragraph on the application it represents.
    pub description: String,
    /// Seed of everything random. Default 1.
    pub seed: u64,
    /// When commands arrive in an open loop. Default Poisson.
    pub arrivals: Arrivals,
    /// At least one. Together they have 1 to 100 million actors, which are numbered through.
    pub populations: Vec<Population>,
    /// What requests of users do; if there are none, populations issue commands by themselves.
    pub transactions: Vec<Transaction>,
    /// Events that the common actors have persisted since the preload, in the order of their numbers; empty before the first
    /// command.
    pub common_events: Vec<u64>,
}

impl From<Workload> for WorkloadFile {
    fn from(workload: Workload) -> Self {
        let Workload { name, description, seed, arrivals, populations, transactions, .. } = workload;
        Self::top(name, description, seed, arrivals).of_transactions(transactions).of_populations(populations)
    }
}

impl Workload {
    /// Populations that issue commands by themselves.
    pub(crate) fn of_populations(name: String, arrivals: Arrivals, populations: Vec<Population>) -> Self {
        let (description, transactions, common_events) = (String::new(), Vec::new(), Vec::new());
        Self { name, description, seed: 1, arrivals, populations, transactions, common_events }
    }

    /// Populations that do what transactions have them do.
    ///
    /// # Errors
    ///
    /// What is wrong with a transaction.
    pub(crate) fn of_transactions(
        name: String,
        arrivals: Arrivals,
        mut populations: Vec<Population>,
        transactions: Vec<Transaction>,
    ) -> Result<Self, String> {
        for one in &mut populations {
            (one.weight, one.commands) = (1.0, CommandMix::default());
        }
        resolve(&transactions, &mut populations).map_err(|misfit| misfit.problem)?;
        Ok(Self { transactions, ..Self::of_populations(name, arrivals, populations) })
    }

    /// Number of actors of all populations.
    pub fn actor_count(&self) -> u64 {
        self.populations.iter().map(|population| u64::from(population.actors.count)).sum()
    }

    /// Number of actor types of all populations.
    pub fn type_count(&self) -> u64 {
        self.populations.iter().map(|population| u64::from(population.actors.types)).sum()
    }

    /// The actors, by population.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (&Population, Range<u64>)> {
        let mut end = 0;
        self.populations.iter().map(move |population| {
            let first = end;
            end += u64::from(population.actors.count);
            (population, first..end)
        })
    }

    /// Where an actor belongs. The numbers of copies follow those of the actors, in the same order.
    pub(crate) fn place_of(&self, actor: u64) -> ActorPlace<'_> {
        let original = actor % self.actor_count().max(1);
        let subjects = self.subjects();
        let (mut first, mut first_type, mut first_common) = (0, 0, 0);
        for (index, population) in self.populations.iter().enumerate() {
            let (count, types) = (u64::from(population.actors.count), u64::from(population.actors.types));
            let is_common = population.actors.count < subjects;
            if original < first + count {
                let place = original - first;
                let common = is_common.then_some(first_common + place);
                return ActorPlace { population, index, place, type_number: first_type + place % types, common };
            }
            (first, first_type) = (first + count, first_type + types);
            first_common += if is_common { count } else { 0 };
        }
        unreachable!("a workload has an actor")
    }

    /// Whether its actors are common to the transactions of all writers.
    pub(crate) fn is_common(&self, population: &Population) -> bool {
        population.actors.count < self.subjects()
    }

    /// Subjects of transactions; 0 if there are none. A population with fewer actors is common to all writers.
    fn subjects(&self) -> u32 {
        if self.transactions.is_empty() { 0 } else { subjects(&self.populations) }
    }

    /// The numbers of the actors that are common to the transactions of all writers.
    pub(super) fn common_actors(&self) -> impl Iterator<Item = u64> {
        self.ranges().filter(|(population, _)| self.is_common(population)).flat_map(|(_, range)| range)
    }

    /// Events that an actor has persisted since the preload, if it is common to all writers.
    pub(super) fn common_events_of(&self, place: ActorPlace<'_>) -> u64 {
        let known = place.common.and_then(|place| self.common_events.get(usize::try_from(place).ok()?));
        known.copied().unwrap_or(0)
    }

    /// The same after the common actors have persisted so many events each.
    pub(crate) fn with_common_events(&self, common_events: Vec<u64>) -> Self {
        Self { common_events, ..self.clone() }
    }

    /// Most writers: an actor, or the subject of a transaction, has one at a time.
    pub(crate) fn most_writers(&self) -> u64 {
        if self.transactions.is_empty() { self.actor_count() } else { u64::from(self.subjects()) }
    }

    /// Commands that begin together, on average: those of a transaction, or 1.
    pub(crate) fn commands_per_arrival(&self) -> f64 {
        let all: f64 = self.transactions.iter().map(|one| one.weight).sum();
        let commands: f64 = self.transactions.iter().map(|one| one.weight * one.command_count() as f64).sum();
        if self.transactions.is_empty() { 1.0 } else { commands / all }
    }

    /// Names of the actor types, by number.
    pub(crate) fn type_names(&self) -> Vec<String> {
        let of = |population: &Population| {
            (0..u64::from(population.actors.types)).map(|place| population.type_name(place)).collect::<Vec<_>>()
        };
        self.populations.iter().flat_map(of).collect()
    }

    /// Type and name of an actor. The actors of one subject have one name, as they have in an application.
    pub(crate) fn actor(&self, actor: u64) -> (String, String) {
        let place = self.place_of(actor);
        let names = ActorNames::new(self.seed, place.population.actors.name_bytes);
        (place.population.type_name(place.place), names.name(self.number_in_name(actor, place)))
    }

    /// The first bytes of an actor's name, as a number that sorts like it.
    pub(crate) fn leading_name(&self, actor: u64) -> u128 {
        let place = self.place_of(actor);
        ActorNames::new(self.seed, place.population.actors.name_bytes).leading(self.number_in_name(actor, place))
    }

    /// The number that makes a name: of an actor of a subject that of the subject.
    fn number_in_name(&self, actor: u64, place: ActorPlace<'_>) -> u64 {
        let is_of_subject = !self.transactions.is_empty() && place.common.is_none();
        if is_of_subject { actor - actor % self.actor_count() + place.place } else { actor }
    }

    /// Mean length of an actor's name, bytes.
    pub(crate) fn mean_name_bytes(&self) -> u64 {
        let of = |population: &Population| u64::from(population.actors.count) * population.actors.name_bytes as u64;
        self.populations.iter().map(of).sum::<u64>() / self.actor_count().max(1)
    }

    /// Share of the commands that a population issues, 0 to 1.
    pub(crate) fn share_of(&self, population: &Population) -> f64 {
        population.weight / self.populations.iter().map(|population| population.weight).sum::<f64>()
    }

    /// Share of a command among all, 0 to 1.
    pub(crate) fn share(&self, kind: CommandKind) -> f64 {
        self.populations.iter().map(|population| self.share_of(population) * population.commands.share(kind)).sum()
    }

    /// The commands it issues, in report order.
    pub(crate) fn kinds(&self) -> Vec<CommandKind> {
        CommandKind::ALL.into_iter().filter(|&kind| self.share(kind) > 0.0).collect()
    }

    /// Events that all actors have persisted before the first command.
    pub(crate) fn preload_events(&self) -> u64 {
        let of = |population: &Population| population.preload.events(population.actors.count);
        self.populations.iter().map(of).sum()
    }

    /// The same after so many more events, spread over the populations by the events that they persist, and over their actors
    /// by their popularity.
    pub(crate) fn grown(&self, events: u64) -> Self {
        let persists = self.share(CommandKind::Persist);
        let share = |population: &Population| {
            self.share_of(population) * population.commands.share(CommandKind::Persist)
                / persists.max(f64::MIN_POSITIVE)
        };
        let mut grown = self.clone();
        for (population, known) in grown.populations.iter_mut().zip(&self.populations) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
            let more = (events as f64 * share(known)).round() as u64;
            let preload = &mut population.preload;
            preload.events_by_popularity = preload.events_by_popularity.saturating_add(more);
        }
        grown
    }

    /// Bytes of the values that a command writes after the preload, on average over the populations.
    pub(crate) fn written_bytes_per_command(&self) -> f64 {
        let all = &self.populations;
        all.iter().map(|one| self.share_of(one) * one.written_bytes_per_command(all)).sum()
    }

    /// How the actors persist, the same of all populations or all there are, in words.
    pub(crate) fn persistence(&self) -> String {
        let mut rules: Vec<String> = self.populations.iter().map(|population| population.rules().to_string()).collect();
        rules.dedup();
        rules.join("; ")
    }

    /// Share of the stored bytes that repeats, 0 to 1: the mean over the populations by the bytes that their events write.
    pub(crate) fn stored_compressibility(&self) -> f64 {
        let bytes = |population: &Population| {
            let persists = self.share_of(population) * population.commands.share(CommandKind::Persist);
            persists.max(f64::MIN_POSITIVE) * f64::from(population.event_bytes.median().max(1))
        };
        let all: f64 = self.populations.iter().map(bytes).sum();
        self.populations.iter().map(|one| bytes(one) / all * one.stored_compressibility()).sum()
    }
}

/// Where an actor belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ActorPlace<'a> {
    pub(crate) population: &'a Population,
    /// Number of the population.
    pub(crate) index: usize,
    /// Number of the actor within its population.
    pub(crate) place: u64,
    /// Number of its actor type, over all populations.
    pub(crate) type_number: u64,
    /// Its number among the actors that are common to the transactions of all writers, if it is one.
    pub(crate) common: Option<u64>,
}

/// Why a workload cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
pub enum WorkloadError {
    /// The file cannot be read.
    #[error("cannot read workload {}: {source}", path_text(path))]
    Read { path: PathBuf, source: std::io::Error },
    /// The file is not a valid workload. The problem names the field, what was found and what was expected.
    #[error("{}:{line}: {problem}", path_text(path))]
    Line { path: PathBuf, line: usize, problem: String },
    /// There is neither a shipped workload nor a file of this name.
    #[error(
        "no workload named `{name}` and no such file; shipped workloads: {}{}",
        known.join(", "),
        did_you_mean(name, known)
    )]
    Unknown { name: String, known: Vec<&'static str> },
}

impl WorkloadError {
    pub(super) fn at(path: &Path, problem: Problem) -> Self {
        Self::Line { path: path.to_owned(), line: problem.line, problem: problem.text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Bursts, Skew};

    const GOOD: &str = r#"
name = "t"
description = "d"
event_bytes = { constant = 10 }
state_bytes = { uniform = { min = 1, max = 2 } }
[actors]
count = 5
[persistence]
mode = "light"
[commands]
persist = 1
"#;

    fn message(text: &str) -> String {
        Workload::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_minimal_workload_gets_the_defaults_of_the_trait() {
        let workload = Workload::parse(GOOD).unwrap();
        let [only] = &workload.populations[..] else { panic!("{workload:?}") };
        assert_eq!(only.name, workload.name);
        assert_eq!(only.persistence.snapshot_every, 100);
        assert_eq!(only.actors.skew, Skew::Uniform);
        assert!((workload.share(CommandKind::Persist) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let text = message(&GOOD.replace("count = 5", "count = 5\ncolour = 3"));
        assert_eq!(
            text,
            "workload:8: unknown field `actors.colour`, expected `count`, `types`, `skew`, `name_bytes`; did you mean `count`?"
        );
    }

    #[test]
    fn a_figure_out_of_range_is_named_with_its_line_and_what_was_expected() {
        let bursts = "arrivals = { bursts = { factor = 5, share = 0.3, seconds = 1 } }\n[actors]";
        for (from, to, line, expected) in [
            ("count = 5", "count = 0", 7, "from 1 to 100,000,000"),
            ("min = 1", "min = 9", 5, "`state_bytes.uniform.min` is `9`, expected at most `max`, which is 2"),
            ("persist = 1", "persist = -1", 11, "a weight from 0 to 10^12"),
            ("persist = 1", "persist = 1e308", 11, "a weight from 0 to 10^12"),
            ("persist = 1", "persist = 0", 10, "`commands` has no weight above 0"),
            ("persist = 1", "persist = 1\nrecover_after_stop = 2", 12, "a share from 0 to 1"),
            ("persist = 1", "persist = 1\nevents_per_query_quantiles = [3]", 12, "ascending"),
            ("name = \"t\"", "name = \"a/b\"", 2, "letters"),
            ("mode = \"light\"", "mode = \"heavy\"", 9, "`\"light\"`"),
            ("[actors]", bursts, 6, "`arrivals.bursts` has a `factor` x `share` of 1.5, expected at most 1"),
        ] {
            let text = message(&GOOD.replace(from, to));
            assert!(text.starts_with(&format!("workload:{line}: ")) && text.contains(expected), "{to}: {text}");
        }
    }

    const POPULATIONS: &str = r#"
name = "t"
description = "d"
[[population]]
name = "cart"
weight = 3
event_bytes = { constant = 10 }
state_bytes = { constant = 20 }
actors = { count = 7, types = 2 }
persistence = { mode = "light" }
commands = { visit = ["recover", "persist", "snapshot"] }
[[population]]
name = "orders"
event_bytes = { constant = 30 }
state_bytes = { constant = 40 }
state_growth_per_event = 5
state_bytes_per_actor = { cart = 2.5 }
actors = { count = 1, name_bytes = 12 }
persistence = { mode = "full" }
commands = { persist = 1, last_event = 1 }
"#;

    #[test]
    fn actors_are_numbered_through_the_populations() {
        let workload = Workload::parse(POPULATIONS).unwrap();
        assert_eq!((workload.actor_count(), workload.type_count()), (8, 3));
        assert_eq!(workload.type_names(), ["cart0", "cart1", "orders0"]);
        let types: Vec<_> = (0..16).map(|actor| workload.actor(actor).0).collect();
        assert_eq!(types[..8], ["cart0", "cart1", "cart0", "cart1", "cart0", "cart1", "cart0", "orders0"]);
        assert_eq!(types[..8], types[8..], "copies have the types of their originals");
        assert_eq!([6, 7].map(|actor| workload.actor(actor).1.len()), [44, 12]);
    }

    #[test]
    fn shares_are_those_of_the_weights() {
        let workload = Workload::parse(POPULATIONS).unwrap();
        let shares =
            [CommandKind::Persist, CommandKind::Snapshot, CommandKind::LastEvent].map(|kind| workload.share(kind));
        for (share, expected) in shares.into_iter().zip([0.25 + 0.125, 0.25, 0.125]) {
            assert!((share - expected).abs() < 1e-12, "{shares:?}");
        }
        let grown = workload.grown(300);
        let added: Vec<u64> = grown.populations.iter().map(|one| one.preload.events_by_popularity).collect();
        assert_eq!(added, [200, 100], "two thirds of the events are those of carts");
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for (from, to, expected) in [
            ("name = \"orders\"", "name = \"cart12\"", "name actor types alike"),
            ("name = \"orders\"", "name = \"cart\"", "name actor types alike"),
            ("weight = 3", "weight = 0", "a weight above 0"),
            (
                "[[population]]\nname = \"cart\"",
                "preload = {}\n[[population]]\nname = \"cart\"",
                "expected in a `[[population]]`",
            ),
            ("{ persist = 1, last", "{ visit = [\"persist\"], last", "`visit`, which replaces the weights"),
            ("growth_per_event = 5", "growth_per_event = -5", "bytes from 0 to 1,048,576"),
            (
                "cart = 2.5",
                "cart = -1",
                "`population.state_bytes_per_actor.cart` is `-1`, expected bytes from 0 to 1,048,576",
            ),
            ("count = 7", "count = 100000000", "100,000,001 actors in all populations, expected at most 100,000,000"),
            ("commands = { persist", "orders = { persist", "orders"),
        ] {
            let text = message(&POPULATIONS.replacen(from, to, 1));
            assert!(text.contains(expected), "{to}: {text}");
        }
        assert!(message("name = \"t\"\ndescription = \"d\"").contains("`persistence` is missing"));
    }

    #[test]
    fn entries_for_actors_that_do_not_exist_or_do_not_fit_are_refused_with_their_line() {
        for (from, to, expected) in [
            (
                "cart = 2.5",
                "carts = 2.5",
                "workload:17: `state_bytes_per_actor` of the population `orders` names `carts`",
            ),
            ("cart = 2.5", "carts = 2.5", "which is no population, expected `cart`; did you mean `cart`?"),
            (
                "cart = 2.5",
                "orders = 2.5",
                "workload:17: `state_bytes_per_actor` of the population `orders` names that",
            ),
            ("{ cart = 2.5 }", "7", "workload:17: "),
            (
                "cart = 2.5",
                "cart = 1048576",
                "workload:17: `state_bytes_per_actor` of the population `orders` makes a state of 17,825,832 bytes, \
                 expected at most 16,777,216 (16 MiB)",
            ),
        ] {
            let changed = POPULATIONS.replacen(from, to, 1).replacen("count = 7", "count = 17", 1);
            let text = message(&changed);
            assert!(text.contains(expected), "{to}: {text}");
        }
        let top = message(&GOOD.replace("[actors]", "state_bytes_per_actor = { t = 1 }\n[actors]"));
        assert!(top.contains("workload:6: ") && top.contains("names that population itself"), "{top}");
    }

    #[test]
    fn entries_for_actors_are_part_of_what_a_command_writes_and_of_the_longest_value() {
        let written = |carts: u32| {
            let text = POPULATIONS.replace("count = 7", &format!("count = {carts}")).replace("\"full\"", "\"light\"");
            Workload::parse(&text).unwrap().written_bytes_per_command()
        };
        // A quarter of the commands are those of the register, half of which persist.
        assert!((written(1_007) - written(7) - 1_000.0 * 2.5 / 8.0).abs() < 1e-6, "{} {}", written(1_007), written(7));
        let constant = Workload::parse(&POPULATIONS.replace("growth_per_event = 5", "growth_per_event = 0")).unwrap();
        assert_eq!(constant.populations[1].longest_value(&constant.populations), 40 + 17, "seven times 2.5");
    }

    const TRANSACTIONS: &str = r#"
name = "t"
description = "d"
[[population]]
name = "cart"
event_bytes = { constant = 10 }
state_bytes = { constant = 20 }
actors = { count = 7 }
persistence = { mode = "light" }
[[population]]
name = "orders"
event_bytes = { constant = 30 }
state_bytes = { constant = 40 }
actors = { count = 1 }
persistence = { mode = "light" }
[[transaction]]
name = "order"
weight = 3
steps = [{ population = "cart", commands = ["recover", "persist"] }, { population = "orders", commands = ["persist"] }]
[[transaction]]
name = "look"
steps = [{ population = "cart", commands = ["last_event"] }]
"#;

    #[test]
    fn populations_have_the_commands_of_the_transactions() {
        let workload = Workload::parse(TRANSACTIONS).unwrap();
        assert_eq!((workload.most_writers(), workload.commands_per_arrival().to_bits()), (7, 2.5_f64.to_bits()));
        let shares =
            [CommandKind::Persist, CommandKind::Recover, CommandKind::LastEvent].map(|kind| workload.share(kind));
        for (share, expected) in shares.into_iter().zip([0.6, 0.3, 0.1]) {
            assert!((share - expected).abs() < 1e-12, "{shares:?}");
        }
        assert_eq!(workload.common_actors().collect::<Vec<_>>(), [7], "fewer than there are subjects");
        assert_eq!(Workload::parse(&toml::to_string(&workload).unwrap()).unwrap(), workload);
    }

    #[test]
    fn transactions_that_cannot_be_issued_are_refused() {
        for (from, to, expected) in [
            ("name = \"look\"", "name = \"order\"", "two transactions are named `order`"),
            ("name = \"look\"", "name = \"recover\"", "since this one is that of a command"),
            ("[\"last_event\"]", "[]", "`transaction.steps.commands` is `[]`, expected one or more commands"),
            ("{ population = \"orders\"", "{ population = \"order\"", "`order`, which is no population"),
            (
                "\"orders\", commands = [\"persist\"]",
                "\"orders\", commands = [\"purge\"]",
                "issues `purge` on `orders`",
            ),
            (
                ", { population = \"orders\", commands = [\"persist\"] }",
                "",
                "no transaction has a step for the population `orders`",
            ),
            (
                "actors = { count = 7 }",
                "actors = { count = 7 }\ncommands = { persist = 1 }",
                "has a `weight` or `commands`",
            ),
            ("actors = { count = 7 }", "actors = { count = 7 }\nweight = 2", "has a `weight` or `commands`"),
            ("[\"last_event\"]", "[\"lastevent\"]", "last_event"),
        ] {
            let text = message(&TRANSACTIONS.replacen(from, to, 1));
            assert!(text.contains(expected), "{to}: {text}");
        }
        let idle = message(TRANSACTIONS.split("[[transaction]]").next().unwrap());
        assert!(idle.contains("`population.commands` is missing"), "{idle}");
    }

    #[test]
    fn a_workload_reads_back_from_what_it_writes() {
        let mut workload = Workload::parse(GOOD).unwrap();
        workload.arrivals = Arrivals::Bursts(Bursts { factor: 4.0, share: 0.2, seconds: 1.5 });
        assert_eq!(Workload::parse(&toml::to_string(&workload).unwrap()).unwrap(), workload);
        let workload = Workload::parse(POPULATIONS).unwrap();
        assert_eq!(Workload::parse(&toml::to_string(&workload).unwrap()).unwrap(), workload);
    }
}
