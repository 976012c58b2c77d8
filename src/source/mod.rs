//! Rasters in, through GDAL: what an input is, where it lies, and its pixels on the mosaic's grid.

mod alike;
mod answers;
mod calls;
mod crs;
mod describe;
pub mod direct;
mod file;
mod finished;
mod folder;
mod globs;
mod handle;
mod identify;
mod inspect;
pub mod inspection;
pub mod names;
mod network;
mod open;
mod pixels;
mod place;
mod problem;
pub mod reference;
mod references;
#[cfg(test)]
pub(crate) mod sample;
pub mod scenes;
pub mod sharing;
mod stamp;
mod text;
mod transparency;
pub mod trap;
mod trust;
mod unify;
mod warp;
mod watch;
mod xml;

pub use alike::Model;
pub use crs::{CrsGroups, is_same as same_crs, metres_per_unit, resolve as resolve_crs};
pub use describe::{Source, SourceBand, Storage};
pub use file::FileReader;
pub use finished::Finished;
pub use handle::Handle;
pub use inspect::{Inspected, Inspector, inspect};
pub use network::{Patience, usual_retries};
pub use open::{gdal_cache_used, gdal_knows_int8, gdal_version, prepare_gdal, set_gdal_cache};
pub use pixels::Pixels;
pub use place::Placement;
pub use problem::Problem;
pub use stamp::{Companion, Stamp};
pub use trust::Trust;
pub use unify::{
    Beside, Compiled, Conflict, DeriveRequest, Derived, Mosaic, MosaicBand, PlacedSource, ReaderChoice,
    Request, Role, SceneFile, SceneSources, Score, ScoreRequest, StackRequest, Stacked, StackedScene, unify,
    unify_scenes,
};
pub use warp::Warp;
pub use watch::watch_reading;
