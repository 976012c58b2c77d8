//! Work that is compiled twice: for any machine, and for those that handle twice as many pixels at once.

/// Loops over pixels without state. Whatever [`Work::run`] calls is `#[inline(always)]`, so that all of it is
/// compiled anew for the wider instructions.
pub(super) trait Work {
    /// Does it.
    fn run(self);
}

/// Does the work with the widest instructions that the machine knows. The numbers are the same, since nothing is
/// summed in another order and nothing is contracted.
pub(super) fn run_widest(work: impl Work) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the machine has just said that it knows these instructions.
        return unsafe { run_wide(work) };
    }
    work.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn run_wide(work: impl Work) {
    work.run();
}
