//! What the process holds at one moment, and where.

use serde::Serialize;

/// What the process holds at one moment, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Holdings {
    /// In memory, as the system counts it.
    pub resident: u64,
    /// Pieces of the C heap in use, by GDAL and by this program; 0 where its heap does not tell.
    pub heap: u64,
    /// Pieces of the C heap that are free and not given back to the system.
    pub heap_spare: u64,
    /// Blocks in GDAL's cache, which are pieces of the heap too.
    pub gdal_cache: u64,
}

impl Holdings {
    /// As it is now.
    pub fn now() -> Holdings {
        let (heap, heap_spare) = heap();
        Holdings {
            resident: super::resident(),
            heap,
            heap_spare,
            gdal_cache: crate::source::gdal_cache_used(),
        }
    }

    /// Where most of the growth since `before` is, and how much that is.
    pub fn grown_most(&self, before: &Holdings) -> (&'static str, u64) {
        let other_pieces = |of: &Holdings| of.heap.saturating_sub(of.gdal_cache);
        let beyond_heap = |of: &Holdings| of.resident.saturating_sub(of.heap + of.heap_spare);
        let places = [
            ("GDAL's block cache", self.gdal_cache.saturating_sub(before.gdal_cache)),
            ("pieces of the C heap in use", other_pieces(self).saturating_sub(other_pieces(before))),
            ("free pieces of the C heap", self.heap_spare.saturating_sub(before.heap_spare)),
            ("stacks, libraries and mapped files", beyond_heap(self).saturating_sub(beyond_heap(before))),
        ];
        places.into_iter().max_by_key(|(_, bytes)| *bytes).expect("there are places")
    }
}

/// Bytes of the C heap in use, and those that are free.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn heap() -> (u64, u64) {
    // SAFETY: mallinfo2 only counts what the heap has.
    let info = unsafe { libc::mallinfo2() };
    ((info.uordblks + info.hblkhd) as u64, info.fordblks as u64)
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn heap() -> (u64, u64) {
    (0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allocated_is_held_by_the_heap() {
        let before = Holdings::now();
        let held = std::hint::black_box(vec![7_u8; 64 << 20]);
        let now = Holdings::now();
        let (place, bytes) = now.grown_most(&before);
        assert_eq!(place, "pieces of the C heap in use", "{before:?} {now:?}");
        // Other tests allocate and free beside this one.
        assert!(bytes > 32 << 20, "{bytes} of {}", held.len());
    }
}
