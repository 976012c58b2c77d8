//! The work itself: windows made by workers, stored in order, verified and reported.

pub mod memory;
mod pipeline;
pub mod progress;
mod pyramid;
pub mod report;
mod totals;
pub mod verify;
mod window;

pub use pipeline::{Run, Sink, Stopped, Work, in_parallel, run_jobs};
pub use pyramid::Pyramid;
pub use totals::Totals;
pub use window::{Shared, WindowMaker};
