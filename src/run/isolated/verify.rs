//! Areas decided a second time by children, which read the sources once more.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;

use super::Isolation;
use super::child::{Child, End};
use super::message::{Answer, Request};
use crate::geometry::Window;

/// Children that verify, for whichever thread wants one.
pub struct RemoteVerifier<'a> {
    isolation: &'a Isolation<'a>,
    /// Those that have nothing to do.
    idle: Mutex<Vec<Child<'a>>>,
}

impl<'a> RemoteVerifier<'a> {
    /// No child is started yet; those that decided are gone.
    pub fn new(isolation: &'a Isolation<'a>) -> RemoteVerifier<'a> {
        isolation.begin_stage();
        RemoteVerifier { isolation, idle: Mutex::default() }
    }

    /// The first difference between what the file holds in an area and what it should hold, of these
    /// sources.
    ///
    /// # Errors
    /// When the file or a source cannot be read, or children die of it.
    pub fn first_difference(&self, file: &str, area: Window, sources: &[usize]) -> Result<Option<String>> {
        let request = Request::Verify { file: file.into(), area, sources: sources.to_vec() };
        let mut deaths = 0;
        loop {
            match self.ask(&request) {
                Ok(difference) => return Ok(difference),
                // The file holds what the source gave: there is nothing to be left out any more.
                Err(end) => self.isolation.after(end, area, &mut deaths, false)?,
            }
        }
    }

    /// Asks a child that has nothing else to do.
    fn ask(&self, request: &Request) -> Result<Option<String>, End> {
        let waiting = self.idle().pop();
        let mut child = match waiting {
            Some(child) => child,
            None => self.isolation.start(self.isolation.plan.bytes_to_verify())?,
        };
        match child.ask(request)? {
            Answer::Verified(done, difference) => {
                self.isolation.count(done, &mut child);
                self.idle().push(child);
                Ok(difference)
            }
            other => Err(child.confused(&other)),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Child<'a>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
