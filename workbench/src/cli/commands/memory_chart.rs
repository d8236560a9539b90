//! How much memory serves the block reads of a source.

use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::load::{BlockReads, ReadPoint};
use crate::units;

/// Characters of the longest bar.
const BAR: f64 = 40.0;
/// Bars begin where memory serves so much of the block reads.
const FIRST_SERVED_RATIO: f64 = 0.01;

/// Prints a sentence and a bar per size of the memory.
pub(super) fn print(reads: Option<&BlockReads>, output: Output) -> Result<(), CliError> {
    let Some(reads) = reads else { return output.sentence("Its commands read nothing from the database.") };
    output.sentence(&sentence(reads))?;
    output.line("Reads from the disk per command, by memory for blocks (block cache and page cache):")?;
    chart(reads).iter().try_for_each(|line| output.line(line))
}

fn sentence(reads: &BlockReads) -> String {
    let [database, knee, some] =
        [reads.stored_bytes, reads.knee.memory_bytes, reads.most_memory_bytes].map(units::bytes);
    let each = units::number(reads.block_reads_per_command);
    let [served, most] = [reads.knee.served_ratio, reads.most_served_ratio].map(|share| units::percent(100.0 * share));
    let beyond = if served == most || some == knee {
        format!("{knee} would serve {served} of the reads; beyond that nothing more is gained")
    } else {
        format!("{some} would serve {most} of the reads, {knee} {served}; beyond that nothing more is gained")
    };
    format!("A command reads {each} blocks of a database of {database}: {beyond}.")
}

fn chart(reads: &BlockReads) -> Vec<String> {
    let most = reads.block_reads_per_command;
    let is_of_use = |point: &ReadPoint| point.disk_reads_per_command <= (1.0 - FIRST_SERVED_RATIO) * most;
    let first = reads.by_memory.iter().position(is_of_use).unwrap_or(0).saturating_sub(1);
    let line = |point: &ReadPoint| {
        let ReadPoint { memory_bytes, disk_reads_per_command } = *point;
        let bar = bar(disk_reads_per_command / most);
        format!("{:>10}  {bar} {}", units::bytes(memory_bytes), units::number(disk_reads_per_command))
    };
    reads.by_memory[first..].iter().map(line).collect()
}

/// A bar as long as a share of the longest one, to an eighth of a character.
fn bar(share: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "eighths of a short bar")]
    let eighths = (8.0 * BAR * share.clamp(0.0, 1.0)).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share() {
        assert_eq!([bar(0.0), bar(1.0 / 320.0), bar(2.0)], [String::new(), "▏".to_owned(), "█".repeat(40)]);
    }
}
