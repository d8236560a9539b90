//! The times at which a load is due, for those who write them down instead of waiting for them.

use crate::load::drive::Window;
use crate::load::schedule::{Load, Schedule};
use crate::workload::Arrivals;

/// When the commands of a load of one worker are due, nanoseconds from its start, without end: the times a run offers at
/// this rate and with this seed.
///
/// ```
/// use ave_actors_rocksdb::workbench::runner::arrival_times;
/// use ave_actors_rocksdb::workbench::workload::Arrivals;
///
/// let times: Vec<u64> = arrival_times(Arrivals::Constant, 1_000.0, 1).take(3).collect();
/// assert_eq!(times, [0, 1_000_000, 2_000_000]);
/// ```
pub fn arrival_times(arrivals: Arrivals, per_second: f64, seed: u64) -> impl Iterator<Item = u64> {
    let window = Window::fixed(Load::Open { per_second, arrivals }, 0, 0, None, 0);
    let mut schedule = Schedule::new(&window, 0, 1, seed);
    std::iter::from_fn(move || schedule.due(None))
}
