//! Areas decided a second time by children, which read the sources once more.

use anyhow::Result;

use super::Isolation;
use super::child::End;
use super::message::{Answer, Request};
use super::of_threads::OfThreads;
use crate::geometry::Window;

/// Children that verify, one for each thread that asks.
pub struct RemoteVerifier<'a> {
    isolation: &'a Isolation<'a>,
    children: OfThreads<'a>,
}

impl<'a> RemoteVerifier<'a> {
    /// No child is started yet.
    pub fn new(isolation: &'a Isolation<'a>) -> RemoteVerifier<'a> {
        RemoteVerifier { isolation, children: OfThreads::default() }
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

    fn ask(&self, request: &Request) -> Result<Option<String>, End> {
        let isolation = self.isolation;
        // What is left out by now may have been read where other areas were made: each request says what to read.
        let start = || isolation.start(isolation.plan.bytes_to_verify(), Vec::new());
        self.children.ask(start, request, |answer, child| match answer {
            Answer::Verified(done, difference) => {
                isolation.count(done, child);
                Ok(difference)
            }
            other => Err(child.confused(&other)),
        })
    }
}
