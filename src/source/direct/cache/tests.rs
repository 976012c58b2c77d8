//! The cache gives the right blocks, within its bound, and decodes them about once.

use super::*;
use proptest::prelude::*;

fn block(value: u8) -> Result<Block> {
    Ok(Some(Buffer::Byte(vec![value; 1000])))
}

proptest! {
    #[test]
    fn whatever_is_asked_in_whatever_order_the_right_block_comes_and_the_bound_holds(
        asked in prop::collection::vec((0u8..20, 0u64..50, any::<Option<u8>>()), 1..200), limit in 0usize..10_000,
    ) {
        let cache = BlockCache::new(limit, 4);
        for &(key, now, next) in &asked {
            let found = cache.get(((0, key.into()), 1000), now, |_| block(key)).unwrap();
            prop_assert_eq!(found.as_ref().as_ref().unwrap().bytes()[0], key);
            let next = next.map_or(NEVER, |next| now + u64::from(next));
            cache.leave(now, std::iter::once(((0, key.into()), next)));
            let state = cache.lock();
            prop_assert!(state.bytes <= limit);
            prop_assert_eq!(state.entries.len(), state.by_next.len());
        }
    }
}

/// Reads blocks for windows as a mosaic does whose blocks lie across the seams of windows: each window wants its
/// own block and the one below it, which the row below wants again.
#[test]
fn a_cache_for_one_row_of_blocks_is_enough_where_each_row_of_windows_shares_one_with_the_next() {
    let (across, rows) = (10, 8);
    let cache = BlockCache::new((across as usize + 2) * (1000 + ENTRY_BYTES), 2);
    for window in 0..across * rows {
        for below in 0..2 {
            cache.get(((0, window + below * across), 1000), window, |_| block(0)).unwrap();
        }
        let done = [((0, window), NEVER), ((0, window + across), window + across)];
        cache.leave(window, done.into_iter());
    }
    assert_eq!(cache.decoded(), across * (rows + 1));
}

#[test]
fn a_cache_that_must_keep_less_lets_go_of_blocks_and_of_spare_memory() {
    let cache = BlockCache::new(10 * (1000 + ENTRY_BYTES), 2);
    for key in 0..10 {
        drop(cache.get(((0, key), 1000), 0, |_| block(0)).unwrap());
    }
    cache.leave(0, (0..5).map(|key| ((0, key), NEVER)));
    cache.keep_at_most(3 * (1000 + ENTRY_BYTES));
    let state = cache.lock();
    assert!(state.bytes <= 3 * (1000 + ENTRY_BYTES) && state.spare.is_empty());
    assert_eq!(state.entries.len(), 3);
}

#[test]
fn a_block_stays_until_the_windows_before_the_last_that_wants_it_are_done_too() {
    let cache = BlockCache::new(1 << 20, 2);
    let last = |window| {
        cache.get(((0, 0), 1000), window, |_| block(0)).unwrap();
        cache.leave(window, std::iter::once(((0, 0), NEVER)));
        cache.lock().entries.len()
    };
    [7, 8, 9].into_iter().for_each(|window| cache.enter(window));
    assert_eq!([last(9), last(7), last(8)], [1, 1, 0]);
    assert_eq!(cache.decoded(), 1);
}

#[test]
fn a_large_block_does_not_go_for_a_small_one_that_fits_beside_it() {
    let cache = BlockCache::new(2000 + 2 * ENTRY_BYTES, 2);
    let large = |_| Ok(Some(Buffer::Byte(vec![1; 1900])));
    cache.get(((0, 0), 1900), 0, large).unwrap();
    cache.get(((1, 0), 100), 0, |_| Ok(Some(Buffer::Byte(vec![2; 100])))).unwrap();
    cache.get(((0, 0), 1900), 1, large).unwrap();
    assert_eq!(cache.decoded(), 2);
}

#[test]
fn a_block_that_nobody_came_for_does_not_stay() {
    let cache = BlockCache::new(4 * (1000 + ENTRY_BYTES), 2);
    for window in 0..100u64 {
        // Wanted by the next window, which asks for others.
        cache.get(((0, window), 1000), window, |_| block(0)).unwrap();
        cache.leave(window, std::iter::once(((0, window), window + 1)));
    }
    assert!(cache.lock().by_next.keys().all(|(next, _)| *next > 90));
}

#[test]
fn workers_that_want_the_same_block_decode_it_once() {
    let cache = BlockCache::new(1 << 20, 4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for key in 0..50u8 {
                    let found = cache.get(((1, key.into()), 1000), 0, |_| block(key)).unwrap();
                    assert_eq!(found.as_ref().as_ref().unwrap().bytes()[0], key);
                }
            });
        }
    });
    assert_eq!(cache.decoded(), 50);
}

#[test]
fn a_block_that_cannot_be_decoded_is_an_error_each_time_and_blocks_nobody() {
    let cache = BlockCache::new(1 << 20, 4);
    for _ in 0..2 {
        assert!(cache.get(((0, 0), 1000), 0, |_| anyhow::bail!("damaged")).is_err());
    }
    assert!(cache.get(((0, 0), 1000), 0, |_| block(1)).is_ok());
}
