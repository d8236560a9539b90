//! One line of a trace file.

use super::command::{CommandKind, Op, OpKind};

/// Digits of an event key, as the store writes it.
pub const KEY_DIGITS: usize = 20;

/// An operation and its context.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Start of its command, nanoseconds from the start of the trace.
    pub at_ns: u64,
    /// Actor type, the first part of the column family.
    pub type_name: &'a str,
    /// Name of the actor, or its hash.
    pub actor: &'a str,
    /// Number of its command; the lines of a command are adjacent.
    pub command_id: u64,
    /// Its command.
    pub command: CommandKind,
    /// The operation.
    pub op: Op,
}

impl Line<'_> {
    /// Appends the line and its line feed. Allocates only if `out` must grow or a name needs quotes.
    pub fn append(&self, out: &mut Vec<u8>) {
        let mut digits = itoa::Buffer::new();
        out.extend_from_slice(digits.format(self.at_ns).as_bytes());
        out.push(b',');
        self.append_family(out);
        out.push(b',');
        append_field(self.actor, out);
        out.push(b',');
        out.extend_from_slice(digits.format(self.command_id).as_bytes());
        out.push(b',');
        out.extend_from_slice(self.command.name().as_bytes());
        out.push(b',');
        out.extend_from_slice(self.op.kind.name().as_bytes());
        out.push(b',');
        if self.op.has_event_number() {
            let number = digits.format(self.op.number).as_bytes();
            out.extend_from_slice(&[b'0'; KEY_DIGITS][number.len()..]);
            out.extend_from_slice(number);
        }
        out.push(b',');
        out.extend_from_slice(digits.format(self.op.bytes).as_bytes());
        out.push(b'\n');
    }

    fn append_family(&self, out: &mut Vec<u8>) {
        let suffix = family_suffix(self.op.kind);
        if needs_quotes(self.type_name) {
            append_field(&format!("{}_{suffix}", self.type_name), out);
        } else {
            out.extend_from_slice(self.type_name.as_bytes());
            out.push(b'_');
            out.extend_from_slice(suffix.as_bytes());
        }
    }
}

/// A field by RFC 4180. A field with `#` is quoted as well.
fn append_field(field: &str, out: &mut Vec<u8>) {
    if needs_quotes(field) {
        out.extend_from_slice(format!("\"{}\"", field.replace('"', "\"\"")).as_bytes());
    } else {
        out.extend_from_slice(field.as_bytes());
    }
}

fn needs_quotes(field: &str) -> bool {
    // Without an early exit the compiler vectorises the loop; names are short.
    field.bytes().fold(false, |found, byte| found | matches!(byte, b',' | b'"' | b'\n' | b'\r' | b'#'))
}

/// Suffix of the column family of an operation, after the actor type and an underscore.
pub const fn family_suffix(kind: OpKind) -> &'static str {
    match kind {
        OpKind::StatesPut | OpKind::StatesGet | OpKind::StatesPurge => "states",
        OpKind::MetadataPut | OpKind::MetadataGet | OpKind::MetadataPurge => "metadata",
        _ => "events",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_all_columns_and_quoted_names() {
        for (type_name, actor, kind, number, bytes, expected) in [
            ("t", "a", OpKind::EventsPut, 42, 120, "t_events,a,3,persist,events.put,00000000000000000042,120"),
            ("t", "a", OpKind::StatesPut, 7, 300, "t_states,a,3,persist,states.put,,300"),
            // The newest event has its number if it exists.
            ("t", "a", OpKind::EventsLast, 0, 0, "t_events,a,3,persist,events.last,,0"),
            ("t", "a", OpKind::EventsLast, 9, 55, "t_events,a,3,persist,events.last,00000000000000000009,55"),
            ("a,b", "a\"b", OpKind::MetadataPut, 0, 16, "\"a,b_metadata\",\"a\"\"b\",3,persist,metadata.put,,16"),
        ] {
            let (op, mut out) = (Op::new(kind, number, bytes), Vec::new());
            Line { at_ns: 17, type_name, actor, command_id: 3, command: CommandKind::Persist, op }.append(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("17,{expected}\n"));
        }
    }
}
