//! Certifications: judging, resuming, certificates.

mod certificates;
mod certifying;
