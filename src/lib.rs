//! Raster mosaics of any size, fast, in a memory budget that is kept.
//!
//! The story of a job is [`mosaic::build`]: every input is inspected, all of them are unified to one mosaic, the work
//! is planned so that it fits into the budget, windows are read, composited and encoded by workers, the blocks are
//! appended in order, the file is verified, and only then gets its name.
//!
//! ```no_run
//! use mosaic_stream::config::Settings;
//! use mosaic_stream::mosaic::{self, Failure};
//! use mosaic_stream::pixels::Method;
//!
//! let settings = Settings {
//!     inputs: vec!["scenes/".into(), "more/*.tif".into()],
//!     output: "mosaic.tif".into(),
//!     method: Method::Mean.into(),
//!     memory: 2 << 30,
//!     ..Settings::default()
//! };
//! match mosaic::build_simply(&settings) {
//!     Ok(report) => println!("{} × {} pixels", report.grid.columns, report.grid.rows),
//!     Err(Failure::TooLittleMemory { least, .. }) => println!("{least} bytes would be enough"),
//!     Err(failure) => println!("there is no mosaic: {failure}"),
//! }
//! ```
//!
//! [`mosaic::build`] is the same with [`mosaic::Hooks`]: for progress, for a stop from outside, for a list of inputs on
//! stdin. [`mosaic::prepare`] decides everything and writes nothing. The library prints nothing and stores no report:
//! it returns a [`run::report::Report`] or a [`mosaic::Failure`]. It sets the process's GDAL to one thread a reader and
//! to the block cache of the plan, and tells the C heap to give back what is freed.
//!
//! Modules live on floors and import only from lower ones: `mosaic` and `config` above `run`, that above `source` and
//! `output` (the only ones that speak to GDAL), those above `plan`, and the pure ones, `geometry`, `pixels`, `codec` and
//! `container`, below all.

pub mod codec;
pub mod config;
pub mod container;
pub mod geometry;
pub mod mosaic;
pub mod output;
pub mod pixels;
pub mod plan;
pub mod run;
pub mod source;
