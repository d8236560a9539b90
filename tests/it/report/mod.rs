//! The report: what people rely on when they read, show or parse one.

#![allow(clippy::unwrap_used)] // Clippy takes helpers of tests for production code.

mod comparison;
mod directory;
mod html;
mod machines;
mod markdown;
pub(crate) mod sample;
mod schema;
mod terms;
