//! How the work is cut and what it may cost: windows, their order, which sources touch them, and the budget.
//!
//! Pure: numbers in, numbers out.

mod budget;
mod overviews;
mod touching;
mod windows;

pub use budget::{Direct, Line, Needs, Plan, ThroughGdal, TooSmall, Verifying, plan};
pub use overviews::{Levels, Overviews};
pub use touching::Touching;
pub use windows::{Job, Jobs, WindowGrid};
