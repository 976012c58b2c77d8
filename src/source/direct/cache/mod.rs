//! Decoded source blocks, shared by all workers and bounded in bytes: windows and source blocks do not align, and a
//! block that several windows need shall be decoded about once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::Result;

use crate::pixels::Buffer;

/// A block of a source: the source's index, and the block's place in the file's arrays.
pub type Key = (u32, u64);

/// A block that is asked for, and the bytes that its pixels take.
pub type Asked = (Key, usize);

/// A decoded block; `None` where the file holds none, which reads as nodata or zero.
pub type Block = Option<Buffer>;

/// The next use of a block that no window wants any more.
pub const NEVER: u64 = u64::MAX;

/// The cache. Windows run in the order of their numbers, so that it is known when a block is wanted again: the one
/// that is wanted last goes first (Belady, "A study of replacement algorithms for a virtual-storage computer", 1966).
pub struct BlockCache {
    limit: AtomicUsize,
    /// By how many windows one may lag behind another.
    lag: u64,
    state: Mutex<State>,
    changed: Condvar,
    decoded: AtomicU64,
}

#[derive(Default)]
struct State {
    entries: HashMap<Key, Entry>,
    /// Blocks that are ready, by the window that wants them next; the second number only tells them apart.
    by_next: BTreeMap<(u64, u64), Key>,
    count: u64,
    windows_in_work: BTreeSet<u64>,
    /// Blocks that no later window wants than the one beside each, which is done; an earlier one is in work.
    parting: HashMap<Key, u64>,
    /// The furthest window that has asked.
    furthest: u64,
    /// What blocks and spare memory come to.
    bytes: usize,
    /// Memory of blocks that went, for the next ones: given back to the heap it would be cut into smaller pieces.
    spare: Vec<Buffer>,
}

enum Entry {
    InWork,
    Ready {
        block: Arc<Block>,
        /// Its place in `by_next`.
        next: (u64, u64),
        /// The window that wants it next, as far as those know that are done with it.
        left: u64,
    },
}

impl BlockCache {
    /// An empty cache that keeps at most `limit` bytes; a window may be in work when one whose number is `lag` higher
    /// is.
    pub fn new(limit: usize, lag: usize) -> BlockCache {
        let (state, changed, decoded) = Default::default();
        BlockCache { limit: AtomicUsize::new(limit), lag: lag as u64, state, changed, decoded }
    }

    /// From now on keeps at most `limit` bytes, if it kept more.
    pub fn keep_at_most(&self, limit: usize) {
        let before = self.limit.fetch_min(limit, Ordering::Relaxed);
        if limit < before {
            self.lock().shrink(limit, self.lag);
        }
    }

    fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    /// How many blocks were decoded.
    pub fn decoded(&self) -> u64 {
        self.decoded.load(Ordering::Relaxed)
    }

    /// The block `key`, for the window `now`; `decode` makes it where it is not there, and may use the buffer it is
    /// handed. A block that another worker is decoding is waited for.
    ///
    /// # Errors
    /// What `decode` says.
    pub fn get(
        &self,
        (key, bytes): Asked,
        now: u64,
        decode: impl FnOnce(Option<Buffer>) -> Result<Block>,
    ) -> Result<Arc<Block>> {
        let mut state = self.lock();
        state.furthest = state.furthest.max(now);
        loop {
            match state.entries.get(&key) {
                Some(Entry::Ready { block, .. }) => {
                    let block = Arc::clone(block);
                    state.move_to(key, |_| now);
                    return Ok(block);
                }
                Some(Entry::InWork) => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                None => break,
            }
        }
        let work = self.begin(&mut state, (key, bytes), now);
        drop(state);
        let Work { spare, in_work } = work;
        Ok(in_work.finish(decode(spare)?))
    }

    /// The next `most` of these blocks that are neither there nor in work anywhere, each with what came with its key,
    /// to be decoded for the window `now` by the caller.
    pub(super) fn claim<T>(
        &self,
        blocks: &mut impl Iterator<Item = (Asked, T)>,
        most: usize,
        now: u64,
    ) -> Vec<(T, Work<'_>)> {
        let mut state = self.lock();
        let mut claimed = Vec::new();
        while claimed.len() < most
            && let Some((block, with)) = blocks.next()
        {
            if !state.entries.contains_key(&block.0) {
                claimed.push((with, self.begin(&mut state, block, now)));
            }
        }
        claimed
    }

    fn begin(&self, state: &mut State, (key, bytes): Asked, now: u64) -> Work<'_> {
        state.entries.insert(key, Entry::InWork);
        if state.spare.is_empty() && state.bytes + ENTRY_BYTES + bytes > self.limit() {
            state.remove_one(self.lag);
        }
        let spare = state.spare.pop();
        state.bytes -= spare.as_ref().map_or(0, |buffer| buffer.bytes().len());
        // The entry must go also when decoding fails or panics: others wait for it.
        Work { spare, in_work: InWork { cache: self, key, now, block: None } }
    }

    /// A worker begins this window.
    pub fn enter(&self, window: u64) {
        self.lock().windows_in_work.insert(window);
    }

    /// The window `now` is done with these blocks, each of which is wanted next by the window beside it.
    pub fn leave(&self, now: u64, blocks: impl Iterator<Item = (Key, u64)>) {
        let mut state = self.lock();
        state.windows_in_work.remove(&now);
        for (key, next) in blocks {
            let next = state.move_to(key, |left| {
                // A window that lags behind does not know what later ones are done with.
                *left = next.max(*left);
                *left
            });
            if next == Some(NEVER) {
                let last = state.parting.entry(key).or_default();
                *last = now.max(*last);
            }
        }
        state.part();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A block that is to be decoded, into `spare` if there is any.
pub(super) struct Work<'a> {
    pub spare: Option<Buffer>,
    pub in_work: InWork<'a>,
}

/// A block that this thread is decoding.
pub(super) struct InWork<'a> {
    cache: &'a BlockCache,
    key: Key,
    now: u64,
    block: Option<Arc<Block>>,
}

impl InWork<'_> {
    /// It is decoded.
    pub fn finish(mut self, block: Block) -> Arc<Block> {
        self.cache.decoded.fetch_add(1, Ordering::Relaxed);
        let block = Arc::new(block);
        self.block = Some(Arc::clone(&block));
        block
    }
}

impl Drop for InWork<'_> {
    fn drop(&mut self) {
        let mut state = self.cache.lock();
        state.entries.remove(&self.key);
        if let Some(block) = self.block.take() {
            state.insert(self.key, self.now, block);
            state.shrink(self.cache.limit(), self.cache.lag);
        }
        drop(state);
        self.cache.changed.notify_all();
    }
}

impl State {
    /// Changes when a block is wanted next, if it is there: `next` is handed what the windows left of it.
    fn move_to(&mut self, key: Key, next: impl FnOnce(&mut u64) -> u64) -> Option<u64> {
        let Some(Entry::Ready { next: place, left, .. }) = self.entries.get_mut(&key) else { return None };
        self.by_next.remove(place);
        place.0 = next(left);
        self.by_next.insert(*place, key);
        Some(place.0)
    }

    /// Removes the blocks that nobody wants any more.
    fn part(&mut self) {
        let oldest = self.windows_in_work.first().copied().unwrap_or(NEVER);
        let parted: Vec<Key> =
            self.parting.extract_if(|_, last| *last < oldest).map(|(key, _)| key).collect();
        for key in parted {
            // One that was asked for again in the meantime is left once more.
            if self
                .entries
                .get(&key)
                .is_some_and(|entry| matches!(entry, Entry::Ready { next: (NEVER, _), .. }))
            {
                self.remove(key);
            }
        }
    }

    fn insert(&mut self, key: Key, now: u64, block: Arc<Block>) {
        self.count += 1;
        self.bytes += bytes_of(&block);
        let next = (now, self.count);
        self.by_next.insert(next, key);
        self.entries.insert(key, Entry::Ready { block, next, left: 0 });
    }

    fn shrink(&mut self, limit: usize, lag: u64) {
        while self.bytes > limit {
            if let Some(buffer) = self.spare.pop() {
                self.bytes -= buffer.bytes().len();
            } else if !self.remove_one(lag) {
                return;
            }
        }
    }

    /// Removes the block that is wanted last; false when there is none.
    fn remove_one(&mut self, lag: u64) -> bool {
        // What was wanted by windows that are done was not wanted after all: other sources hid it.
        let past = self.furthest.saturating_sub(lag);
        let first = self.by_next.first_key_value().filter(|((next, _), _)| *next < past);
        let gone = first.or(self.by_next.last_key_value()).map(|(_, key)| *key);
        gone.is_some_and(|key| self.remove(key))
    }

    /// Removes a block, and keeps its memory if nobody else reads it.
    fn remove(&mut self, key: Key) -> bool {
        let Some(Entry::Ready { block, next, .. }) = self.entries.remove(&key) else { return false };
        self.by_next.remove(&next);
        self.bytes -= bytes_of(&block);
        if let Ok(Some(buffer)) = Arc::try_unwrap(block) {
            self.bytes += buffer.bytes().len();
            self.spare.push(buffer);
        }
        true
    }
}

/// What a block costs beside its pixels.
pub const ENTRY_BYTES: usize = 160;

/// What a block costs, its entry included.
fn bytes_of(block: &Block) -> usize {
    ENTRY_BYTES + block.as_ref().map_or(0, |buffer| buffer.bytes().len())
}

#[cfg(test)]
mod tests;
