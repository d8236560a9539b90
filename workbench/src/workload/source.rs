//! The seeded command stream of one worker of a workload.

use std::ops::Range;
use std::sync::Arc;

use rand::distr::weighted::WeightedIndex;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Zipf};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::common_actors::CommonActors;
use super::population::{Population, Skew};
use super::preload::PreloadContent;
use super::schema::Workload;
use super::values::mix;
use crate::actor::{ActorLog, Command, Strategy};
use ave_actors_rocksdb::trace::{CommandKind, Op};

/// A command about to be issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// Number of the actor.
    pub actor: u64,
    /// What the actor does.
    pub kind: CommandKind,
    /// Time in a trace, nanoseconds from its start; absent in a workload.
    pub at_ns: Option<u64>,
    /// Place in a transaction, if it belongs to one.
    pub link: Option<Link>,
    /// The actor's number among those that are common to all writers, if it is one: its operations follow from what all writers
    /// have issued before. Absent where there is one writer.
    pub common: Option<usize>,
}

impl Planned {
    /// Whether it begins when the command before it has ended, as it belongs to the same transaction.
    pub fn continues(&self) -> bool {
        self.link.is_some_and(|link| !link.is_first)
    }
}

/// A command's place in a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Number of the transaction in the workload.
    pub transaction: usize,
    /// Whether the transaction begins with it.
    pub is_first: bool,
    /// Whether the transaction ends with it.
    pub is_last: bool,
    /// Whether it is the last command of its actor in the transaction.
    pub is_end: bool,
}

/// The commands of one worker's actors after the preload: the mix of their populations, without end.
///
/// Actor `a` belongs to worker `a % workers`, so that the commands of one actor keep their order. The stream depends
/// on workload, seed, worker and number of workers alone: it can be drawn again to verify what was written.
#[derive(Debug)]
pub struct WorkloadSource {
    workload: Arc<Workload>,
    worker: u64,
    workers: u64,
    logs: Vec<ActorLog>,
    rng: Xoshiro256PlusPlus,
    parts: Vec<Part>,
    pick_part: WeightedIndex<f64>,
    /// What the worker does instead of drawing commands, if the workload has transactions.
    chains: Option<Chains>,
    /// The common actors, if there is no other worker.
    alone: Option<CommonActors>,
    /// What an actor has to do before another one is drawn.
    next: Option<Next>,
}

/// The actors of one population that belong to the worker.
#[derive(Debug)]
struct Part {
    /// Number of the population.
    population: usize,
    /// Places among the worker's actors.
    own: Range<usize>,
    kinds: Vec<CommandKind>,
    pick_kind: WeightedIndex<f64>,
    pick_actor: Option<Zipf<f64>>,
}

#[derive(Debug, Clone, Copy)]
enum Next {
    /// It has stopped and starts.
    Start { part: usize, place: usize },
    /// The rest of a visit, from this command on.
    Visit { part: usize, place: usize, step: usize },
    /// The rest of a transaction.
    Chain { transaction: usize, subject: usize, step: usize },
}

/// A command that was drawn.
#[derive(Debug, Clone, Copy)]
struct Drawn {
    on: Target,
    kind: CommandKind,
    link: Option<Link>,
}

#[derive(Debug, Clone, Copy)]
enum Target {
    /// An actor of the worker: its population among the parts, and its place among the worker's actors.
    Own { part: usize, place: usize },
    /// An actor that is common to all workers, and its number among those.
    Common { actor: u64, common: usize },
}

/// The transactions of one worker: the chains, and how the worker draws them.
#[derive(Debug)]
struct Chains {
    /// By the number of the transaction.
    links: Vec<Vec<ChainLink>>,
    pick: WeightedIndex<f64>,
    /// The part with the most actors of the worker: each of them is the subject of transactions.
    subjects: usize,
}

/// A command of a chain.
#[derive(Debug, Clone, Copy)]
struct ChainLink {
    kind: CommandKind,
    on: ChainTarget,
    /// Whether a snapshot is the last command of its actor.
    is_end: bool,
}

#[derive(Debug, Clone, Copy)]
enum ChainTarget {
    Own {
        part: usize,
    },
    /// Its first actor, the number of that one among the common actors, and how many there are.
    Common {
        actor: u64,
        first: usize,
        count: usize,
    },
}

/// Salt of the command generator, which keeps its stream apart from those of values.
const COMMAND_SALT: u64 = 0xc0;

impl Part {
    fn new(population: &Population, number: usize, own: Range<usize>) -> Self {
        let commands = &population.commands;
        let kinds = commands.kinds();
        let pick_kind = WeightedIndex::new(kinds.iter().map(|&kind| commands.weight(kind)))
            .expect("weights were checked when the workload was read");
        let pick_actor = match population.actors.skew {
            Skew::Uniform => None,
            Skew::Zipf(exponent) => Some(Zipf::new(own.len() as f64, exponent).expect("the exponent was checked")),
        };
        Self { population: number, own, kinds, pick_kind, pick_actor }
    }
}

impl Chains {
    fn new(workload: &Workload, parts: &[Part]) -> Option<Self> {
        let pick = WeightedIndex::new(workload.transactions.iter().map(|one| one.weight)).ok()?;
        let mut targets = Vec::new();
        let mut first_common = 0;
        for (number, (population, range)) in workload.ranges().enumerate() {
            let target = if workload.is_common(population) {
                let (first, count) = (first_common, population.actors.count as usize);
                first_common += count;
                ChainTarget::Common { actor: range.start, first, count }
            } else {
                ChainTarget::Own { part: parts.iter().position(|part| part.population == number)? }
            };
            targets.push((population.name.as_str(), target));
        }
        let chain = |commands: Vec<(&str, CommandKind)>| {
            let link = |(place, &(name, kind)): (usize, &(&str, CommandKind))| {
                let on = targets.iter().find(|(known, _)| *known == name)?.1;
                let is_end = commands[place + 1..].iter().all(|(later, _)| *later != name);
                Some(ChainLink { kind, on, is_end })
            };
            commands.iter().enumerate().filter_map(link).collect()
        };
        let links = workload.transactions.iter().map(|one| chain(one.commands().collect())).collect();
        let subjects = (0..parts.len()).max_by_key(|&part| parts[part].own.len())?;
        Some(Self { links, pick, subjects })
    }
}

/// How many of the numbers `0..end` belong to a worker.
fn own_below(end: u64, worker: u64, workers: u64) -> u64 {
    end.saturating_sub(worker).div_ceil(workers)
}

/// Share of all commands that worker `worker` of `workers` issues: that of its actors. Workers have about equal shares unless
/// a population has fewer actors than there are workers.
pub(crate) fn share_of_worker(workload: &Workload, worker: u64, workers: u64) -> f64 {
    if !workload.transactions.is_empty() {
        return 1.0 / workers as f64;
    }
    let own = |range: Range<u64>| own_below(range.end, worker, workers) - own_below(range.start, worker, workers);
    let of = |(population, range): (&Population, Range<u64>)| {
        workload.share_of(population) * own(range) as f64 / f64::from(population.actors.count)
    };
    workload.ranges().map(of).sum()
}

impl WorkloadSource {
    /// The stream of worker `worker` of `workers`.
    ///
    /// # Panics
    ///
    /// If `worker >= workers`, or if there are more workers than actors, or than subjects of transactions.
    pub fn new(workload: Arc<Workload>, worker: u64, workers: u64) -> Self {
        let (actors, most) = (workload.actor_count(), workload.most_writers());
        assert!(worker < workers && workers <= most, "worker {worker} of {workers} for {most} actors");
        let content = PreloadContent::new(Arc::clone(&workload));
        let place = |end| usize::try_from(own_below(end, worker, workers)).expect("actors fit in memory");
        let of = |(number, (population, range)): (usize, (&Population, Range<u64>))| {
            let own = place(range.start)..place(range.end);
            let share = own.len() as f64 / f64::from(population.actors.count);
            // A visit is drawn once and is several commands.
            let draws = workload.share_of(population) * share / population.commands.visit.len().max(1) as f64;
            let is_drawn = !own.is_empty() && !workload.is_common(population);
            is_drawn.then(|| (Part::new(population, number, own), draws))
        };
        let (parts, weights): (Vec<_>, Vec<_>) = workload.ranges().enumerate().filter_map(of).unzip();
        let chains = Chains::new(&workload, &parts);
        Self {
            alone: (chains.is_some() && workers == 1).then(|| CommonActors::new(&workload)),
            chains,
            rng: Xoshiro256PlusPlus::seed_from_u64(mix(workload.seed, worker, COMMAND_SALT, workers)),
            logs: (0..own_below(actors, worker, workers)).map(|place| content.log(worker + place * workers)).collect(),
            next: None,
            pick_part: WeightedIndex::new(weights).expect("weights are above 0"),
            parts,
            workload,
            worker,
            workers,
        }
    }

    /// Draws the next command and puts the operations it expands to into `ops`.
    pub fn next(&mut self, ops: &mut Vec<Op>) -> Planned {
        ops.clear();
        let Drawn { on, kind, link } = self.draw();
        let (part, place) = match on {
            Target::Own { part, place } => (part, place),
            Target::Common { actor, common } => {
                let Some(alone) = &self.alone else {
                    return Planned { actor, kind, at_ns: None, link, common: Some(common) };
                };
                alone.lock(common).expand(kind, ops);
                return Planned { actor, kind, at_ns: None, link, common: None };
            }
        };
        let command = if self.stops_first(part, place, kind) {
            self.next = Some(Next::Start { part, place });
            Command::Stop { state_bytes: self.state_bytes(part, place, 0) }
        } else if self.is_end_of_visit(part, place, kind, link) {
            Command::Stop { state_bytes: self.state_bytes(part, place, 0) }
        } else {
            self.command(part, place, kind)
        };
        let rules = self.population(part).rules();
        self.logs[place].expand(rules, command, ops);
        let actor = self.worker + place as u64 * self.workers;
        Planned { actor, kind: command.kind(), at_ns: None, link, common: None }
    }

    fn population(&self, part: usize) -> &Population {
        &self.workload.populations[self.parts[part].population]
    }

    fn draw(&mut self) -> Drawn {
        let of = |part, place, kind| Drawn { on: Target::Own { part, place }, kind, link: None };
        match self.next.take() {
            Some(Next::Start { part, place }) => of(part, place, CommandKind::Recover),
            Some(Next::Visit { part, place, step }) => self.visit(part, place, step),
            Some(Next::Chain { transaction, subject, step }) => self.link(transaction, subject, step),
            None => {
                if let Some(Chains { pick, subjects, .. }) = &self.chains {
                    let (transaction, subjects) = (pick.sample(&mut self.rng), *subjects);
                    let subject = self.draw_actor(subjects) - self.parts[subjects].own.start;
                    return self.link(transaction, subject, 0);
                }
                let part = if self.parts.len() == 1 { 0 } else { self.pick_part.sample(&mut self.rng) };
                if self.population(part).commands.visit.is_empty() {
                    let Part { kinds, pick_kind, .. } = &self.parts[part];
                    let kind = kinds[pick_kind.sample(&mut self.rng)];
                    return of(part, self.draw_actor(part), kind);
                }
                let place = self.draw_actor(part);
                self.visit(part, place, 0)
            }
        }
    }

    /// A command of a transaction; the rest comes next.
    fn link(&mut self, transaction: usize, subject: usize, step: usize) -> Drawn {
        let chain = &self.chains.as_ref().expect("drawn from the chains").links[transaction];
        let ChainLink { kind, on, is_end } = chain[step];
        let is_last = step + 1 == chain.len();
        if !is_last {
            self.next = Some(Next::Chain { transaction, subject, step: step + 1 });
        }
        let on = match on {
            ChainTarget::Own { part } => {
                let own = &self.parts[part].own;
                Target::Own { part, place: own.start + subject % own.len() }
            }
            // Subjects are numbered over all workers.
            ChainTarget::Common { actor, first, count } => {
                let subject = self.worker + subject as u64 * self.workers;
                let place = subject % count as u64;
                #[expect(clippy::cast_possible_truncation, reason = "below the count")]
                let common = first + place as usize;
                Target::Common { actor: actor + place, common }
            }
        };
        Drawn { on, kind, link: Some(Link { transaction, is_first: step == 0, is_last, is_end }) }
    }

    /// A command of a visit; the rest comes next.
    fn visit(&mut self, part: usize, place: usize, step: usize) -> Drawn {
        let visit = &self.population(part).commands.visit;
        let (kind, count) = (visit[step], visit.len());
        if step + 1 < count {
            self.next = Some(Next::Visit { part, place, step: step + 1 });
        }
        Drawn { on: Target::Own { part, place }, kind, link: None }
    }

    fn draw_actor(&mut self, part: usize) -> usize {
        let Part { own, pick_actor, .. } = &self.parts[part];
        own.start
            + match pick_actor {
                None => self.rng.random_range(0..own.len()),
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a rank from 1 to the count"
                )]
                Some(zipf) => (zipf.sample(&mut self.rng) as usize).clamp(1, own.len()) - 1,
            }
    }

    /// Whether an actor that is about to start first stops in order and writes a snapshot.
    fn stops_first(&mut self, part: usize, place: usize, kind: CommandKind) -> bool {
        let population = self.population(part);
        let share = population.commands.recover_after_stop;
        kind == CommandKind::Recover
            && share > 0.0
            && population.rules().strategy != Strategy::Light
            && self.logs[place].has_uncovered_events()
            && self.rng.random::<f64>() < share
    }

    /// Whether a snapshot ends a visit, or what a transaction does with the actor: the actor stops, and its `pre_stop` writes
    /// what is not covered yet.
    fn is_end_of_visit(&self, part: usize, place: usize, kind: CommandKind, link: Option<Link>) -> bool {
        let population = self.population(part);
        let is_end_of_visit = self.next.is_none() && !population.commands.visit.is_empty();
        kind == CommandKind::Snapshot
            && link.map_or(is_end_of_visit, |link| link.is_end)
            && population.rules().strategy != Strategy::Light
            && self.logs[place].has_uncovered_events()
    }

    /// An `events` command of an actor without events becomes a `persist`.
    fn command(&mut self, part: usize, place: usize, kind: CommandKind) -> Command {
        let log = self.logs[place];
        let (first, next) = (log.compacted, log.events);
        match kind {
            CommandKind::Snapshot => Command::Snapshot { state_bytes: self.state_bytes(part, place, 0) },
            CommandKind::Recover => Command::Recover { state_bytes: self.state_bytes(part, place, 0) },
            CommandKind::Events if first < next => {
                let commands = &self.workload.populations[self.parts[part].population].commands;
                let length = commands.draw_query_length(&mut self.rng).min(next - first);
                let from = self.rng.random_range(first..=next - length);
                Command::Events { from, to: from + length - 1 }
            }
            CommandKind::Persist | CommandKind::Events => {
                let event_bytes = self.workload.populations[self.parts[part].population].event_bytes(&mut self.rng);
                Command::Persist { event_bytes, state_bytes: self.state_bytes(part, place, 1) }
            }
            CommandKind::LastEvent => Command::LastEvent,
            CommandKind::Purge => Command::Purge,
        }
    }

    /// The state of an actor after so many more events.
    fn state_bytes(&mut self, part: usize, place: usize, more_events: u64) -> u32 {
        let events = self.logs[place].events + more_events;
        let all = &self.workload.populations;
        all[self.parts[part].population].state_bytes(all, events, &mut self.rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ave_actors_rocksdb::trace::OpKind;

    fn workload(extra: &str) -> Workload {
        let text = format!(
            "name='t'\ndescription='d'\nevent_bytes={{constant=10}}\nstate_bytes={{constant=20}}\n{extra}\n\
             [persistence]\nmode='full'\n[commands]\npersist=8\nrecover=1\nevents=1\n"
        );
        Workload::parse(&text).unwrap()
    }

    /// The first commands of a worker and their operations.
    fn drawn(workload: Workload, worker: u64, workers: u64, commands: usize) -> Vec<(Planned, Vec<Op>)> {
        let mut source = WorkloadSource::new(Arc::new(workload), worker, workers);
        let mut ops = Vec::new();
        (0..commands).map(|_| (source.next(&mut ops), ops.clone())).collect()
    }

    #[test]
    fn the_stream_depends_on_the_seed_alone() {
        let with_seed = |seed| drawn(Workload { seed, ..workload("actors={count=10}") }, 1, 3, 200);
        assert_eq!(with_seed(5), with_seed(5));
        assert_ne!(with_seed(5), with_seed(6));
    }

    #[test]
    fn workers_share_the_actors_without_overlap() {
        for worker in 0..3 {
            let commands = drawn(workload("actors={count=10}"), worker, 3, 500);
            assert!(commands.iter().all(|(planned, _)| planned.actor % 3 == worker));
        }
    }

    #[test]
    fn the_stream_begins_after_the_preload() {
        let workload = workload("actors={count=7}\npreload={events_per_actor=4}");
        let mut next = [4; 7];
        for (planned, ops) in drawn(workload, 0, 2, 100) {
            for op in ops.iter().filter(|op| op.kind == OpKind::EventsPut) {
                let next: &mut u64 = &mut next[usize::try_from(planned.actor).unwrap()];
                assert_eq!(op.number, *next);
                *next += 1;
            }
        }
        assert!(next[0] > 4);
    }

    #[test]
    fn zipf_gives_the_first_ranks_their_share() {
        let commands = drawn(workload("actors={count=100, skew={zipf=1.0}}"), 0, 1, 20_000);
        let busiest = commands.iter().filter(|(planned, _)| planned.actor == 0).count();
        // 1 / H(100) = 0.1928
        assert!((0.18..0.21).contains(&(busiest as f64 / 20_000.0)), "{busiest}");
    }

    #[test]
    fn an_orderly_stop_precedes_the_start_and_counts_as_a_snapshot() {
        let mut altered = workload("actors={count=3}");
        altered.populations[0].commands.recover_after_stop = 1.0;
        let (mut before, mut stops) = (None, 0);
        for (planned, ops) in drawn(altered, 0, 1, 2_000) {
            if planned.kind == CommandKind::Recover {
                assert!(!ops.iter().any(|op| op.kind == OpKind::EventsGet), "nothing is left");
            }
            if let Some(stopped) = before {
                assert_eq!((planned.actor, planned.kind), (stopped, CommandKind::Recover));
            }
            before = (planned.kind == CommandKind::Snapshot).then_some(planned.actor);
            stops += u32::from(before.is_some());
        }
        assert!(stops > 50, "{stops}");
    }

    #[test]
    fn query_lengths_follow_their_quantiles() {
        let mut altered = workload("actors={count=1}\npreload={events_per_actor=500}");
        altered.populations[0].commands.events_per_query_quantiles = vec![1, 10, 100];
        let commands = drawn(altered, 0, 1, 25_000);
        let queries = commands.iter().filter(|(planned, _)| planned.kind == CommandKind::Events);
        let mut lengths: Vec<usize> = queries.map(|(_, ops)| ops.len()).collect();
        lengths.sort_unstable();
        let [median, upper] = [2, 4].map(|part| lengths[lengths.len() - lengths.len() / part]);
        assert!((9..=11).contains(&median) && (50..=60).contains(&upper), "{median} {upper}");
    }

    fn with_transactions() -> Workload {
        Workload::parse(
            "name='t'\ndescription='d'\n\
             [[population]]\nname='cart'\nevent_bytes={constant=10}\nstate_bytes={constant=20}\nactors={count=20}\n\
             persistence={mode='full', snapshot_every=0}\n\
             [[population]]\nname='user'\nevent_bytes={constant=10}\nstate_bytes={constant=20}\nactors={count=20}\n\
             persistence={mode='light'}\n\
             [[population]]\nname='orders'\nevent_bytes={uniform={min=9,max=99}}\nstate_bytes={constant=40}\n\
             state_growth_per_event=5\nactors={count=3}\npersistence={mode='light'}\npreload={events_per_actor=7}\n\
             [[transaction]]\nname='order'\nweight=3\nsteps=[{population='cart', commands=['recover', 'persist']},\n\
             {population='orders', commands=['persist']}, {population='user', commands=['persist']},\n\
             {population='cart', commands=['snapshot']}]\n\
             [[transaction]]\nname='visit'\nsteps=[{population='user', commands=['persist']},\n\
             {population='orders', commands=['events']}]\n",
        )
        .unwrap()
    }

    #[test]
    fn the_commands_of_a_transaction_follow_each_other_on_the_actors_of_one_subject() {
        let workload = with_transactions();
        for (worker, workers) in [(0, 1), (2, 3), (19, 20)] {
            let commands = drawn(workload.clone(), worker, workers, 4_000);
            let mut user_of_cart = std::collections::BTreeMap::new();
            let mut counts = [0_u32; 2];
            let is_first = |planned: &Planned| planned.link.is_some_and(|link| link.is_first);
            // The last one may be incomplete.
            let whole = commands.iter().rposition(|(planned, _)| is_first(planned)).unwrap();
            for chain in commands[..whole].chunk_by(|_, (next, _)| !is_first(next)) {
                let place = |at: usize| workload.place_of(chain[at].0.actor);
                let names: Vec<_> = (0..chain.len()).map(|at| place(at).population.name.as_str()).collect();
                let kinds: Vec<_> = chain.iter().map(|(planned, _)| planned.kind.name()).collect();
                let last = chain.last().unwrap().0.link.unwrap();
                assert!(last.is_last && chain.iter().filter(|(planned, _)| planned.link.unwrap().is_last).count() == 1);
                counts[last.transaction] += 1;
                if last.transaction == 1 {
                    assert_eq!((names, kinds), (vec!["user", "orders"], vec!["persist", "events"]));
                    continue;
                }
                assert_eq!(names, ["cart", "cart", "orders", "user", "cart"]);
                assert_eq!(kinds, ["recover", "persist", "persist", "persist", "snapshot"]);
                assert_eq!(place(0).place, place(4).place, "one cart");
                let user = *user_of_cart.entry(place(0).place).or_insert(place(3).place);
                assert!(user == place(3).place || 20 % workers != 0, "one user");
                let own = [0, 1, 3, 4].map(|at| chain[at].0.actor % workers);
                assert_eq!(own, [worker; 4], "the actors of a subject belong to the worker");
            }
            let share = f64::from(counts[0]) / f64::from(counts[0] + counts[1]);
            assert!((share - 0.75).abs() < 0.05, "{counts:?}");
        }
    }

    #[test]
    fn what_common_actors_store_does_not_depend_on_which_worker_issues_a_command() {
        let workload = Arc::new(with_transactions());
        let stored = |workers: u64, commands: [usize; 2]| {
            let common = CommonActors::new(&workload);
            let mut written: Vec<Op> = Vec::new();
            for (worker, commands) in (0..workers).zip(commands) {
                for (planned, mut ops) in drawn((*workload).clone(), worker, workers, commands) {
                    if let Some(place) = planned.common {
                        assert!(ops.is_empty());
                        common.lock(place).expand(planned.kind, &mut ops);
                    }
                    let is_orders = workload.place_of(planned.actor).population.name == "orders";
                    written.extend(ops.iter().filter(|op| is_orders && op.kind == OpKind::EventsPut));
                }
            }
            (common, written)
        };
        let (common, written) = stored(2, [600, 900]);
        let events = common.events();
        assert_eq!(events.iter().sum::<u64>(), written.len() as u64);
        assert!(events.iter().all(|&events| events > 50), "{events:?}");
        // The preload of a database that knows what they have persisted is what the commands have left.
        let content = PreloadContent::new(Arc::new(workload.with_common_events(events)));
        let mut expected: Vec<Op> = (40..43)
            .flat_map(|actor| content.stored_events(actor).skip(7).map(move |number| (actor, number)))
            .map(|(actor, number)| content.event(actor, number))
            .collect();
        let order = |op: &Op| (op.number, op.bytes);
        let mut written = written;
        written.sort_by_key(order);
        expected.sort_by_key(order);
        assert_eq!(written, expected);
        let (alone, written) = stored(1, [900, 0]);
        assert_eq!(alone.events(), [0; 3], "a single worker has the counters of all actors itself");
        assert!(written.len() > 50);
    }

    fn populations() -> Workload {
        Workload::parse(
            "name='t'\ndescription='d'\n\
             [[population]]\nname='cart'\nweight=3\nevent_bytes={constant=10}\nstate_bytes={constant=20}\nactors={count=20}\n\
             persistence={mode='full', snapshot_every=0}\ncommands={visit=['recover', 'persist', 'persist', 'snapshot']}\n\
             [[population]]\nname='orders'\nevent_bytes={constant=30}\nstate_bytes={constant=40}\nstate_growth_per_event=5\n\
             state_bytes_per_actor={cart=7}\nactors={count=1}\npersistence={mode='light'}\ncommands={persist=1}\n",
        )
        .unwrap()
    }

    #[test]
    fn populations_issue_their_shares_whatever_the_number_of_workers() {
        const ALL: usize = 20_000;
        let workload = populations();
        for workers in [1, 4, 21] {
            let shares: Vec<f64> = (0..workers).map(|worker| share_of_worker(&workload, worker, workers)).collect();
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{shares:?}");
            let mut of_orders = 0;
            for (worker, share) in (0..workers).zip(shares) {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
                let own = (share * ALL as f64) as usize;
                let commands = drawn(workload.clone(), worker, workers, own);
                of_orders += commands.iter().filter(|(planned, _)| planned.actor == 20).count();
            }
            let share = of_orders as f64 / ALL as f64;
            assert!((share - 0.25).abs() < 0.02, "{share} with {workers} workers");
        }
    }

    #[test]
    fn a_visit_is_to_one_actor_and_ends_with_an_orderly_stop() {
        let commands = drawn(populations(), 0, 2, 4_000);
        let visits: Vec<_> = commands.iter().filter(|(planned, _)| planned.actor < 20).collect();
        for visit in visits.chunks_exact(4) {
            let kinds: Vec<_> = visit.iter().map(|(planned, _)| planned.kind.name()).collect();
            assert_eq!(kinds, ["recover", "persist", "persist", "snapshot"]);
            assert!(visit.iter().all(|(planned, _)| planned.actor == visit[0].0.actor));
            let stop: Vec<_> = visit[3].1.iter().map(|op| op.kind.name()).collect();
            assert_eq!(stop, ["states.get", "events.get", "events.get", "states.put", "metadata.put"]);
        }
    }

    #[test]
    fn a_state_grows_with_the_events_of_its_actor_and_has_an_entry_for_each_actor_of_another_population() {
        for carts in [20, 200_000] {
            let (mut workload, mut events) = (populations(), 0);
            workload.populations[0].actors.count = carts;
            let longest = workload.populations[1].longest_value(&workload.populations);
            let overhead = workload.populations[1].rules().state_overhead();
            let drawn = drawn(workload, 0, 1, 4_000).into_iter();
            for (_, ops) in drawn.filter(|(planned, _)| planned.actor == u64::from(carts)) {
                events += 1;
                let state = ops.iter().find(|op| op.kind == OpKind::StatesPut).unwrap();
                assert_eq!(state.bytes, 40 + 7 * carts + 5 * events + overhead);
                assert!(state.bytes <= longest + overhead);
            }
            assert!(events > 500, "{events}");
        }
    }

    #[test]
    fn queries_read_only_events_that_exist() {
        let mut written = [0u64; 3];
        for (planned, ops) in drawn(workload("actors={count=3}"), 0, 1, 2_000) {
            let next = &mut written[usize::try_from(planned.actor).unwrap()];
            for op in ops {
                match op.kind {
                    OpKind::EventsPut => *next += 1,
                    OpKind::EventsGet => assert!(op.number < *next),
                    _ => {}
                }
            }
        }
    }
}
