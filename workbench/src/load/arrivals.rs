//! Arrival times without a load, for generated traces.

use super::schedule::Schedule;
use super::spec::Load;
use super::turn::Turn;
use super::window::Window;
use crate::workload::Arrivals;

/// Due times of the commands of an open loop with one worker, nanoseconds from its start, without end: those of a run at this
/// rate with this seed.
///
/// ```
/// use ave_workbench::load::arrival_times;
/// use ave_workbench::workload::Arrivals;
///
/// let times: Vec<u64> = arrival_times(Arrivals::Constant, 1_000.0, 1).take(3).collect();
/// assert_eq!(times, [0, 1_000_000, 2_000_000]);
/// ```
pub fn arrival_times(arrivals: Arrivals, per_second: f64, seed: u64) -> impl Iterator<Item = u64> {
    let window = Window::fixed(Load::Open { per_second, arrivals }, 0, None, 0);
    let mut schedule = Schedule::new(&window, Turn::equal(0, 1), seed);
    std::iter::from_fn(move || schedule.due(None))
}
