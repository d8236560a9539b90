//! The model of actors: the operations each command expands to.

mod actor_model;
