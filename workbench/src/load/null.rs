//! A backend that does nothing, to measure the cost of the load generator.

use std::path::Path;

use ave_actors_store::Error;
use ave_actors_store::database::{Collection, CollectionIter, DbManager, State};

use super::target::Target;
use crate::actor::Durability;

/// Opens [`NullManager`]s.
#[derive(Debug, Clone, Copy)]
pub struct NullTarget;

/// Creates [`NullStore`]s.
#[derive(Debug, Clone, Copy)]
pub struct NullManager;

/// Accepts every write, stores nothing, and returns an empty value from every read.
#[derive(Debug, Clone, Copy)]
pub struct NullStore;

impl Target for NullTarget {
    type Collection = NullStore;
    type State = NullStore;
    type Manager = NullManager;

    fn name(&self) -> &'static str {
        "null"
    }

    fn open(&self, _directory: &Path, _durability: Durability) -> Result<NullManager, Error> {
        Ok(NullManager)
    }
}

impl DbManager<NullStore, NullStore> for NullManager {
    fn create_collection(&self, _name: &str, _prefix: &str) -> Result<NullStore, Error> {
        Ok(NullStore)
    }

    fn create_state(&self, _name: &str, _prefix: &str) -> Result<NullStore, Error> {
        Ok(NullStore)
    }
}

impl Collection for NullStore {
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

impl State for NullStore {
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
