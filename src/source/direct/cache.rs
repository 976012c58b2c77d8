//! Decoded source blocks, shared by all workers and bounded in bytes: windows and source blocks do not align, and a
//! block that several windows need shall be decoded about once.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::Result;

use crate::pixels::Buffer;

/// A block of a source: the source's index, and the block's place in the file's arrays.
pub type Key = (u32, u64);

/// A decoded block; `None` where the file holds none, which reads as nodata or zero.
pub type Block = Option<Buffer>;

/// The cache. Blocks that were used longest ago go first, which suits windows that run row by row.
pub struct BlockCache {
    limit: usize,
    state: Mutex<State>,
    changed: Condvar,
    decoded: AtomicU64,
}

#[derive(Default)]
struct State {
    entries: HashMap<Key, Entry>,
    /// Blocks that are ready, by when they were used last.
    by_use: BTreeMap<u64, Key>,
    uses: u64,
    bytes: usize,
    /// Memory of a block that went, for the next one.
    spare: Option<Buffer>,
}

enum Entry {
    InWork,
    Ready { block: Arc<Block>, used: u64 },
}

impl BlockCache {
    /// An empty cache that keeps at most `limit` bytes.
    pub fn new(limit: usize) -> BlockCache {
        BlockCache { limit, state: Mutex::default(), changed: Condvar::new(), decoded: AtomicU64::new(0) }
    }

    /// How many blocks were decoded.
    pub fn decoded(&self) -> u64 {
        self.decoded.load(Ordering::Relaxed)
    }

    /// The block `key`; `decode` makes it where it is not there, and may use the buffer it is handed. A block that
    /// another worker is decoding is waited for.
    ///
    /// # Errors
    /// What `decode` says.
    pub fn get(&self, key: Key, decode: impl FnOnce(Option<Buffer>) -> Result<Block>) -> Result<Arc<Block>> {
        let mut state = self.lock();
        loop {
            match state.entries.get(&key) {
                Some(Entry::Ready { .. }) => return Ok(state.used(key)),
                Some(Entry::InWork) => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                None => break,
            }
        }
        state.entries.insert(key, Entry::InWork);
        let spare = state.spare.take();
        drop(state);
        // The entry must go also when decoding fails or panics: others wait for it.
        let in_work = InWork { cache: self, key, block: None };
        in_work.finish(decode(spare)?)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A block that this thread is decoding.
struct InWork<'a> {
    cache: &'a BlockCache,
    key: Key,
    block: Option<Arc<Block>>,
}

impl InWork<'_> {
    fn finish(mut self, block: Block) -> Result<Arc<Block>> {
        self.cache.decoded.fetch_add(1, Ordering::Relaxed);
        let block = Arc::new(block);
        self.block = Some(Arc::clone(&block));
        Ok(block)
    }
}

impl Drop for InWork<'_> {
    fn drop(&mut self) {
        let mut state = self.cache.lock();
        state.entries.remove(&self.key);
        if let Some(block) = self.block.take() {
            state.insert(self.key, block);
            state.shrink(self.cache.limit);
        }
        drop(state);
        self.cache.changed.notify_all();
    }
}

impl State {
    fn used(&mut self, key: Key) -> Arc<Block> {
        self.uses += 1;
        let now = self.uses;
        let Some(Entry::Ready { block, used }) = self.entries.get_mut(&key) else {
            unreachable!("only asked for blocks that are ready")
        };
        let before = std::mem::replace(used, now);
        let block = Arc::clone(block);
        self.by_use.remove(&before);
        self.by_use.insert(now, key);
        block
    }

    fn insert(&mut self, key: Key, block: Arc<Block>) {
        self.uses += 1;
        self.bytes += bytes_of(&block);
        self.by_use.insert(self.uses, key);
        self.entries.insert(key, Entry::Ready { block, used: self.uses });
    }

    fn shrink(&mut self, limit: usize) {
        while self.bytes > limit {
            let Some((_, key)) = self.by_use.pop_first() else { return };
            if let Some(Entry::Ready { block, .. }) = self.entries.remove(&key) {
                self.bytes -= bytes_of(&block);
                if let Ok(Some(buffer)) = Arc::try_unwrap(block) {
                    self.spare = Some(buffer);
                }
            }
        }
    }
}

/// What a block costs beside its pixels.
pub const ENTRY_BYTES: usize = 160;

/// What a block costs, its entry included.
fn bytes_of(block: &Block) -> usize {
    ENTRY_BYTES + block.as_ref().map_or(0, |buffer| buffer.bytes().len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block(value: u8) -> Result<Block> {
        Ok(Some(Buffer::Byte(vec![value; 1000])))
    }

    proptest! {
        #[test]
        fn whatever_is_asked_in_whatever_order_the_right_block_comes_and_the_bound_holds(
            asked in prop::collection::vec(0u8..20, 1..200), limit in 0usize..10_000,
        ) {
            let cache = BlockCache::new(limit);
            for &key in &asked {
                let found = cache.get((0, key.into()), |_| block(key)).unwrap();
                prop_assert_eq!(found.as_ref().as_ref().unwrap().bytes()[0], key);
                prop_assert!(cache.lock().bytes <= limit);
            }
        }
    }

    #[test]
    fn workers_that_want_the_same_block_decode_it_once() {
        let cache = BlockCache::new(1 << 20);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for key in 0..50u8 {
                        let found = cache.get((1, key.into()), |_| block(key)).unwrap();
                        assert_eq!(found.as_ref().as_ref().unwrap().bytes()[0], key);
                    }
                });
            }
        });
        assert_eq!(cache.decoded(), 50);
    }

    #[test]
    fn a_block_that_cannot_be_decoded_is_an_error_each_time_and_blocks_nobody() {
        let cache = BlockCache::new(1 << 20);
        for _ in 0..2 {
            assert!(cache.get((0, 0), |_| anyhow::bail!("damaged")).is_err());
        }
        assert!(cache.get((0, 0), |_| block(1)).is_ok());
    }
}
