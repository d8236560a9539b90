//! A backend that does nothing, to measure the cost of the load generator.

use std::path::Path;

use ave_actors_store::Error;
use ave_actors_store::database::{Collection, CollectionIter, DbManager, State};

use super::target::Target;
use crate::actor::Durability;

/// Accepts every write, stores nothing, and returns an empty value from every read.
#[derive(Debug, Clone, Copy)]
pub struct NullBackend;

impl Target for NullBackend {
    type Collection = Self;
    type State = Self;
    type Manager = Self;

    fn open(&self, _directory: &Path, _durability: Durability) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl DbManager<Self, Self> for NullBackend {
    fn create_collection(&self, _name: &str, _prefix: &str) -> Result<Self, Error> {
        Ok(Self)
    }

    fn create_state(&self, _name: &str, _prefix: &str) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl Collection for NullBackend {
    fn name(&self) -> &'static str {
        "null"
    }

    fn get(&self, _key: &str) -> Result<Vec<u8>, Error> {
        Ok(Vec::new())
    }

    fn put(&mut self, _key: &str, _data: &[u8]) -> Result<(), Error> {
        Ok(())
    }

    fn del(&mut self, _key: &str) -> Result<(), Error> {
        Ok(())
    }

    fn last(&self) -> Result<Option<(String, Vec<u8>)>, Error> {
        Ok(None)
    }

    fn purge(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn iter(&self, _reverse: bool) -> Result<CollectionIter<'_>, Error> {
        Ok(Box::new(std::iter::empty()))
    }
}

impl State for NullBackend {
    fn name(&self) -> &'static str {
        "null"
    }

    fn get(&self) -> Result<Vec<u8>, Error> {
        Ok(Vec::new())
    }

    fn put(&mut self, _data: &[u8]) -> Result<(), Error> {
        Ok(())
    }

    fn del(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn purge(&mut self) -> Result<(), Error> {
        Ok(())
    }
}
