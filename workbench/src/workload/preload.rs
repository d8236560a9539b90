//! What the actors of a workload have stored before their first command.
//!
//! A function of the workload alone: neither the number of workers nor the other actors matter, and each value's size can
//! be computed by itself. So a database with the preload serves any number of workers, it can be written in the order of
//! its keys, and a verification needs no memory for it.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::population::{Population, Skew};
use super::schema::{ActorPlace, Workload};
use super::values::mix;
use crate::actor::{ActorLog, Command};
use ave_actors_rocksdb::trace::{Op, OpKind};

/// Salts of the generators of sizes and shares, which keep them apart from those of values.
const EVENT_SALT: u64 = 0xe0;
const STATE_SALT: u64 = 0xe1;
const SHARE_SALT: u64 = 0xe2;
/// Terms of a harmonic sum that are added one by one; the rest is integrated, with a relative error below 1e-6.
const EXACT_TERMS: u32 = 16;

/// The content of a workload's database before the first command.
#[derive(Debug, Clone)]
pub(crate) struct PreloadContent {
    workload: Arc<Workload>,
    /// Of each population, the events of an actor with weight 1 that
    /// [`Preload::events_by_popularity`](super::Preload::events_by_popularity) adds.
    events_per_weight: Arc<[f64]>,
}

impl PreloadContent {
    pub(crate) fn new(workload: Arc<Workload>) -> Self {
        let events_per_weight = workload.populations.iter().map(events_per_weight).collect();
        Self { workload, events_per_weight }
    }

    /// Events that an actor has persisted.
    pub(crate) fn events(&self, actor: u64) -> u64 {
        let known = self.workload.place_of(actor);
        let ActorPlace { population, index, place, .. } = known;
        population.preload.events_per_actor
            + self.events_by_popularity(actor, population, index, place)
            + self.workload.common_events_of(known)
    }

    /// Rounded at random, so that the sum is about right for millions of actors with a fraction of an event each.
    fn events_by_popularity(&self, actor: u64, population: &Population, index: usize, place: u64) -> u64 {
        let per_weight = self.events_per_weight[index];
        if per_weight <= 0.0 {
            return 0;
        }
        let weight = match population.actors.skew {
            Skew::Uniform => 1.0,
            Skew::Zipf(exponent) => (place as f64 + 1.0).powf(-exponent),
        };
        let random = (mix(self.workload.seed, actor, SHARE_SALT, 0) >> 11) as f64 / 2f64.powi(53);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of events, not negative")]
        let events = (per_weight * weight + random) as u64;
        events
    }

    /// The counters of an actor.
    pub(crate) fn log(&self, actor: u64) -> ActorLog {
        ActorLog::after_persists(self.population(actor).rules(), self.events(actor))
    }

    /// The events of an actor that no snapshot deleted.
    pub(crate) fn stored_events(&self, actor: u64) -> Range<u64> {
        let log = self.log(actor);
        log.compacted..log.next_event()
    }

    /// The write of an event.
    pub(crate) fn event(&self, actor: u64, number: u64) -> Op {
        let population = self.population(actor);
        let bytes = population.event_bytes(&mut self.generator(actor, EVENT_SALT, number));
        Op::new(OpKind::EventsPut, number, bytes + population.rules().overhead())
    }

    /// The writes of state and metadata, if the actor has any.
    pub(crate) fn states(&self, actor: u64) -> Option<[Op; 2]> {
        let (population, log) = (self.population(actor), self.log(actor));
        let newest = log.next_state().checked_sub(1)?;
        let mut rng = self.generator(actor, STATE_SALT, newest);
        let bytes = population.state_bytes(&self.workload.populations, log.covered_events(), &mut rng);
        log.newest_states(population.rules(), bytes)
    }

    /// The command with which an actor persists its next event, if its content is issued as commands.
    pub(super) fn persist(&self, actor: u64, log: &ActorLog) -> Command {
        let population = self.population(actor);
        // The state is that after the event.
        let events = log.next_event() + 1;
        let mut rng = self.generator(actor, STATE_SALT, log.next_state());
        Command::Persist {
            event_bytes: population.event_bytes(&mut self.generator(actor, EVENT_SALT, log.next_event())),
            state_bytes: population.state_bytes(&self.workload.populations, events, &mut rng),
        }
    }

    pub(super) fn population(&self, actor: u64) -> &Population {
        self.workload.place_of(actor).population
    }

    fn generator(&self, actor: u64, salt: u64, number: u64) -> Xoshiro256PlusPlus {
        Xoshiro256PlusPlus::seed_from_u64(mix(self.workload.seed, actor, salt, number))
    }
}

fn events_per_weight(population: &Population) -> f64 {
    let events = population.preload.events_by_popularity as f64;
    let weights = match population.actors.skew {
        Skew::Uniform => f64::from(population.actors.count),
        Skew::Zipf(exponent) if events > 0.0 => harmonic(population.actors.count, exponent),
        Skew::Zipf(_) => 1.0,
    };
    events / weights
}

/// The preload as commands. The actors take turns.
#[derive(Debug)]
pub(crate) struct PreloadCommands {
    content: PreloadContent,
    /// Actors with events left, and their counters.
    left: VecDeque<(u64, ActorLog)>,
}

impl PreloadCommands {
    pub(crate) fn new(content: PreloadContent) -> Self {
        let actors = 0..content.workload.actor_count();
        let left = actors.filter(|&actor| content.events(actor) > 0).map(|actor| (actor, ActorLog::default()));
        Self { left: left.collect(), content }
    }

    /// The actor of the next `persist`, and in `ops` its operations; `None` at the end.
    pub(crate) fn next(&mut self, ops: &mut Vec<Op>) -> Option<u64> {
        let (actor, mut log) = self.left.pop_front()?;
        ops.clear();
        log.expand(self.content.population(actor).rules(), self.content.persist(actor, &log), ops);
        if log.next_event() < self.content.events(actor) {
            self.left.push_back((actor, log));
        }
        Some(actor)
    }
}

/// The sum of `k^-exponent` for `k` from 1 to `count`, by the Euler-Maclaurin formula.
fn harmonic(count: u32, exponent: f64) -> f64 {
    let first = count.min(EXACT_TERMS);
    let term = |k: u32| f64::from(k).powf(-exponent);
    let exact: f64 = (1..=first).map(term).sum();
    if count == first {
        return exact;
    }
    let [from, to] = [first, count].map(f64::from);
    let integral = if (exponent - 1.0).abs() < 1e-9 {
        (to / from).ln()
    } else {
        (to.powf(1.0 - exponent) - from.powf(1.0 - exponent)) / (1.0 - exponent)
    };
    let slopes = exponent / 12.0 * (term(first) / from - term(count) / to);
    exact + integral + (term(count) - term(first)) / 2.0 + slopes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn content(extra: &str) -> PreloadContent {
        let text = format!(
            "name='t'\ndescription='d'\nevent_bytes={{uniform={{min=10,max=90}}}}\nstate_bytes={{constant=20}}\n{extra}\n\
             [persistence]\nmode='full'\nsnapshot_every=7\n[commands]\npersist=1\n"
        );
        PreloadContent::new(Arc::new(Workload::parse(&text).unwrap()))
    }

    proptest! {
        #[test]
        fn harmonic_sums_are_those_of_their_terms(count in 1..3000_u32, exponent in 0.05..5.0_f64) {
            let exact: f64 = (1..=count).map(|k| f64::from(k).powf(-exponent)).sum();
            prop_assert!((harmonic(count, exponent) / exact - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn growth_gives_each_actor_events_in_proportion_to_its_popularity() {
        const EVENTS: u64 = 100_000;
        for (skew, exponent) in [("'uniform'", 0.0), ("{zipf=0.9}", 0.9)] {
            let content = content(&format!(
                "actors={{count=50, skew={skew}}}\npreload={{events_per_actor=3, events_by_popularity={EVENTS}}}"
            ));
            let weights: f64 = (1..=50).map(|k| f64::from(k).powf(-exponent)).sum();
            for actor in 0..50_u32 {
                let share = EVENTS as f64 * (f64::from(actor) + 1.0).powf(-exponent) / weights;
                assert!((content.events(u64::from(actor)) as f64 - 3.0 - share).abs() <= 1.1, "{skew} {actor}");
            }
        }
    }

    fn populations() -> PreloadContent {
        let text = "name='t'\ndescription='d'\n\
             [[population]]\nname='cart'\nevent_bytes={uniform={min=10,max=90}}\nstate_bytes={constant=20}\n\
             actors={count=3, skew={zipf=1.0}}\npersistence={mode='full', snapshot_every=7}\ncommands={persist=1}\n\
             preload={events_per_actor=3, events_by_popularity=60}\n\
             [[population]]\nname='orders'\nevent_bytes={constant=30}\nstate_bytes={constant=40}\nstate_growth_per_event=5\n\
             state_bytes_per_actor={cart=3.5}\nactors={count=1}\npersistence={mode='light', encrypted=true}\ncommands={persist=1}\npreload={events_per_actor=9}";
        PreloadContent::new(Arc::new(Workload::parse(text).unwrap()))
    }

    #[test]
    fn the_content_is_what_the_commands_leave() {
        the_commands_leave(&content(
            "actors={count=4, skew={zipf=1.0}}\npreload={events_per_actor=3, events_by_popularity=60}",
        ));
        the_commands_leave(&populations());
    }

    fn the_commands_leave(content: &PreloadContent) {
        let (mut commands, mut ops) = (PreloadCommands::new(content.clone()), Vec::new());
        let mut written: Vec<Vec<Op>> = vec![Vec::new(); 4];
        while let Some(actor) = commands.next(&mut ops) {
            written[usize::try_from(actor).unwrap()].append(&mut ops);
        }
        for (actor, written) in (0..).zip(&written) {
            let of = |kind| written.iter().filter(move |op: &&Op| op.kind == kind).copied();
            let events = content.stored_events(actor).map(|number| content.event(actor, number));
            assert!(events.eq(of(OpKind::EventsPut)), "nothing is deleted");
            let states = content.states(actor).map_or([None; 2], |ops| ops.map(Some));
            assert_eq!(states, [of(OpKind::StatesPut).last(), of(OpKind::MetadataPut).last()]);
        }
    }

    #[test]
    fn fractions_of_an_event_add_up_over_many_actors() {
        let content = content("actors={count=100000}\npreload={events_by_popularity=30000}");
        let events: u64 = (0..100_000).map(|actor| content.events(actor)).sum();
        assert!((29_000..31_000).contains(&events), "{events}");
    }

    #[test]
    fn more_growth_appends_to_the_same_events() {
        let [less, more] =
            [10, 1000].map(|events| content(&format!("actors={{count=5}}\npreload={{events_by_popularity={events}}}")));
        for actor in 0..5 {
            assert!(less.events(actor) < more.events(actor));
            assert!(less.stored_events(actor).all(|number| less.event(actor, number) == more.event(actor, number)));
        }
    }
}
