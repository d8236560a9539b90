//! Commands as bytes, as a trace keeps them between reading and replaying.
//!
//! A chunk contains whole commands and can be read alone. Numbers are LEB128 variable-length integers; times and event
//! numbers are differences. A light `persist` with its three operations takes about 15 bytes, its three lines 250.
//!
//! ```text
//! chunk   := time of the first command, command*
//! command := nanoseconds since the one before, actor, kind (1 byte), length of its operations in bytes, operation*
//! operation := kind and flags (1 byte), [number, as difference to the one before,] [bytes]
//! ```

use super::command::TraceCommand;
use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind};

/// Size a chunk has when it is closed, bytes; one long command may make it larger.
pub(super) const CHUNK_BYTES: usize = 256 << 10;

const KIND_MASK: u8 = 0x0f;
/// The operation has a number other than zero.
const HAS_NUMBER: u8 = 0x10;
/// The operation has a length other than zero.
const HAS_BYTES: u8 = 0x20;
const MAY_MISS: u8 = 0x40;

#[derive(Debug, Default)]
pub(super) struct ChunkWriter {
    pub(super) bytes: Vec<u8>,
    at_ns: u64,
    ops: Vec<u8>,
}

impl ChunkWriter {
    /// Appends a command. Commands come in order of time.
    pub(super) fn push(&mut self, command: TraceCommand, ops: &[Op]) {
        if self.bytes.is_empty() {
            self.at_ns = command.at_ns;
            put(&mut self.bytes, command.at_ns);
        }
        put(&mut self.bytes, command.at_ns - self.at_ns);
        self.at_ns = command.at_ns;
        put(&mut self.bytes, u64::from(command.actor));
        self.bytes.push(command.kind as u8);
        self.ops.clear();
        let mut number = 0;
        for op in ops {
            push_op(&mut self.ops, op, &mut number);
        }
        put(&mut self.bytes, self.ops.len() as u64);
        self.bytes.extend_from_slice(&self.ops);
    }
}

fn push_op(out: &mut Vec<u8>, op: &Op, number: &mut u64) {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    out.push(
        op.kind as u8 | flag(op.number != 0, HAS_NUMBER) | flag(op.bytes != 0, HAS_BYTES) | flag(op.may_miss, MAY_MISS),
    );
    if op.number != 0 {
        let difference = op.number.wrapping_sub(*number).cast_signed();
        // Zigzag: small differences of either sign are short.
        put(out, ((difference << 1) ^ (difference >> 63)).cast_unsigned());
        *number = op.number;
    }
    if op.bytes != 0 {
        put(out, u64::from(op.bytes));
    }
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Reads the commands of a chunk.
///
/// Chunks are written by this process: one that does not decode is a bug, and a panic.
#[derive(Debug, Clone, Default)]
pub(super) struct ChunkReader {
    at: usize,
    at_ns: u64,
}

impl ChunkReader {
    /// The next command. Its operations are appended to `ops` if `wants` returns true, else skipped.
    pub(super) fn next(
        &mut self,
        chunk: &[u8],
        ops: &mut Vec<Op>,
        wants: impl FnOnce(&TraceCommand) -> bool,
    ) -> Option<TraceCommand> {
        if self.at >= chunk.len() {
            return None;
        }
        if self.at == 0 {
            self.at_ns = get(chunk, &mut self.at);
        }
        self.at_ns += get(chunk, &mut self.at);
        let actor = u32::try_from(get(chunk, &mut self.at)).expect("written as one");
        let kind = CommandKind::ALL[usize::from(chunk[self.at])];
        self.at += 1;
        let length = usize::try_from(get(chunk, &mut self.at)).expect("fits in a chunk");
        let end = self.at + length;
        let command = TraceCommand { at_ns: self.at_ns, actor, kind };
        if wants(&command) {
            let mut number = 0;
            while self.at < end {
                ops.push(get_op(chunk, &mut self.at, &mut number));
            }
        }
        self.at = end;
        Some(command)
    }
}

fn get_op(chunk: &[u8], at: &mut usize, number: &mut u64) -> Op {
    let head = chunk[*at];
    *at += 1;
    let mut op = Op::new(OpKind::ALL[usize::from(head & KIND_MASK)], 0, 0);
    op.may_miss = head & MAY_MISS != 0;
    if head & HAS_NUMBER != 0 {
        let zigzag = get(chunk, at);
        let difference = (zigzag >> 1) ^ (zigzag & 1).wrapping_neg();
        *number = number.wrapping_add(difference);
        op.number = *number;
    }
    if head & HAS_BYTES != 0 {
        op.bytes = u32::try_from(get(chunk, at)).expect("written as one");
    }
    op
}

fn get(chunk: &[u8], at: &mut usize) -> u64 {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = chunk[*at];
        *at += 1;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return number;
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ops() -> impl Strategy<Value = Vec<Op>> {
        let op = (0usize..12, any::<u64>(), any::<u32>(), any::<bool>());
        let op = op.prop_map(|(kind, number, bytes, may_miss)| Op { kind: OpKind::ALL[kind], number, bytes, may_miss });
        prop::collection::vec(prop_oneof![3 => op, 1 => Just(Op::new(OpKind::Open, 0, 0))], 0..6)
    }

    proptest! {
        #[test]
        fn packed_commands_unpack_and_unwanted_operations_are_skipped(
            commands in prop::collection::vec((any::<u32>(), any::<u32>(), 0usize..6, ops()), 1..40),
            wanted in 1u32..4,
        ) {
            let mut writer = ChunkWriter::default();
            let mut at_ns = 0;
            let mut expected = Vec::new();
            for (gap, actor, kind, ops) in commands {
                at_ns += u64::from(gap);
                let command = TraceCommand { at_ns, actor, kind: CommandKind::ALL[kind] };
                writer.push(command, &ops);
                let is_wanted = actor.is_multiple_of(wanted);
                expected.push((command, if is_wanted { ops } else { Vec::new() }));
            }
            let chunk = writer.bytes;
            let (mut reader, mut found) = (ChunkReader::default(), Vec::new());
            let mut ops = Vec::new();
            while let Some(command) = reader.next(&chunk, &mut ops, |command| command.actor.is_multiple_of(wanted)) {
                found.push((command, std::mem::take(&mut ops)));
            }
            prop_assert_eq!(found, expected);
        }
    }
}
