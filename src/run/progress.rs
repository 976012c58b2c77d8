//! What a running job tells about its progress; how it is shown is the caller's affair.

/// Hears how far the job is. Called by every worker, so it must be quick and must not fail.
pub trait Progress: Send + Sync {
    /// The job enters a stage, named as in the report: `inspect`, `plan`, `run`, `finish`, `verify`.
    fn stage(&self, name: &str);

    /// Windows are about to be made: how many, and how many bytes of pixels they are together.
    fn start(&self, windows: u64, bytes: u64);

    /// One window more is in the file, with so many bytes of pixels.
    fn window_done(&self, bytes: u64);

    /// The windows are done, or given up.
    fn finish(&self);

    /// Something worth telling that is no problem of its own.
    fn note(&self, text: &str);
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn stage(&self, _name: &str) {}
    fn start(&self, _windows: u64, _bytes: u64) {}
    fn window_done(&self, _bytes: u64) {}
    fn finish(&self) {}
    fn note(&self, _text: &str) {}
}
