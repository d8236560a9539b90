//! The seeded command stream of one worker of a workload.

use std::sync::Arc;

use rand::distr::weighted::WeightedIndex;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Zipf};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::preload::PreloadContent;
use super::schema::{Skew, Workload};
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
}

/// The commands of one worker's actors after the preload: the mix, without end.
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
    kinds: Vec<CommandKind>,
    pick_kind: WeightedIndex<f64>,
    pick_actor: Option<Zipf<f64>>,
    /// An actor that has stopped and starts with the next command.
    stopped: Option<usize>,
    longest: [u32; 2],
}

/// Salt of the command generator, which keeps its stream apart from those of values.
const COMMAND_SALT: u64 = 0xc0;

impl WorkloadSource {
    /// The stream of worker `worker` of `workers`.
    ///
    /// # Panics
    ///
    /// If `worker >= workers`, or if there are more workers than actors.
    pub fn new(workload: Arc<Workload>, worker: u64, workers: u64) -> Self {
        let actors = u64::from(workload.actors.count);
        assert!(worker < workers && workers <= actors, "worker {worker} of {workers} for {actors} actors");
        let own = (actors - worker).div_ceil(workers);
        let content = PreloadContent::new(Arc::clone(&workload));
        let kinds = workload.commands.kinds();
        let pick_kind = WeightedIndex::new(kinds.iter().map(|&kind| workload.commands.weight(kind)))
            .expect("weights were checked when the workload was read");
        let pick_actor = match workload.actors.skew {
            Skew::Uniform => None,
            Skew::Zipf(exponent) => Some(Zipf::new(own as f64, exponent).expect("the exponent was checked")),
        };
        Self {
            rng: Xoshiro256PlusPlus::seed_from_u64(mix(workload.seed, worker, COMMAND_SALT, workers)),
            logs: (0..own).map(|place| content.log(worker + place * workers)).collect(),
            stopped: None,
            longest: [workload.event_bytes.max_bytes(), workload.state_bytes.max_bytes()],
            workload,
            worker,
            workers,
            kinds,
            pick_kind,
            pick_actor,
        }
    }

    /// Draws the next command and puts the operations it expands to into `ops`.
    pub fn next(&mut self, ops: &mut Vec<Op>) -> Planned {
        ops.clear();
        let (own, kind) = self.draw();
        let command = if self.stops_first(own, kind) {
            self.stopped = Some(own);
            Command::Stop { state_bytes: self.state_bytes() }
        } else {
            self.command(own, kind)
        };
        self.logs[own].expand(self.workload.rules(), command, ops);
        Planned { actor: self.worker + own as u64 * self.workers, kind: command.kind(), at_ns: None }
    }

    fn draw(&mut self) -> (usize, CommandKind) {
        if let Some(own) = self.stopped.take() {
            return (own, CommandKind::Recover);
        }
        let kind = self.kinds[self.pick_kind.sample(&mut self.rng)];
        let own = match &self.pick_actor {
            None => self.rng.random_range(0..self.logs.len()),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank from 1 to the count")]
            Some(zipf) => (zipf.sample(&mut self.rng) as usize).clamp(1, self.logs.len()) - 1,
        };
        (own, kind)
    }

    /// Whether an actor that is about to start first stops in order and writes a snapshot.
    fn stops_first(&mut self, own: usize, kind: CommandKind) -> bool {
        let share = self.workload.commands.recover_after_stop;
        kind == CommandKind::Recover
            && share > 0.0
            && self.workload.rules().strategy != Strategy::Light
            && self.logs[own].has_uncovered_events()
            && self.rng.random::<f64>() < share
    }

    /// An `events` command of an actor without events becomes a `persist`.
    fn command(&mut self, own: usize, kind: CommandKind) -> Command {
        let log = self.logs[own];
        let (first, next) = (log.compacted, log.events);
        match kind {
            CommandKind::Snapshot => Command::Snapshot { state_bytes: self.state_bytes() },
            CommandKind::Recover => Command::Recover { state_bytes: self.state_bytes() },
            CommandKind::Events if first < next => {
                let length = self.workload.commands.draw_query_length(&mut self.rng).min(next - first);
                let from = self.rng.random_range(first..=next - length);
                Command::Events { from, to: from + length - 1 }
            }
            CommandKind::Persist | CommandKind::Events => self.persist(),
            CommandKind::LastEvent => Command::LastEvent,
            CommandKind::Purge => Command::Purge,
        }
    }

    fn persist(&mut self) -> Command {
        let event_bytes = self.workload.event_bytes.sample(&mut self.rng).min(self.longest[0]);
        Command::Persist { event_bytes, state_bytes: self.state_bytes() }
    }

    fn state_bytes(&mut self) -> u32 {
        self.workload.state_bytes.sample(&mut self.rng).min(self.longest[1])
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
        altered.commands.recover_after_stop = 1.0;
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
        altered.commands.events_per_query_quantiles = vec![1, 10, 100];
        let commands = drawn(altered, 0, 1, 25_000);
        let queries = commands.iter().filter(|(planned, _)| planned.kind == CommandKind::Events);
        let mut lengths: Vec<usize> = queries.map(|(_, ops)| ops.len()).collect();
        lengths.sort_unstable();
        let [median, upper] = [2, 4].map(|part| lengths[lengths.len() - lengths.len() / part]);
        assert!((9..=11).contains(&median) && (50..=60).contains(&upper), "{median} {upper}");
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
