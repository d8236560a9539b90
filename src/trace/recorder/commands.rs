//! Commands on their way from calls to lines: open until it is clear that they are over, and held back until all that
//! began before them are over too.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::trace::command::{CommandKind, Op};
use crate::trace::recorder::actors::{Actor, NO_COMMAND};
use crate::trace::recorder::grammar::{Circumstances, Progress};
use crate::trace::recorder::intake::CallTime;

/// Beyond so many operations, commands are no longer held back for one that comes late: what fits into the processor's
/// caches costs half.
const CROWDED: usize = 1 << 11;
/// Operations that may be held back; beyond that the oldest command has to go, open or not.
const MAX_HELD: usize = 1 << 16;
/// A command that lacks something has so many times longer before it is given up: the call may be slow.
const PATIENCE: u64 = 10;
/// Lists of calls that are longer are not kept for the next command.
const LONG_LIST: usize = 256;

/// A call of an actor.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) actor: Arc<Actor>,
    pub(super) time: CallTime,
    pub(super) op: Op,
}

/// A command that is complete, for whoever writes it.
#[derive(Debug)]
pub(super) struct Finished<'a> {
    pub(super) actor: &'a Actor,
    pub(super) kind: CommandKind,
    /// When its first call was made, nanoseconds from the start of the recording.
    pub(super) start_ns: u64,
    pub(super) calls: &'a [(CallTime, Op)],
}

/// All commands in hand.
#[derive(Debug)]
pub(super) struct Commands {
    /// Calls of an actor further apart belong to different commands where either could be.
    pause_ns: u64,
    /// How long a command is held back, and waits for its next call.
    hold_ns: u64,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Places in `slots` by the time of the first call.
    order: VecDeque<(u64, u32)>,
    /// Operations in all of them.
    held: usize,
    /// Time of the newest call.
    newest_ns: u64,
}

#[derive(Debug, Default)]
struct Slot {
    /// None while nobody uses the place.
    command: Option<Command>,
    /// Kept from command to command.
    calls: Vec<(CallTime, Op)>,
}

#[derive(Debug)]
struct Command {
    actor: Arc<Actor>,
    progress: Progress,
    last_end_ns: u64,
    open: bool,
}

impl Commands {
    pub(super) const fn new(pause_ns: u64, hold_ns: u64) -> Self {
        Self { pause_ns, hold_ns, slots: Vec::new(), free: Vec::new(), order: VecDeque::new(), held: 0, newest_ns: 0 }
    }

    /// Takes the next call of an actor.
    pub(super) fn accept(&mut self, mut call: Call) {
        let place = call.actor.open_command();
        if place == NO_COMMAND {
            return self.begin(call);
        }
        let slot = &mut self.slots[place as usize];
        if let Some(command) = &mut slot.command {
            if !call.time.is_known() {
                call.time = CallTime { start_ns: command.last_end_ns, end_ns: command.last_end_ns };
            }
            let after_pause = call.time.start_ns.saturating_sub(command.last_end_ns) > self.pause_ns;
            if command.progress.accepts(call.op, circumstances(&call.actor, after_pause)) {
                command.last_end_ns = call.time.end_ns;
                slot.calls.push((call.time, call.op));
                self.held += 1;
                return;
            }
        }
        self.close(place);
        self.accept_after_close(call);
    }

    /// What turned out to be a query may itself go on with the call.
    fn accept_after_close(&mut self, call: Call) {
        if call.actor.open_command() == NO_COMMAND { self.begin(call) } else { self.accept(call) }
    }

    fn begin(&mut self, mut call: Call) {
        if !call.time.is_known() {
            // What it belongs to was lost, and it was called about now.
            call.time = CallTime { start_ns: self.newest_ns, end_ns: self.newest_ns };
        }
        self.newest_ns = self.newest_ns.max(call.time.start_ns);
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            u32::try_from(self.slots.len() - 1).unwrap_or(NO_COMMAND)
        });
        call.actor.set_open_command(place);
        self.enqueue(call.time.start_ns, place);
        let progress = Progress::begin(call.op);
        let slot = &mut self.slots[place as usize];
        slot.calls.push((call.time, call.op));
        slot.command = Some(Command { actor: call.actor, progress, last_end_ns: call.time.end_ns, open: true });
        self.held += 1;
    }

    /// Puts a command in its place by time. Calls come nearly in order, so that is at the end or close to it.
    fn enqueue(&mut self, start_ns: u64, place: u32) {
        let later = self.order.iter().rev().take_while(|(other, _)| *other > start_ns).count();
        self.order.insert(self.order.len() - later, (start_ns, place));
    }

    /// Ends a command. Gets at its end that turn out to be a query become one.
    fn close(&mut self, place: u32) {
        let slot = &mut self.slots[place as usize];
        let Some(command) = slot.command.as_mut().filter(|command| command.open) else { return };
        command.open = false;
        command.actor.set_open_command(NO_COMMAND);
        learn(command);
        let strangers = command.progress.trailing_strangers().min(slot.calls.len());
        if strangers == 0 {
            return;
        }
        let actor = Arc::clone(&command.actor);
        let gets = slot.calls.split_off(slot.calls.len() - strangers);
        self.held -= gets.len();
        for (time, op) in gets {
            self.accept(Call { actor: Arc::clone(&actor), time, op });
        }
    }

    /// Hands out what is complete and old enough, in order of time; and more than that where too much is held.
    pub(super) fn emit(&mut self, now_ns: u64, mut write: impl FnMut(Finished<'_>)) {
        while let Some(&(start_ns, place)) = self.order.front() {
            let crowded = self.held > CROWDED;
            self.close_if_idle(place, now_ns, if crowded { self.pause_ns } else { self.hold_ns });
            let is_open = self.slots[place as usize].command.as_ref().is_some_and(|command| command.open);
            if is_open && self.held > MAX_HELD {
                self.write_so_far(now_ns, &mut write);
            } else if !is_open && (crowded || start_ns.saturating_add(self.hold_ns) <= now_ns) {
                self.order.pop_front();
                self.write(place, start_ns, &mut write);
                self.release(place);
            } else {
                break;
            }
        }
    }

    /// Ends and hands out everything.
    pub(super) fn emit_all(&mut self, mut write: impl FnMut(Finished<'_>)) {
        while let Some(&(start_ns, place)) = self.order.front() {
            self.close(place);
            self.order.pop_front();
            self.write(place, start_ns, &mut write);
            self.release(place);
        }
    }

    fn close_if_idle(&mut self, place: u32, now_ns: u64, limit_ns: u64) {
        let Some(command) = self.slots[place as usize].command.as_ref().filter(|command| command.open) else { return };
        let may_end = command.progress.may_end(circumstances(&command.actor, false));
        let limit = if may_end { limit_ns } else { self.hold_ns.saturating_mul(PATIENCE) };
        if now_ns.saturating_sub(command.last_end_ns) > limit {
            self.close(place);
        }
    }

    /// The oldest command is open and too much waits for it: what there is of it goes, and what comes will be another
    /// command of the same kind.
    fn write_so_far(&mut self, now_ns: u64, write: &mut impl FnMut(Finished<'_>)) {
        if let Some((start_ns, place)) = self.order.pop_front() {
            self.write(place, start_ns, write);
            self.enqueue(now_ns, place);
        }
    }

    fn write(&mut self, place: u32, start_ns: u64, write: &mut impl FnMut(Finished<'_>)) {
        let slot = &mut self.slots[place as usize];
        if let Some(command) = slot.command.as_ref().filter(|_| !slot.calls.is_empty()) {
            write(Finished { actor: &command.actor, kind: command.progress.kind, start_ns, calls: &slot.calls });
        }
        self.held -= slot.calls.len();
        if slot.calls.len() > LONG_LIST {
            slot.calls = Vec::new();
        }
        slot.calls.clear();
    }

    fn release(&mut self, place: u32) {
        self.slots[place as usize].command = None;
        self.free.push(place);
    }
}

fn circumstances(actor: &Actor, after_pause: bool) -> Circumstances {
    let habits = actor.kind.habits();
    Circumstances { after_pause, light: habits.is_light(), compacts: habits.compacts() }
}

/// Remembers what a command tells about actors of its type.
fn learn(command: &Command) {
    let habits = command.actor.kind.habits();
    if command.progress.kind == CommandKind::Persist {
        habits.persisted(!command.progress.wrote_event_alone());
    }
    if command.progress.has_compacted() {
        habits.compacted();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::command::OpKind;
    use crate::trace::names::NameRule;
    use crate::trace::recorder::actors::{Known, Presence, Registry};

    const PAUSE: u64 = 5;
    const HOLD: u64 = 200;

    /// Calls in a table: `put 3` and the like, `-` for a pause.
    fn op(text: &str) -> Op {
        let (name, number) = text.split_once(' ').unwrap_or((text, ""));
        let (number, may_miss) = number.strip_suffix('?').map_or((number, false), |number| (number, true));
        let kind = match name {
            "put" => OpKind::EventsPut,
            "get" => OpKind::EventsGet,
            "del" => OpKind::EventsDel,
            "last" => OpKind::EventsLast,
            name => name.parse().unwrap(),
        };
        Op { may_miss, ..Op::new(kind, number.parse().unwrap_or(0), 8) }
    }

    struct Bench {
        commands: Commands,
        registry: Registry,
        known: Known,
        now: u64,
        written: Vec<String>,
    }

    impl Bench {
        fn new() -> Self {
            let registry = Registry::new(NameRule::Keep, [0; 16]);
            let known = registry.known();
            Self { commands: Commands::new(PAUSE, HOLD), registry, known, now: 0, written: Vec::new() }
        }

        fn call(&mut self, actor: &Arc<Presence>, op: Op) {
            self.now += 1;
            let time = CallTime { start_ns: self.now, end_ns: self.now };
            let actor = self.known.actor(actor.number).unwrap();
            self.commands.accept(Call { actor, time, op });
        }

        fn calls(&mut self, actor: &Arc<Presence>, calls: &str) {
            for call in calls.split(',').map(str::trim) {
                match call {
                    "-" => self.now += PAUSE + 1,
                    call => self.call(actor, op(call)),
                }
            }
        }

        fn emit(&mut self) {
            let written = &mut self.written;
            self.commands.emit(self.now, |command| written.push(describe(&command)));
        }

        fn all(mut self) -> String {
            let written = &mut self.written;
            self.commands.emit_all(|command| written.push(describe(&command)));
            assert_eq!(self.commands.held, 0);
            self.written.join(" ")
        }
    }

    fn describe(command: &Finished<'_>) -> String {
        format!("{}:{}", command.kind, command.calls.len())
    }

    const RECOVER: &str = "open, last 4, states.get, metadata.get, states.get, last 4";
    const FRESH: &str = "open, last 0?, states.get 0?, metadata.get 0?, states.get 0?, last 0?";

    #[test]
    fn calls_are_put_together_into_the_commands_they_came_from() {
        let recover = |rest: &str| format!("{RECOVER}, {rest}");
        for (calls, expected) in [
            (FRESH.to_owned(), "recover:6"),
            (format!("{FRESH}, put 0, put 1"), "recover:6 persist:1 persist:1"),
            (recover("get 3, get 4, states.put, metadata.put, put 5"), "recover:10 persist:1"),
            (recover("get 3, -, get 4, -, states.put, metadata.put"), "recover:10"),
            (recover("get 4, states.put, metadata.put, del 0, del 1, metadata.put, del 2"), "recover:12 snapshot:1"),
            // A query behind a start: no snapshot follows, or the run does not end with the newest event.
            (recover("get 3, get 4, put 5"), "recover:6 events:2 persist:1"),
            (recover("get 2, get 3, states.put, metadata.put"), "recover:6 events:2 snapshot:2"),
            (recover("-, get 3, get 4, states.put, metadata.put"), "recover:6 events:2 snapshot:2"),
            (recover("get 3, get 4, get 3, get 4"), "recover:6 events:2 events:2"),
            (recover("last 4"), "recover:6 last_event:1"),
            // Two lives of one actor.
            (format!("{RECOVER}, {RECOVER}"), "recover:6 recover:6"),
            ("put 0, states.put, metadata.put, put 1, states.put, metadata.put".to_owned(), "persist:3 persist:3"),
            // The actor is known to write its state with each event: a pause says nothing.
            ("put 0, states.put, metadata.put, put 1, -, states.put, metadata.put".to_owned(), "persist:3 persist:3"),
            ("put 0, -, states.put, metadata.put".to_owned(), "persist:1 snapshot:2"),
            ("put 0, states.put, metadata.put, states.put, metadata.put".to_owned(), "persist:3 snapshot:2"),
            ("put 0, states.put, metadata.put, del 0, metadata.put, put 1".to_owned(), "persist:5 persist:1"),
            ("put 0, states.put, metadata.put, metadata.put, put 1".to_owned(), "persist:4 persist:1"),
            // The state could not be written and the event was taken back.
            ("put 0, del 0, put 0".to_owned(), "persist:2 persist:1"),
            ("put 0, states.put, del 0, put 0".to_owned(), "persist:3 persist:1"),
            // An actor that stops.
            ("put 7, states.get, get 5, get 6, get 7, states.put, metadata.put".to_owned(), "persist:1 snapshot:6"),
            ("put 0, states.get 0?, get 0, -, states.put, metadata.put".to_owned(), "persist:1 snapshot:4"),
            (
                "get 1, get 2, get 3, get 2, -, get 3, last 3, last 3".to_owned(),
                "events:3 events:1 events:1 last_event:1 last_event:1",
            ),
            // A query stops at an event that is not there.
            ("get 1, get 2?, get 3".to_owned(), "events:2 events:1"),
            ("events.purge, states.purge, metadata.purge, put 0".to_owned(), "purge:3 persist:1"),
            ("events.purge, events.purge".to_owned(), "purge:1 purge:1"),
            // What is left where operations were dropped.
            ("metadata.get, states.get, last 4, put 5".to_owned(), "recover:3 persist:1"),
            ("metadata.put, put 1".to_owned(), "snapshot:1 persist:1"),
        ] {
            let mut bench = Bench::new();
            let actor = bench.registry.actor("account", "a");
            bench.calls(&actor, &calls);
            assert_eq!(bench.all(), expected, "{calls}");
        }
    }

    #[test]
    fn actors_do_not_mix_and_commands_keep_the_order_in_which_they_began() {
        let mut bench = Bench::new();
        let [a, b] = ["a", "b"].map(|name| bench.registry.actor("account", name));
        bench.calls(&a, "put 0");
        bench.calls(&b, "put 0, put 1, put 2");
        bench.calls(&a, "states.put, metadata.put");
        assert_eq!(bench.all(), "persist:3 persist:1 persist:1 persist:1");
    }

    #[test]
    fn a_call_that_was_slow_to_return_still_stands_in_its_place() {
        let mut bench = Bench::new();
        let [slow, quick] = ["slow", "quick"].map(|name| bench.registry.actor("account", name));
        bench.now = 20;
        bench.calls(&quick, "put 0, put 1");
        let time = CallTime { start_ns: 10, end_ns: 50 };
        bench.commands.accept(Call { actor: bench.known.actor(slow.number).unwrap(), time, op: op("last 3") });
        assert_eq!(bench.all(), "last_event:1 persist:1 persist:1");
    }

    #[test]
    fn a_command_is_written_when_it_is_idle_and_one_that_lacks_something_later() {
        let mut bench = Bench::new();
        let [done, waiting] = ["done", "waiting"].map(|name| bench.registry.actor("ledger", name));
        bench.calls(&done, "put 0");
        bench.calls(&waiting, "states.put");
        bench.emit();
        assert!(bench.written.is_empty(), "both may go on");
        bench.now += HOLD;
        bench.emit();
        assert_eq!(bench.written, ["persist:1"]);
        bench.now += HOLD * PATIENCE;
        bench.emit();
        assert_eq!(bench.written, ["persist:1", "snapshot:1"]);
    }

    #[test]
    fn what_is_held_back_is_bounded_even_if_one_command_never_ends() {
        let mut bench = Bench::new();
        let [endless, other] = ["endless", "other"].map(|name| bench.registry.actor("ledger", name));
        bench.calls(&endless, "open, last 9000000, states.get, metadata.get, states.get, last 9000000");
        let gets = u64::try_from(3 * MAX_HELD).unwrap();
        for number in 0..gets {
            bench.call(&endless, Op::new(OpKind::EventsGet, number, 8));
            bench.calls(&other, "put 0");
            bench.emit();
            assert!(bench.commands.held <= MAX_HELD + 2, "{}", bench.commands.held);
        }
        let total: usize =
            bench.all().split(' ').map(|command| command.split_once(':').unwrap().1.parse::<usize>().unwrap()).sum();
        assert_eq!(total as u64, 2 * gets + 6, "nothing is lost by it");
    }

    #[test]
    fn an_actor_is_forgotten_when_its_handles_and_its_last_command_are_gone() {
        let mut bench = Bench::new();
        let actor = bench.registry.actor("ledger", "a");
        bench.calls(&actor, "put 0");
        let weak = Arc::downgrade(&bench.known.actor(actor.number).unwrap());
        drop(actor);
        let gone = bench.known.gone();
        bench.known.forget(&gone);
        assert!(weak.upgrade().is_some());
        bench.now += 2 * HOLD;
        bench.emit();
        assert!(weak.upgrade().is_none());
    }
}
