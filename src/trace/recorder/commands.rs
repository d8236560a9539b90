//! Assembles calls into commands. A command is open until it is known to be complete, and held back until all that began
//! before it are complete.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::actors::{Actor, NO_COMMAND};
use super::grammar::{CallContext, Progress};
use super::intake::CallTime;
use crate::trace::command::{CommandKind, Op};

/// Held operations beyond which commands are no longer held back for late ones: twice as fast, since they fit in the CPU
/// caches.
const CROWDED: usize = 1 << 11;
/// Maximum of held operations; beyond it the oldest command is written, open or not.
const MAX_HELD: usize = 1 << 16;
/// Factor by which an incomplete command is held longer: its next call may be slow.
const INCOMPLETE_FACTOR: u64 = 10;
/// Longest list of calls whose memory is reused.
const LONG_LIST: usize = 256;

#[derive(Debug)]
pub(super) struct Call {
    pub(super) actor: Arc<Actor>,
    pub(super) time: CallTime,
    pub(super) op: Op,
}

#[derive(Debug)]
pub(super) struct CompleteCommand<'a> {
    pub(super) actor: &'a Actor,
    pub(super) kind: CommandKind,
    /// Time of its first call, nanoseconds from the start of the recording.
    pub(super) start_ns: u64,
    pub(super) calls: &'a [(CallTime, Op)],
}

#[derive(Debug)]
pub(super) struct Commands {
    /// See [`RecorderOptions::pause`](super::options::RecorderOptions::pause), nanoseconds.
    pause_ns: u64,
    /// Time for which a command is held back and waits for its next call, nanoseconds.
    hold_ns: u64,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Places in `slots` by the time of the first call.
    order: VecDeque<(u64, u32)>,
    held: usize,
    newest_ns: u64,
}

#[derive(Debug, Default)]
struct Slot {
    /// `None` while the slot is free.
    command: Option<Command>,
    /// Its memory is reused.
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

    pub(super) fn accept(&mut self, mut call: Call) {
        loop {
            let place = call.actor.command.load(Ordering::Relaxed);
            if place == NO_COMMAND {
                return self.begin(call);
            }
            let slot = &mut self.slots[place as usize];
            if let Some(command) = &mut slot.command {
                if !call.time.is_known() {
                    call.time = CallTime { start_ns: command.last_end_ns, end_ns: command.last_end_ns };
                }
                let after_pause = call.time.start_ns.saturating_sub(command.last_end_ns) > self.pause_ns;
                if command.progress.accepts(call.op, context(&call.actor, after_pause)) {
                    command.last_end_ns = call.time.end_ns;
                    slot.calls.push((call.time, call.op));
                    self.held += 1;
                    return;
                }
            }
            // The call may continue the gets that this turns into a query.
            self.close(place);
        }
    }

    fn begin(&mut self, mut call: Call) {
        if !call.time.is_known() {
            // Its command was dropped; it was called about now.
            call.time = CallTime { start_ns: self.newest_ns, end_ns: self.newest_ns };
        }
        self.newest_ns = self.newest_ns.max(call.time.start_ns);
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            u32::try_from(self.slots.len() - 1).unwrap_or(NO_COMMAND)
        });
        call.actor.command.store(place, Ordering::Relaxed);
        self.enqueue(call.time.start_ns, place);
        let progress = Progress::begin(call.op);
        let slot = &mut self.slots[place as usize];
        slot.calls.push((call.time, call.op));
        slot.command = Some(Command { actor: call.actor, progress, last_end_ns: call.time.end_ns, open: true });
        self.held += 1;
    }

    /// Inserts a command by time. Calls are nearly in order, so the position is at or near the end.
    fn enqueue(&mut self, start_ns: u64, place: u32) {
        let later = self.order.iter().rev().take_while(|(other, _)| *other > start_ns).count();
        self.order.insert(self.order.len() - later, (start_ns, place));
    }

    /// Ends a command. Gets at its end that belong to a query become a command of their own.
    fn close(&mut self, place: u32) {
        let slot = &mut self.slots[place as usize];
        let Some(command) = slot.command.as_mut().filter(|command| command.open) else { return };
        command.open = false;
        command.actor.command.store(NO_COMMAND, Ordering::Relaxed);
        observe(command);
        let query_reads = command.progress.trailing_query_reads().min(slot.calls.len());
        if query_reads == 0 {
            return;
        }
        let actor = Arc::clone(&command.actor);
        let gets = slot.calls.split_off(slot.calls.len() - query_reads);
        self.held -= gets.len();
        for (time, op) in gets {
            self.accept(Call { actor: Arc::clone(&actor), time, op });
        }
    }

    /// Writes complete commands that are old enough, in order of time; others too if too many operations are held.
    pub(super) fn emit(&mut self, now_ns: u64, mut write: impl FnMut(CompleteCommand<'_>)) {
        while let Some(&(start_ns, place)) = self.order.front() {
            let crowded = self.held > CROWDED;
            self.close_if_idle(place, now_ns, if crowded { self.pause_ns } else { self.hold_ns });
            let is_open = self.slots[place as usize].command.as_ref().is_some_and(|command| command.open);
            if is_open && self.held > MAX_HELD {
                // Its later calls become another command of the same kind.
                self.write_oldest(&mut write);
                self.enqueue(now_ns, place);
            } else if !is_open && (crowded || start_ns.saturating_add(self.hold_ns) <= now_ns) {
                self.write_oldest(&mut write);
                self.release(place);
            } else {
                break;
            }
        }
    }

    pub(super) fn emit_all(&mut self, mut write: impl FnMut(CompleteCommand<'_>)) {
        while let Some(&(_, place)) = self.order.front() {
            self.close(place);
            self.write_oldest(&mut write);
            self.release(place);
        }
    }

    fn close_if_idle(&mut self, place: u32, now_ns: u64, limit_ns: u64) {
        let Some(command) = self.slots[place as usize].command.as_ref().filter(|command| command.open) else { return };
        let may_end = command.progress.may_end(context(&command.actor, false));
        let limit = if may_end { limit_ns } else { self.hold_ns.saturating_mul(INCOMPLETE_FACTOR) };
        if now_ns.saturating_sub(command.last_end_ns) > limit {
            self.close(place);
        }
    }

    fn write_oldest(&mut self, write: &mut impl FnMut(CompleteCommand<'_>)) {
        let Some((start_ns, place)) = self.order.pop_front() else { return };
        let slot = &mut self.slots[place as usize];
        if let Some(command) = slot.command.as_ref().filter(|_| !slot.calls.is_empty()) {
            write(CompleteCommand { actor: &command.actor, kind: command.progress.kind, start_ns, calls: &slot.calls });
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

fn context(actor: &Actor, after_pause: bool) -> CallContext {
    let persistence = &actor.kind.persistence;
    CallContext { after_pause, light: persistence.is_light(), compacts: persistence.compacts() }
}

fn observe(command: &Command) {
    let persistence = &command.actor.kind.persistence;
    if command.progress.kind == CommandKind::Persist {
        persistence.persisted(!command.progress.wrote_event_alone());
    }
    if command.progress.has_compacted() {
        persistence.compacted();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::command::OpKind;
    use crate::trace::names::NameRule;
    use crate::trace::recorder::actors::{ActorCache, ActorHandle, Registry};

    const PAUSE: u64 = 5;
    const HOLD: u64 = 200;

    /// A call of the tables below: `put 3`, `last 0?` (absent).
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

    struct Fixture {
        commands: Commands,
        registry: Registry,
        known: ActorCache,
        now: u64,
        written: Vec<String>,
    }

    impl Fixture {
        fn new() -> Self {
            let registry = Registry::new(NameRule::Keep, [0; 16]);
            let known = registry.known();
            Self { commands: Commands::new(PAUSE, HOLD), registry, known, now: 0, written: Vec::new() }
        }

        fn call(&mut self, actor: &Arc<ActorHandle>, op: Op) {
            self.now += 1;
            let time = CallTime { start_ns: self.now, end_ns: self.now };
            let actor = self.known.actor(actor.number).unwrap();
            self.commands.accept(Call { actor, time, op });
        }

        fn calls(&mut self, actor: &Arc<ActorHandle>, calls: &str) {
            for call in calls.split(", ") {
                if call == "-" { self.now += PAUSE + 1 } else { self.call(actor, op(call)) }
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

    fn describe(command: &CompleteCommand<'_>) -> String {
        format!("{}:{}", command.kind, command.calls.len())
    }

    const RECOVER: &str = "open, last 4, states.get, metadata.get, states.get, last 4";
    const FRESH: &str = "open, last 0?, states.get 0?, metadata.get 0?, states.get 0?, last 0?";

    #[test]
    fn calls_are_assembled_into_their_commands() {
        let recover = |rest: &str| format!("{RECOVER}, {rest}");
        for (calls, expected) in [
            (FRESH.to_owned(), "recover:6"),
            (format!("{FRESH}, put 0, put 1"), "recover:6 persist:1 persist:1"),
            (recover("get 3, get 4, states.put, metadata.put, put 5"), "recover:10 persist:1"),
            (recover("get 3, -, get 4, -, states.put, metadata.put"), "recover:10"),
            (recover("get 4, states.put, metadata.put, del 0, del 1, metadata.put, del 2"), "recover:12 snapshot:1"),
            // A query after a start: no snapshot follows, or the run does not end with the newest event.
            (recover("get 3, get 4, put 5"), "recover:6 events:2 persist:1"),
            (recover("get 2, get 3, states.put, metadata.put"), "recover:6 events:2 snapshot:2"),
            (recover("-, get 3, get 4, states.put, metadata.put"), "recover:6 events:2 snapshot:2"),
            (recover("get 3, get 4, get 3, get 4"), "recover:6 events:2 events:2"),
            (recover("last 4"), "recover:6 last_event:1"),
            // Two starts of one actor.
            (format!("{RECOVER}, {RECOVER}"), "recover:6 recover:6"),
            ("put 0, states.put, metadata.put, put 1, states.put, metadata.put".to_owned(), "persist:3 persist:3"),
            // The type is known to write its state with each event: the pause is ignored.
            ("put 0, states.put, metadata.put, put 1, -, states.put, metadata.put".to_owned(), "persist:3 persist:3"),
            ("put 0, -, states.put, metadata.put".to_owned(), "persist:1 snapshot:2"),
            ("put 0, states.put, metadata.put, states.put, metadata.put".to_owned(), "persist:3 snapshot:2"),
            ("put 0, states.put, metadata.put, del 0, metadata.put, put 1".to_owned(), "persist:5 persist:1"),
            ("put 0, states.put, metadata.put, metadata.put, put 1".to_owned(), "persist:4 persist:1"),
            // The state could not be written and the event was deleted again.
            ("put 0, del 0, put 0".to_owned(), "persist:2 persist:1"),
            ("put 0, states.put, del 0, put 0".to_owned(), "persist:3 persist:1"),
            // A stopping actor.
            ("put 7, states.get, get 5, get 6, get 7, states.put, metadata.put".to_owned(), "persist:1 snapshot:6"),
            ("put 0, states.get 0?, get 0, -, states.put, metadata.put".to_owned(), "persist:1 snapshot:4"),
            (
                "get 1, get 2, get 3, get 2, -, get 3, last 3, last 3".to_owned(),
                "events:3 events:1 events:1 last_event:1 last_event:1",
            ),
            // A query stops at an absent event.
            ("get 1, get 2?, get 3".to_owned(), "events:2 events:1"),
            ("events.purge, states.purge, metadata.purge, put 0".to_owned(), "purge:3 persist:1"),
            ("events.purge, events.purge".to_owned(), "purge:1 purge:1"),
            // After dropped operations.
            ("metadata.get, states.get, last 4, put 5".to_owned(), "recover:3 persist:1"),
            ("metadata.put, put 1".to_owned(), "snapshot:1 persist:1"),
        ] {
            let mut fixture = Fixture::new();
            let actor = fixture.registry.actor("account", "a");
            fixture.calls(&actor, &calls);
            assert_eq!(fixture.all(), expected, "{calls}");
        }
    }

    #[test]
    fn commands_of_several_actors_are_written_in_the_order_of_their_start() {
        let mut fixture = Fixture::new();
        let [a, b, slow] = ["a", "b", "slow"].map(|name| fixture.registry.actor("account", name));
        fixture.now = 20;
        fixture.calls(&a, "put 0");
        fixture.calls(&b, "put 0, put 1, put 2");
        fixture.calls(&a, "states.put, metadata.put");
        let time = CallTime { start_ns: 10, end_ns: 50 };
        fixture.commands.accept(Call { actor: fixture.known.actor(slow.number).unwrap(), time, op: op("last 3") });
        assert_eq!(fixture.all(), "last_event:1 persist:3 persist:1 persist:1 persist:1");
    }

    #[test]
    fn an_idle_command_is_written_and_an_incomplete_one_later() {
        let mut fixture = Fixture::new();
        let [done, waiting] = ["done", "waiting"].map(|name| fixture.registry.actor("ledger", name));
        fixture.calls(&done, "put 0");
        fixture.calls(&waiting, "states.put");
        fixture.emit();
        assert!(fixture.written.is_empty(), "both may continue");
        fixture.now += HOLD;
        fixture.emit();
        assert_eq!(fixture.written, ["persist:1"]);
        fixture.now += HOLD * INCOMPLETE_FACTOR;
        fixture.emit();
        assert_eq!(fixture.written, ["persist:1", "snapshot:1"]);
    }

    #[test]
    fn held_operations_are_bounded_though_one_command_never_ends() {
        let mut fixture = Fixture::new();
        let [endless, other] = ["endless", "other"].map(|name| fixture.registry.actor("ledger", name));
        fixture.calls(&endless, "open, last 9000000, states.get, metadata.get, states.get, last 9000000");
        let gets = u64::try_from(3 * MAX_HELD).unwrap();
        for number in 0..gets {
            fixture.call(&endless, Op::new(OpKind::EventsGet, number, 8));
            fixture.calls(&other, "put 0");
            fixture.emit();
            assert!(fixture.commands.held <= MAX_HELD + 2, "{}", fixture.commands.held);
        }
        let total: usize =
            fixture.all().split(' ').map(|command| command.split_once(':').unwrap().1.parse::<usize>().unwrap()).sum();
        assert_eq!(total as u64, 2 * gets + 6, "no operation is lost");
    }

    #[test]
    fn an_actor_is_removed_with_its_handles_and_its_last_command() {
        let mut fixture = Fixture::new();
        let actor = fixture.registry.actor("ledger", "a");
        fixture.calls(&actor, "put 0");
        let weak = Arc::downgrade(&fixture.known.actor(actor.number).unwrap());
        drop(actor);
        let closed = fixture.known.closed();
        fixture.known.remove(&closed);
        assert!(weak.upgrade().is_some());
        fixture.now += 2 * HOLD;
        fixture.emit();
        assert!(weak.upgrade().is_none());
    }
}
