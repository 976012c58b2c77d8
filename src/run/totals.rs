//! What all workers did, added up.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::memory::Growth;

/// Sums over all workers.
#[derive(Debug, Default)]
pub struct Totals {
    /// Nanoseconds spent reading sources.
    pub read: AtomicU64,
    /// Nanoseconds spent compositing.
    pub composite: AtomicU64,
    /// Nanoseconds spent encoding.
    pub encode: AtomicU64,
    /// Nanoseconds spent making and encoding overviews.
    pub overviews: AtomicU64,
    /// Pixels of one band read from sources.
    pub samples_read: AtomicU64,
    /// Blocks of sources decoded without GDAL.
    pub blocks_decoded: AtomicU64,
    /// Blocks left out because they hold nothing but nodata.
    pub sparse_blocks: AtomicU64,
    /// What the process held from window to window.
    pub growth: Growth,
    /// What GDAL warned of, each text once, and not without end.
    pub warnings: Mutex<BTreeSet<String>>,
}

impl Totals {
    /// Keeps what GDAL warned of.
    pub fn note(&self, warnings: Vec<String>) {
        const MOST: usize = 100;
        if !warnings.is_empty() {
            let mut noted = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            let room = MOST.saturating_sub(noted.len());
            noted.extend(warnings.into_iter().take(room));
        }
    }

    /// What GDAL warned of.
    pub fn noted(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// What GDAL warned of, which is forgotten.
    pub fn take_noted(&self) -> Vec<String> {
        let mut noted = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *noted).into_iter().collect()
    }

    /// Adds the time that has passed to one of the sums of nanoseconds.
    pub(super) fn add(total: &AtomicU64, since: Instant) {
        total.fetch_add(since.elapsed().as_nanos() as u64, Ordering::Relaxed);
    }
}
