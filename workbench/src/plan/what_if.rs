//! Changed inputs of a plan: twice the actors, or events three times the size.
//!
//! What changes the work of the store is measured again. A higher target is not: it is compared with the rates that were
//! measured, and growth is scaled.

use std::fmt;
use std::str::FromStr;

use crate::workload::{PersistenceMode, Population, SizeDistribution, Workload, WorkloadError};

/// Changes to the populations of a workload and its target: `actors=2x,event_size=3x,snapshot_every=50`.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatIf {
    changes: Vec<Change>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Change {
    /// One of [`CHANGEABLE`].
    name: &'static str,
    amount: Amount,
}

type Apply = fn(&mut Population, Amount);

/// What can be changed, and how.
const CHANGEABLE: [(&str, Apply); 7] = [
    ("actors", |population, amount| population.actors.count = amount.whole_u32(population.actors.count)),
    ("types", |population, amount| population.actors.types = amount.whole_u32(population.actors.types)),
    ("event_size", |population, amount| population.event_bytes = amount.size(&population.event_bytes)),
    ("state_size", |population, amount| population.state_bytes = amount.size(&population.state_bytes)),
    (SNAPSHOT_EVERY, |population, amount| {
        population.persistence.snapshot_every = amount.whole(population.persistence.snapshot_every);
    }),
    ("preload", |population, amount| {
        population.preload.events_per_actor = amount.whole(population.preload.events_per_actor);
    }),
    (TARGET, |_, _| {}),
];
const SNAPSHOT_EVERY: &str = "snapshot_every";
const TARGET: &str = "target";

#[derive(Debug, Clone, Copy, PartialEq)]
enum Amount {
    Times(f64),
    To(f64),
}

/// A text that is no list of changes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}, expected for example `actors=2x,event_size=3x,snapshot_every=50`")]
pub struct WhatIfError {
    reason: String,
}

impl Amount {
    fn of(self, value: f64) -> f64 {
        match self {
            Self::Times(factor) => value * factor,
            Self::To(value) => value,
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is checked afterwards")]
    fn whole(self, value: u64) -> u64 {
        self.of(value as f64).round() as u64
    }

    fn whole_u32(self, value: u32) -> u32 {
        self.whole(value.into()).try_into().unwrap_or(u32::MAX)
    }

    /// The shape of a distribution stays: an absolute size is that of its median.
    fn size(self, distribution: &SizeDistribution) -> SizeDistribution {
        let median = f64::from(distribution.median().max(1));
        distribution.scaled(self.of(median) / median)
    }
}

impl WhatIf {
    /// Whether it changes what the store has to do, so that it must be measured again.
    pub(super) fn changes_the_work(&self) -> bool {
        self.changes.iter().any(|change| change.name != TARGET)
    }

    /// The target under it, commands per second.
    pub(super) fn target(&self, per_second: f64) -> f64 {
        let change = self.changes.iter().find(|change| change.name == TARGET);
        change.map_or(per_second, |change| change.amount.of(per_second))
    }

    /// The changed workload, and the same as TOML.
    ///
    /// # Errors
    ///
    /// What leaves its range or changes nothing, in a sentence.
    pub(super) fn apply(&self, workload: &Workload) -> Result<(Workload, String), String> {
        let text = self.workload_text(workload)?;
        let changed = Workload::parse(&text).map_err(|error| match error {
            WorkloadError::Line { problem, .. } => format!("--what-if {self}: {problem}"),
            error => error.to_string(),
        })?;
        Ok((changed, text))
    }

    /// The changed workload as TOML, whose figures may be out of range.
    fn workload_text(&self, workload: &Workload) -> Result<String, String> {
        let is_full = |population: &Population| population.persistence.mode == PersistenceMode::Full;
        if self.changes.iter().any(|change| change.name == SNAPSHOT_EVERY) && !workload.populations.iter().any(is_full)
        {
            return Err(format!(
                "--what-if {self}: `{SNAPSHOT_EVERY}` changes nothing, since all populations have `mode = \"light\"`"
            ));
        }
        let mut changed = workload.clone();
        let is_only = changed.populations.len() == 1;
        for population in &mut changed.populations {
            // One of its kind stays one of its kind.
            let is_single = population.actors.count == 1 && !is_only;
            for (name, apply) in CHANGEABLE {
                let change = self.changes.iter().find(|change| change.name == name);
                if let Some(known) = change.filter(|_| !(is_single && ["actors", "types"].contains(&name))) {
                    apply(population, known.amount);
                }
            }
        }
        toml::to_string(&changed).map_err(|error| error.to_string())
    }
}

impl FromStr for WhatIf {
    type Err = WhatIfError;

    fn from_str(text: &str) -> Result<Self, WhatIfError> {
        let wrong = |reason: String| WhatIfError { reason };
        let mut changes: Vec<Change> = Vec::new();
        for part in text.split(',') {
            let (name, amount) = part.split_once('=').ok_or_else(|| wrong(format!("`{}` has no `=`", part.trim())))?;
            let name = name.trim();
            let known = CHANGEABLE.map(|(name, _)| name);
            let Some(name) = known.into_iter().find(|known| *known == name) else {
                return Err(wrong(format!("`{name}` is none of {}", known.join(", "))));
            };
            if changes.iter().any(|change| change.name == name) {
                return Err(wrong(format!("`{name}` is changed twice")));
            }
            let amount = amount.trim();
            let (number, is_factor) = amount.strip_suffix('x').map_or((amount, false), |number| (number, true));
            let number = number.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
            let number = number
                .ok_or_else(|| wrong(format!("`{amount}` is neither a factor such as `2x` nor a number above 0")))?;
            changes.push(Change { name, amount: if is_factor { Amount::Times(number) } else { Amount::To(number) } });
        }
        Ok(Self { changes })
    }
}

impl fmt::Display for WhatIf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changes = self.changes.iter().map(|change| match change.amount {
            Amount::Times(factor) => format!("{}={factor}x", change.name),
            Amount::To(value) => format!("{}={value}", change.name),
        });
        f.write_str(&changes.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::workload::{PreloadContent, shipped};

    fn changed(what_if: &str) -> Result<Workload, String> {
        changed_of(&ledger(), what_if)
    }

    fn changed_of(workload: &Workload, what_if: &str) -> Result<Workload, String> {
        what_if.parse::<WhatIf>().unwrap().apply(workload).map(|(changed, _)| changed)
    }

    fn ledger() -> Workload {
        named("ledger")
    }

    fn named(name: &str) -> Workload {
        let named = shipped().iter().find(|named| named.name == name).unwrap();
        Workload::parse(named.text).unwrap()
    }

    /// Their stored states as recorded at 200 subjects, without counter and encryption.
    #[test]
    fn registers_follow_the_number_of_subjects() {
        let recorded =
            [("witnesses_register", 29_516), ("sn_register", 11_404), ("node", 18_455), ("subject_register", 7_474)];
        let node = named("ledger-node");
        for (factor, what_if) in [(1, "actors=1x"), (100, "actors=100x")] {
            let workload = changed_of(&node, what_if).unwrap();
            let content = PreloadContent::new(Arc::new(workload.clone()));
            for (name, bytes) in recorded {
                let (population, range) = workload.ranges().find(|(one, _)| one.name == name).unwrap();
                let [state, _] = content.states(range.start).unwrap();
                let stored = f64::from(state.bytes - population.rules().state_overhead());
                assert!((stored / f64::from(factor * bytes) - 1.0).abs() < 0.015, "{name} {factor}: {stored}");
            }
        }
        let error = changed_of(&node, "actors=1000x").unwrap_err();
        assert!(error.contains("`witnesses_register` makes a state of 29,200,316 bytes"), "{error}");
    }

    #[test]
    fn factors_and_absolute_figures_change_what_they_name_and_nothing_else() {
        let text = "actors=2x,event_size=3x,snapshot_every=50";
        assert_eq!(text.parse::<WhatIf>().unwrap().to_string(), text);
        let (before, after) = (ledger(), changed(&text.replace(',', ", ")).unwrap());
        assert_eq!(after.seed, before.seed);
        let [before, after] = [before, after].map(|mut workload| workload.populations.remove(0));
        assert_eq!(after.actors.count, 2 * before.actors.count);
        assert_eq!(after.event_bytes.median(), 3 * before.event_bytes.median());
        assert_eq!(after.persistence.snapshot_every, 50);
        assert_eq!((after.state_bytes, after.preload), (before.state_bytes, before.preload));
    }

    #[test]
    fn a_target_alone_needs_no_new_measurement() {
        let what_if: WhatIf = "target=2.5x".parse().unwrap();
        assert_eq!(what_if.to_string(), "target=2.5x");
        assert!(!what_if.changes_the_work());
        assert!((what_if.target(200.0) - 500.0).abs() < 1e-9);
        assert!((("target=900".parse::<WhatIf>().unwrap()).target(200.0) - 900.0).abs() < 1e-9);
        assert_eq!(changed("target=2.5x").unwrap(), ledger());
    }

    #[test]
    fn an_invalid_text_is_refused_with_the_reason_and_an_example() {
        for (text, reason) in [
            ("actors", "no `=`"),
            ("users=2x", "`users` is none of actors"),
            ("actors=lots", "neither a factor"),
            ("actors=-2x", "neither a factor"),
            ("actors=2x,actors=3x", "changed twice"),
        ] {
            let error = text.parse::<WhatIf>().unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("event_size=3x"), "{text}: {error}");
        }
    }

    #[test]
    fn a_workload_that_leaves_its_ranges_is_refused() {
        for (what_if, expected) in [
            (
                "actors=1000000x",
                "--what-if actors=1000000x: `actors.count` is `4294967295`, expected a whole number from 1",
            ),
            (
                "event_size=100000x",
                "--what-if event_size=100000x: `event_bytes.lognormal.median` is `42000000`, expected",
            ),
        ] {
            let error = changed(what_if).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        let error = changed_of(&named("registers"), "snapshot_every=50").unwrap_err();
        assert!(error.contains("`snapshot_every` changes nothing"), "{error}");
    }
}
