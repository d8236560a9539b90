//! States that list the actors of another population, as registers do.

use std::io;

use super::groups::Group;
use super::growth::{Line, Register};
use crate::trace::builder::Trace;
use ave_actors_rocksdb::trace::OpKind;

/// For each group the register that its states are, if they are one. Memory: nine bytes per actor.
pub(super) fn registers(trace: &Trace, groups: &[Group]) -> io::Result<Vec<Option<Register>>> {
    let mut actors_count = vec![0_u64; groups.len()];
    let group_of: Vec<Option<u32>> = trace
        .actors()
        .iter()
        .map(|actor| {
            let group = groups.iter().position(|group| group.has(&actor.type_name))?;
            actors_count[group] += 1;
            u32::try_from(group).ok()
        })
        .collect();
    let has_others = |&count: &u64| count == 1 && groups.len() > 1;
    if !actors_count.iter().any(has_others) {
        return Ok(vec![None; groups.len()]);
    }
    let lines_of =
        |count| if has_others(count) { groups.iter().map(|_| Line::default()).collect() } else { Vec::new() };
    let mut lines: Vec<Vec<Line>> = actors_count.iter().map(lines_of).collect();
    let (mut has_events, mut appeared) = (vec![false; group_of.len()], vec![0_u64; groups.len()]);
    trace.for_each_command(|command, ops| {
        let actor = command.actor as usize;
        let Some(group) = group_of[actor].map(|group| group as usize) else { return };
        for op in ops {
            match op.kind {
                OpKind::EventsPut if !has_events[actor] => {
                    has_events[actor] = true;
                    appeared[group] += 1;
                }
                OpKind::StatesPut => {
                    for (line, &count) in lines[group].iter_mut().zip(&appeared) {
                        line.add(count as f64, op.bytes.into());
                    }
                }
                _ => {}
            }
        }
    })?;
    let best = |lines: &Vec<Line>| {
        let found = lines.iter().enumerate().filter_map(|(of, line)| Some(Register { of, growth: line.growth()? }));
        found.max_by(|a, b| a.growth.explained_ratio.total_cmp(&b.growth.explained_ratio))
    };
    Ok(lines.iter().map(best).collect())
}
