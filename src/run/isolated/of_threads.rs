//! A child for each thread that asks: the system ends a child together with the thread that started it, so that none may
//! be handed to another.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use super::child::{Child, End};
use super::message::{Answer, Request};

/// Children, each of the thread that started it.
#[derive(Default)]
pub struct OfThreads<'a>(Mutex<HashMap<ThreadId, Child<'a>>>);

impl<'a> OfThreads<'a> {
    /// Ends all that are not asked just now.
    pub fn end(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Asks this thread's child, or one that is started now; `hear` is told the answer. A child that died is forgotten.
    pub fn ask<T>(
        &self,
        start: impl FnOnce() -> Result<Child<'a>, End>,
        request: &Request,
        hear: impl FnOnce(Answer, &mut Child<'a>) -> Result<T, End>,
    ) -> Result<T, End> {
        let own = thread::current().id();
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&own);
        let mut child = match waiting {
            Some(child) => child,
            None => start()?,
        };
        let answer = child.ask(request)?;
        let heard = hear(answer, &mut child)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(own, child);
        Ok(heard)
    }
}
