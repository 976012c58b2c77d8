//! The work itself: windows made by workers, stored in order, verified and reported.

mod isolated;
mod left_out;
pub mod memory;
mod pipeline;
pub mod progress;
mod pyramid;
pub mod report;
mod threads;
mod totals;
pub mod verify;
mod window;

pub use isolated::{Isolation, Program, RemoteInspector, Treatment, serve};
pub use left_out::LeftOut;
pub use pipeline::{Run, Sink, Work, run_jobs};
pub use pyramid::Pyramid;
pub use threads::{Stopped, in_parallel, in_parallel_with, step_by_step};
pub use totals::Totals;
pub use window::{Deciding, DerivedBands, FinishedPart, Shared, WindowMaker};
