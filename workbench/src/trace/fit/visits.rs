//! Visits: an actor that starts for one task and stops after it issues the same commands each time.

use std::collections::HashMap;
use std::io;

use crate::trace::builder::Trace;
use ave_actors_rocksdb::trace::CommandKind;

/// Share of the commands that one visit has to explain.
const MOST: f64 = 0.8;
/// Most commands of a visit.
const LONGEST: usize = 15;

/// The commands of a visit, if the actors of a trace do little else. A visit begins with a start and ends before another one, or with a
/// snapshot.
pub(super) fn visit(trace: &Trace) -> io::Result<Option<Vec<CommandKind>>> {
    let mut found = None;
    for ends_with_snapshot in [true, false] {
        let mut cuts =
            Cuts { ends_with_snapshot, open: vec![Visit::default(); trace.actors().len()], seen: HashMap::new() };
        trace.for_each_command(|command, _| cuts.command(command.actor, command.kind))?;
        found = found.or_else(|| cuts.most());
    }
    Ok(found)
}

/// Up to [`LONGEST`] and one commands, four bits each from the last one on: the number of its kind and one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Visit(u64);

impl Visit {
    const fn is_empty(self) -> bool {
        self.0 == 0
    }

    const fn len(self) -> usize {
        (u64::BITS - self.0.leading_zeros()).div_ceil(4) as usize
    }

    /// Adds a command, unless there are more than a visit has.
    const fn push(&mut self, kind: CommandKind) {
        if self.len() <= LONGEST {
            self.0 = self.0 << 4 | (kind.index() as u64 + 1);
        }
    }

    fn kinds(self) -> Vec<CommandKind> {
        let nibble = |place: usize| usize::try_from(self.0 >> (4 * place) & 0xf).expect("four bits");
        (0..self.len()).rev().map(|place| CommandKind::ALL[nibble(place) - 1]).collect()
    }
}

struct Cuts {
    ends_with_snapshot: bool,
    /// Commands of each actor since its last visit; not counted beyond [`LONGEST`] and one.
    open: Vec<Visit>,
    seen: HashMap<Visit, u64>,
}

impl Cuts {
    fn command(&mut self, actor: u32, kind: CommandKind) {
        let open = &mut self.open[actor as usize];
        if kind == CommandKind::Recover && !self.ends_with_snapshot && !open.is_empty() {
            *self.seen.entry(std::mem::take(open)).or_default() += 1;
        }
        open.push(kind);
        if kind == CommandKind::Snapshot && self.ends_with_snapshot {
            *self.seen.entry(std::mem::take(open)).or_default() += 1;
        }
    }

    fn most(self) -> Option<Vec<CommandKind>> {
        let commands = |(visit, count): (&Visit, &u64)| visit.len() as u64 * count;
        let rest: u64 = self.open.iter().map(|open| open.len() as u64).sum();
        let all = rest + self.seen.iter().map(commands).sum::<u64>();
        let (visit, count) = self.seen.iter().max_by_key(|&(visit, count)| (commands((visit, count)), visit.len()))?;
        let kinds = visit.kinds();
        let is_visit = kinds.len() > 1 && kinds.len() <= LONGEST && kinds[0] == CommandKind::Recover && *count > 1;
        (is_visit && commands((visit, count)) as f64 >= MOST * all as f64).then_some(kinds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::builder::TraceBuilder;
    use ave_actors_rocksdb::trace::{Op, OpKind, Provenance};

    /// Two actors that take turns, command by command.
    fn found(kinds: &[CommandKind]) -> Option<Vec<CommandKind>> {
        let mut builder = TraceBuilder::new(Provenance::default());
        let actors = ["one", "two"].map(|name| builder.actor("t", name));
        for (at_ns, &kind) in (0..).zip(kinds) {
            for actor in actors {
                builder.command(at_ns, actor, kind, &mut [Op::new(OpKind::EventsLast, 0, 0)]).unwrap();
            }
        }
        visit(&builder.finish().unwrap()).unwrap()
    }

    #[test]
    fn commands_that_repeat_from_start_to_start_are_a_visit() {
        use CommandKind::{LastEvent, Persist, Recover, Snapshot};
        assert_eq!(found(&[Recover, Persist, Persist].repeat(20)), Some(vec![Recover, Persist, Persist]));
        let restarting = [Recover, LastEvent, Recover, Persist, Snapshot];
        assert_eq!(found(&restarting.repeat(20)), Some(restarting.to_vec()));
    }

    #[test]
    fn an_actor_that_stays_up_has_no_visits() {
        use CommandKind::{Persist, Recover, Snapshot};
        assert_eq!(found(&[&[Recover], &[Persist; 50][..]].concat()), None);
        assert_eq!(found(&[&[Recover, Persist, Snapshot], &[Persist; 50][..]].concat()), None);
        assert_eq!(found(&[]), None);
    }
}
