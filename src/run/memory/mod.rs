//! What the process holds, as the system counts it, and the C heap's part in it.

mod ceiling;
mod growth;
mod holdings;

pub use ceiling::{Exhausted, Watch, watched};
pub use growth::{Drift, Growth, Sample};
pub use holdings::Holdings;

/// Bytes of the process in memory now.
pub fn resident() -> u64 {
    status("VmRSS:")
}

/// The most bytes that the process had in memory at once.
pub fn peak_resident() -> u64 {
    status("VmHWM:")
}

/// Bytes of the address space that the process has mapped.
pub fn address_space() -> u64 {
    status("VmSize:")
}

/// A figure of `/proc/self/status`, in bytes; 0 where there is none.
fn status(key: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

/// Makes the C heap give back what is freed: few arenas, and large pieces taken from the system one by one.
///
/// Without it glibc keeps an arena a thread and raises its threshold for large pieces as they are freed, so that
/// freed windows stay in the process.
pub fn prepare_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt takes two numbers and changes the allocator's settings; it may be called at any time.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
        libc::mallopt(libc::M_MMAP_THRESHOLD, 4 << 20);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 8 << 20);
    }
}

/// Gives freed pieces of the C heap back to the system.
pub fn trim_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim only releases memory that nobody holds.
    unsafe {
        libc::malloc_trim(0);
    }
}
