//! Catalogues of machines.

mod mistakes;
