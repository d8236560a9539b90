//! What the formats in XML share: lines, elements and the texts in them.

use std::io::{self, BufRead, Read};

use quick_xml::XmlVersion;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

use crate::workload::escape;

/// The value of an attribute of an element; `None` if it has none of that name.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, String> {
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        if attribute.key.as_ref() == name {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

/// Appends the text of an event, if it has one.
pub(super) fn append_text(event: &Event<'_>, text: &mut String) -> Result<(), String> {
    match event {
        Event::Text(part) => text.push_str(&part.xml10_content()),
        Event::CData(part) => text.push_str(&part.xml10_content()),
        Event::GeneralRef(entity) => {
            let entity = format!("&{};", &**entity);
            text.push_str(&unescape(&entity).map_err(|error| escape(&error.to_string()))?);
        }
        _ => {}
    }
    Ok(())
}

/// Counts the line ends before what was read.
pub(super) struct Lines<R> {
    inner: R,
    ends: u64,
}

impl<R> Lines<R> {
    pub(super) const fn new(inner: R) -> Self {
        Self { inner, ends: 0 }
    }

    /// Number of the line that is read, from 1.
    pub(super) const fn line(&self) -> u64 {
        self.ends + 1
    }
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.ends += memchr::memchr_iter(b'\n', &buffer[..read]).count() as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Lines<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // What is consumed is in the buffer: this does not read.
        let consumed = self.inner.fill_buf().map_or(&[][..], |buffer| &buffer[..amount.min(buffer.len())]);
        self.ends += memchr::memchr_iter(b'\n', consumed).count() as u64;
        self.inner.consume(amount);
    }
}
