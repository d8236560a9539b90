//! The cases to run, with their sides and rounds.

use anyhow::{Context, Result};
use ave_peer_cases::{
    Case, Figure, Outcome,
    catalog::{self, CASES, Side},
};

use crate::{arguments::Arguments, number::number};

/// A case, or a part of one, that is going to run.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) case: &'static Case,
    /// The part that is wanted, `None` for all.
    pub(crate) part: Option<&'static str>,
    pub(crate) sides: Vec<Side>,
    pub(crate) rounds: usize,
    /// All of the work, instead of as much as a table in some minutes allows.
    pub(crate) full: bool,
}

impl Planned {
    /// The argument of a server.
    pub(crate) fn name(&self) -> String {
        match self.part {
            Some(part) => format!("{}-{part}", self.case.name),
            None => self.case.name.to_owned(),
        }
    }

    /// The figures that the wanted part yields.
    pub(crate) fn figures(&self) -> impl Iterator<Item = &'static Figure> {
        let prefix = self.part.map(|part| format!("{part}."));
        self.case
            .figures
            .iter()
            .filter(move |figure| prefix.as_ref().is_none_or(|prefix| figure.metric.starts_with(prefix.as_str())))
    }

    /// The sides, reversed in every other round.
    pub(crate) fn order(&self, round: usize) -> Vec<Side> {
        let mut sides = self.sides.clone();
        if round % 2 == 1 {
            sides.reverse();
        }
        sides
    }

    /// The first figure of an outcome, for a line of progress.
    pub(crate) fn headline(&self, outcome: &Outcome) -> String {
        let Some(figure) = self.figures().next() else { return String::new() };
        match (outcome.metrics.get(figure.metric), outcome.texts.get(figure.metric)) {
            (Some(value), _) => format!("{} {}", number(*value), figure.unit),
            (None, Some(text)) => text.clone(),
            (None, None) => String::new(),
        }
    }
}

/// The cases that the arguments select.
pub(crate) fn plan(arguments: &Arguments) -> Result<Vec<Planned>> {
    let wanted = if arguments.cases.is_empty() {
        CASES.iter().filter(|case| arguments.thorough || !case.thorough).map(|case| (case, None)).collect()
    } else {
        arguments.cases.iter().map(|name| find(name)).collect::<Result<Vec<_>>>()?
    };
    Ok(wanted.into_iter().map(|(case, part)| planned(case, part, arguments)).collect())
}

fn find(name: &str) -> Result<(&'static Case, Option<&'static str>)> {
    catalog::find(name).with_context(|| format!("no case {name}; see --list"))
}

fn planned(case: &'static Case, part: Option<&'static str>, arguments: &Arguments) -> Planned {
    let rounds = match arguments.rounds {
        Some(rounds) => usize::from(rounds),
        None if arguments.quick => case.quick_rounds,
        None => case.rounds,
    };
    let sides = arguments.sides().filter(|side| case.absence(*side).is_none()).collect();
    Planned { case, part, sides, rounds, full: arguments.thorough }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn plan_of(arguments: &[&str]) -> Vec<Planned> {
        let arguments = std::iter::once("compare").chain(arguments.iter().copied());
        plan(&Arguments::try_parse_from(arguments).unwrap()).unwrap()
    }

    #[test]
    fn a_part_has_its_own_figures() {
        let planned = &plan_of(&["--case", "get-hit"])[0];
        assert_eq!(planned.name(), "reads-get-hit");
        assert!(planned.figures().all(|figure| figure.metric.starts_with("get-hit.")));
        assert!(planned.figures().count() >= 1);
    }

    #[test]
    fn long_cases_run_on_request() {
        let runs = |arguments: &[&str]| plan_of(arguments).iter().any(|planned| planned.case.thorough);
        assert!(!runs(&[]));
        assert!(runs(&["--thorough"]));
        assert!(runs(&["--case", "families-1000"]));
    }

    #[test]
    fn the_order_is_reversed_every_round() {
        let planned = &plan_of(&["--case", "put-off-1"])[0];
        let (first, mut second) = (planned.order(0), planned.order(1));
        second.reverse();
        assert_eq!(first, second);
        assert_eq!(planned.order(2), first);
    }

    #[test]
    fn all_sides_run_unless_excluded() {
        let sides = |arguments: &[&str]| plan_of(arguments)[0].sides.clone();
        let all = [Side::Ours, Side::Published, Side::Sqlite, Side::Memory, Side::Bare];
        assert_eq!(sides(&["--case", "put-off-1"]), all);
        assert_eq!(sides(&["--case", "put-off-1", "--without", "memory", "--without", "bare"]), all[..3]);
        assert_eq!(sides(&["--case", "put-on-8"]), all[..3]);
    }
}
