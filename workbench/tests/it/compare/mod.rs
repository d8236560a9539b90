//! Comparisons of builds.

pub(crate) mod comparing;
