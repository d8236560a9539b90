//! The built binary, as a user meets it.
