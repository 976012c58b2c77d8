//! A ceiling over the memory of a child, which the system keeps.

use std::io;

use anyhow::{Context, Result};

use crate::run::memory;

/// What a child takes beside the plan: parts of libraries that are mapped on first use, and what the C heap asks for in
/// advance. It is address space, most of which is never touched.
const MARGIN: u64 = 128 << 20;

/// Limits the address space of this process to what it has now, the plan's bytes and a fifth, and [`MARGIN`]. With one
/// thread, and large pieces of the heap given back one by one, address space follows what is in memory. Returns the
/// bytes that may still be taken.
///
/// # Errors
/// When the system does not allow it.
pub fn lower(bytes: u64) -> Result<u64> {
    let room = bytes + bytes / 5 + MARGIN;
    #[cfg(target_os = "linux")]
    {
        let limit = memory::address_space() + room;
        let mut limits = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: both calls read or write the structure that is handed over, and nothing else.
        let told = unsafe {
            libc::getrlimit(libc::RLIMIT_AS, &mut limits);
            limits.rlim_cur = limits.rlim_cur.min(limit);
            limits.rlim_max = limits.rlim_max.min(limit);
            libc::setrlimit(libc::RLIMIT_AS, &limits)
        };
        if told != 0 {
            return Err(io::Error::last_os_error()).context("limit the memory of a child process");
        }
    }
    Ok(room)
}

/// Whether a text, of GDAL or of whoever ended a process, tells that memory could not be had: Rust's allocator ("memory
/// allocation of … failed"), the C++ library ("std::bad_alloc"), GDAL ("Out of memory", "Cannot allocate").
pub fn tells_of_no_memory(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["memory allocation of", "bad_alloc", "out of memory", "cannot allocate", "not enough memory"]
        .iter()
        .any(|words| text.contains(words))
}
