//! The running job.

pub mod progress;
