//! Block reads per command by the memory of the cache.

use serde::Serialize;

use super::access::{Access, Accesses};
use super::geometry::BlockGeometry;
use super::layout::{Census, books_before};
use crate::load::source::Source;
use crate::load::walk::WalkStep;
use crate::measure::{MissCurve, ReuseSampler};
use ave_actors_rocksdb::backend::Tuning;
use ave_actors_store::config::ResolvedSpec;

/// Least share of the block reads that a doubling of the memory has to save, else it is not worth it.
const LEAST_SAVING: f64 = 0.01;
/// And least number of reads per command.
const LEAST_SAVED_READS: f64 = 0.001;
/// Share of what the knee serves that is most of the reads.
const MOST_OF_THE_READS: f64 = 0.95;
/// Sizes of the memory in a report, as powers of two: 64 KiB to 256 TiB.
const SMALLEST_TO_LARGEST: std::ops::RangeInclusive<u8> = 16..=48;
/// By how much the useful memory of a larger database may exceed that of a smaller one if both are the same: what a sample
/// leaves open.
const SAME_MEMORY: f64 = 1.1;

/// Block reads per command that a cache of so much memory leaves to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReadPoint {
    /// Memory for blocks, bytes.
    pub memory_bytes: f64,
    /// Reads from the disk per command.
    pub disk_reads_per_command: f64,
}

/// The memory beyond which more of it is of no use: no doubling saves 1 % of the block reads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Knee {
    /// Memory for blocks, bytes.
    pub memory_bytes: f64,
    /// Reads from the disk per command with it.
    pub disk_reads_per_command: f64,
    /// Share of the block reads that it serves, 0 to 1.
    pub served_ratio: f64,
}

/// How much memory helps the reads of a source. Memory is that for blocks: block cache and page cache together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BlockReads {
    /// Blocks that a command reads, from memory or from the disk.
    pub block_reads_per_command: f64,
    /// Memory that would hold the blocks of the whole database, bytes.
    pub stored_bytes: f64,
    /// Reads from the disk at powers of two, up to the knee or the next one.
    pub by_memory: Vec<ReadPoint>,
    /// The least memory that serves 95 % of what the knee serves, bytes.
    pub most_memory_bytes: f64,
    /// Share of the block reads that it serves, 0 to 1.
    pub most_served_ratio: f64,
    /// Beyond it more memory is of no use.
    pub knee: Knee,
}

impl BlockReads {
    /// Of the commands that one worker issues, up to so many after the preload, on data that compresses as the source says.
    /// `None` if they read nothing.
    pub fn of(source: &Source, commands: u64) -> Option<Self> {
        // What blocks depend on is the same on every machine.
        let tuning = Tuning::new(&ResolvedSpec { ram_mb: 4096, cpu_cores: 2 }, None);
        let geometry = BlockGeometry::in_page_cache(&tuning, source.compressibility());
        ReadCurve::of(source, 1, &geometry, commands).map(|curve| curve.summary())
    }
}

/// Block reads per command of a source, by the memory of a cache that keeps the blocks used last.
///
/// From the commands of a walk: the first half of them fills the cache, the second half counts. A write
/// leaves its block in the page cache without a read. What was not accessed before in the walk counts as in
/// `MissCurve::among_stored`. Memory is that of the blocks: block cache and page cache together, without what the
/// process itself takes.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadCurve {
    commands: f64,
    misses: MissCurve,
}

impl ReadCurve {
    /// Walks up to `commands` commands of `source` after its preload, as `workers` workers issue them, twice: to lay out the
    /// database and to follow the reads. The preload is not walked: it may be of any size. `None` if the commands read
    /// nothing.
    pub fn of(source: &Source, workers: u64, geometry: &BlockGeometry, commands: u64) -> Option<Self> {
        Self::sampled(source, workers, geometry, commands, ReuseSampler::default())
    }

    fn sampled(
        source: &Source,
        workers: u64,
        geometry: &BlockGeometry,
        commands: u64,
        mut sampler: ReuseSampler,
    ) -> Option<Self> {
        let source = source.with_passes(Some(1));
        let (mut census, mut all) = (Census::new(&source, geometry), 0u64);
        for_each_command(&source, workers, commands, |step| {
            census.count(step, geometry);
            all += 1;
        });
        let layout = census.lay_out(&source, geometry);
        let mut accesses = Accesses::new(*geometry, &layout, books_before(&source));
        let (warm_up, mut issued) = (all / 2, 0);
        for_each_command(&source, workers, commands, |step| {
            let counts = issued >= warm_up;
            issued += 1;
            accesses.step(step, &mut |access| match access {
                Access::Read(block) if counts => sampler.read(block.hash, block.bytes),
                Access::Read(block) | Access::Write(block) => sampler.touch(block.hash, block.bytes),
            });
        });
        let misses = sampler.finish().among_stored(layout.stored_bytes());
        let commands = (all - warm_up) as f64;
        (misses.reads() > 0).then_some(Self { commands, misses })
    }

    /// Block reads per command, whether from memory or from the disk.
    pub fn block_reads_per_command(&self) -> f64 {
        self.misses.reads() as f64 / self.commands
    }

    /// What the cache takes for a block that it has never had, mean, bytes; 0 if it had all that were read.
    pub const fn bytes_per_new_block(&self) -> f64 {
        self.misses.bytes_per_first_read()
    }

    /// Memory that would hold the whole database, bytes.
    pub const fn stored_bytes(&self) -> f64 {
        self.misses.stored_bytes()
    }

    /// Reads from the disk per command if the cache has so much memory, bytes. It never rises with the memory.
    pub fn disk_reads_per_command(&self, memory_bytes: f64) -> f64 {
        self.misses.misses(memory_bytes) / self.commands
    }

    /// Share of the block reads that so much memory serves, 0 to 1.
    pub fn served_ratio(&self, memory_bytes: f64) -> f64 {
        1.0 - self.misses.misses(memory_bytes) / self.misses.reads() as f64
    }

    /// The least memory that serves this share of the block reads, bytes.
    pub fn memory_for(&self, served_ratio: f64) -> f64 {
        self.sizes()
            .into_iter()
            .find(|&size| self.served_ratio(size) >= served_ratio)
            .unwrap_or_else(|| self.stored_bytes())
    }

    /// The least memory from which on no doubling saves 1 % of the block reads, nor as many as a thousandth of a read per
    /// command.
    pub fn knee(&self) -> Knee {
        let least = LEAST_SAVING.max(LEAST_SAVED_READS / self.block_reads_per_command());
        let is_of_use = |&size: &f64| self.served_ratio(2.0 * size) - self.served_ratio(size) >= least;
        let sizes = self.sizes();
        let memory_bytes = match sizes.iter().rposition(is_of_use) {
            Some(useful) => sizes.get(useful + 1).copied().unwrap_or_else(|| self.stored_bytes()),
            None => sizes.first().copied().unwrap_or(0.0),
        };
        Knee {
            memory_bytes,
            disk_reads_per_command: self.disk_reads_per_command(memory_bytes),
            served_ratio: self.served_ratio(memory_bytes),
        }
    }

    /// The figures of the curve for a report.
    pub fn summary(&self) -> BlockReads {
        let knee = self.knee();
        let most_memory_bytes = self.memory_for(MOST_OF_THE_READS * knee.served_ratio);
        BlockReads {
            block_reads_per_command: self.block_reads_per_command(),
            stored_bytes: self.stored_bytes(),
            by_memory: self.points(knee.memory_bytes),
            most_memory_bytes,
            most_served_ratio: self.served_ratio(most_memory_bytes),
            knee,
        }
    }

    /// The curve at powers of two, from the smallest up to the knee or the next one.
    fn points(&self, knee_bytes: f64) -> Vec<ReadPoint> {
        let sizes = || SMALLEST_TO_LARGEST.map(|exponent| f64::from(exponent).exp2());
        let beyond = sizes().find(|&size| size >= knee_bytes).unwrap_or(knee_bytes);
        let point = |memory_bytes| ReadPoint {
            memory_bytes,
            disk_reads_per_command: self.disk_reads_per_command(memory_bytes),
        };
        sizes().take_while(|&size| size <= beyond).map(point).collect()
    }

    /// Whether a larger database of the same source, whose curve is `grown`, has more use for memory. If not, the working set
    /// does not depend on how much was written before: the commands read the end of the logs alone.
    pub fn grows_to(&self, grown: &Self) -> bool {
        let knee = self.knee();
        let least = LEAST_SAVING * self.block_reads_per_command();
        let more_reads = grown.disk_reads_per_command(SAME_MEMORY * knee.memory_bytes) - knee.disk_reads_per_command;
        more_reads > least.max(LEAST_SAVED_READS)
    }

    /// Sizes of the memory at which the curve is looked at, ascending: twelve per doubling, up to that of the database.
    fn sizes(&self) -> Vec<f64> {
        const PER_DOUBLING: f64 = 12.0;
        let sizes = (0..).map(|step: u32| 4096.0 * (f64::from(step) / PER_DOUBLING).exp2());
        sizes.take_while(|&size| size < self.stored_bytes()).chain([self.stored_bytes()]).collect()
    }
}

/// Visits the first commands of a source after the preload, at most so many.
fn for_each_command(source: &Source, workers: u64, commands: u64, mut visit: impl FnMut(&WalkStep<'_>)) {
    let mut walk = source.walk_commands(workers);
    for _ in 0..commands {
        let Some(step) = walk.step() else { return };
        visit(&step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::trace::TraceBuilder;
    use crate::workload::{Workload, shipped};
    use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind, Provenance};

    fn geometry() -> BlockGeometry {
        BlockGeometry::in_page_cache(&Tuning::new(&ResolvedSpec { ram_mb: 4096, cpu_cores: 2 }, None), 0.5)
    }

    /// Actors with logs of many blocks each.
    fn source(events_per_actor: u64, commands: &str) -> Source {
        let text = format!(
            "name='t'\ndescription='d'\nevent_bytes={{constant=2000}}\nstate_bytes={{constant=300}}\n\
             preload={{events_per_actor={events_per_actor}}}\n[actors]\ncount=50\n\
             [persistence]\nmode='full'\nsnapshot_every=0\n[commands]\n{commands}"
        );
        Source::Workload(Arc::new(Workload::parse(&text).unwrap()))
    }

    fn curve(source: &Source) -> ReadCurve {
        ReadCurve::of(source, 2, &geometry(), 4_000).unwrap()
    }

    #[test]
    fn the_end_of_a_log_needs_the_same_memory_however_long_the_log_is() {
        let tails = [50, 400].map(|events| curve(&source(events, "persist=3\nlast_event=1")));
        assert!(!tails[0].grows_to(&tails[1]), "{:?} {:?}", tails[0].knee(), tails[1].knee());
        assert!(tails[1].stored_bytes() > 4.0 * tails[0].stored_bytes());
    }

    #[test]
    fn a_history_that_is_read_everywhere_needs_memory_in_proportion_to_its_length() {
        let histories = [50, 400].map(|events| curve(&source(events, "persist=1\nevents=3\nevents_per_query=2")));
        assert!(histories[0].grows_to(&histories[1]));
        let [small, large] = histories.map(|curve| curve.knee().memory_bytes);
        assert!(large > 4.0 * small, "{small} {large}");
    }

    #[test]
    fn what_was_written_is_read_from_memory() {
        let read = |knee: Knee| knee.disk_reads_per_command;
        let fresh = curve(&source(0, "persist=1\nlast_event=1"));
        assert!(read(fresh.knee()) < 0.01, "{:?}", fresh.knee());
    }

    #[test]
    fn the_curve_falls_with_the_memory_from_all_block_reads_to_none() {
        let curve = curve(&source(100, "recover=1\nevents=1\nlast_event=1"));
        assert!((curve.disk_reads_per_command(0.0) - curve.block_reads_per_command()).abs() < 1e-9);
        assert!(curve.disk_reads_per_command(curve.stored_bytes()) < 1e-9);
        let BlockReads { by_memory, most_memory_bytes, most_served_ratio, knee, .. } = curve.summary();
        assert!(by_memory.is_sorted_by(|a, b| a.disk_reads_per_command >= b.disk_reads_per_command));
        assert!(most_memory_bytes <= knee.memory_bytes && most_served_ratio <= knee.served_ratio);
        assert!(by_memory.last().unwrap().memory_bytes >= knee.memory_bytes);
    }

    #[test]
    fn commands_that_read_nothing_have_no_curve() {
        assert_eq!(ReadCurve::of(&source(10, "persist=1"), 1, &geometry(), 100), None);
    }

    #[test]
    fn a_trace_is_followed_once_and_its_prehistory_is_on_the_disk() {
        let mut builder = TraceBuilder::new(Provenance::default());
        for command in 0..100 {
            let actor = builder.actor("t", &format!("a{}", command % 10));
            let mut ops = [Op::new(OpKind::EventsGet, command / 10, 1_000)];
            builder.command(command, actor, CommandKind::Events, &mut ops).unwrap();
        }
        let source = Source::Trace { trace: Arc::new(builder.finish().unwrap()), seed: 1, passes: None };
        let curve = curve(&source);
        // Filter, index and data; the events of all actors fill seven blocks.
        assert!((curve.block_reads_per_command() - 3.0).abs() < 1e-9);
        assert!(curve.disk_reads_per_command(1.0) > 2.9 && curve.disk_reads_per_command(curve.stored_bytes()) < 1e-9);
    }

    #[test]
    fn a_trace_may_have_any_event_numbers() {
        let mut builder = TraceBuilder::new(Provenance::default());
        let actor = builder.actor("t", "a");
        for number in [u64::MAX - 1, 7, u64::MAX - 2, u64::MAX - 1] {
            let put = [OpKind::EventsPut, OpKind::EventsGet, OpKind::EventsLast, OpKind::EventsDel];
            let mut ops = put.map(|kind| Op::new(kind, number, 100));
            builder.command(0, actor, CommandKind::Persist, &mut ops).unwrap();
        }
        let source = Source::Trace { trace: Arc::new(builder.finish().unwrap()), seed: 1, passes: Some(1) };
        assert!(curve(&source).knee().served_ratio <= 1.0);
    }

    #[test]
    fn a_sample_gives_the_curve_of_each_shipped_workload_within_two_percent() {
        for shipped in shipped() {
            let source = Source::Workload(Arc::new(Workload::parse(shipped.text).unwrap()));
            let of = |sampler| ReadCurve::sampled(&source, 1, &geometry(), 20_000, sampler).unwrap();
            let [sampled, exact] = [ReuseSampler::with_samples(2_048), ReuseSampler::default()].map(of);
            let sizes = (1..=100).map(|step| exact.stored_bytes() * f64::from(step) / 100.0);
            let difference = |size| (sampled.served_ratio(size) - exact.served_ratio(size)).abs();
            let error = sizes.map(difference).sum::<f64>() / 100.0;
            assert!(error <= 0.02, "{}: {error}", shipped.name);
        }
    }
}
