//! From what people have on disk to scenes: for each acquisition, which file and band is which band asked for.
//!
//! A scene is
//! - a product of Sentinel-2: a `.SAFE` folder, also below other folders, or its archive;
//! - a folder with a file a band, or with one of several bands and its masks: the bands asked for are found by the
//!   names of its files, or by what these say of their bands;
//! - any other single file, its bands found by their descriptions or numbers;
//! - the files that `--scene-pattern` puts together;
//! - an item of a STAC document.
//!
//! Files of one folder belong together however they are named, one by one or by their folder.
//!
//! ```text
//! inputs ─▶ candidates ─▶ for each: details ─▶ wanted? ─▶ bands ─▶ all together: order
//!           names,        safe, landsat,       keep       shelf,
//!           pattern,      dates, stac                     assets
//!           stac
//! ```

mod assets;
mod band_names;
mod beside;
mod candidates;
mod dates;
mod details;
mod document;
mod hrefs;
mod keep;
mod landsat;
pub mod pattern;
mod picks;
mod resolved;
mod search;
mod sentinel2;
mod shelf;
pub mod stac;
mod unused;

use std::io::BufRead;

use super::{Problem, Trust};
pub use dates::Date;
pub use details::Baseline;
pub use search::{Outcome, Search};

/// What is asked of the scenes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// The bands, by name: `B04` (`B04.tif`, `x_B04.tif`, `x_B04_10m.jp2`, a band described as B04, an asset's key or
    /// its band's name or colour), `bands:3` (the third band of `bands.tif`), `bands` (all of them), `3` (the third
    /// band of a scene's only file). None asked for: all bands of scenes of one file.
    pub bands: &'a [String],
    /// The band that tells which pixels are good.
    pub mask_band: Option<&'a str>,
    /// Puts files together to scenes: a regular expression with groups named scene, band, date.
    pub pattern: Option<&'a str>,
    /// A STAC document whose items are scenes too: a path or an address.
    pub stac: Option<&'a str>,
    /// The first day wanted.
    pub from: Option<Date>,
    /// The last day wanted.
    pub to: Option<Date>,
    /// The most clouds wanted, in percent of the scene.
    pub max_cloud: Option<f64>,
    /// The order of the scenes.
    pub order: Order,
    /// What else needs the date of each scene, as it was asked for.
    pub dated_for: Option<&'a str>,
    /// What documents and files may refer to.
    pub trust: Trust<'a>,
    /// Whether scenes with a problem are left out; else it is the job's.
    pub skip: bool,
}

impl Asked<'_> {
    /// The bands and the mask.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.bands.iter().map(String::as_str).chain(self.mask_band)
    }
}

/// The order of scenes; equal ones stay as given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// As the inputs are given: folders sorted by path, items of STAC last.
    #[default]
    Given,
    /// The earliest first.
    Date,
    /// The latest first.
    DateDescending,
    /// The clearest first.
    Cloud,
}

/// One band of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BandFile {
    /// The name by which GDAL opens the file.
    pub file: String,
    /// The band's number, from 1. Whether the file has it is known only where the file had to be opened.
    pub band: usize,
}

/// The sources of one acquisition.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scene {
    /// The path of its folder, product or file, the identifier of its item, or what the pattern found.
    pub name: String,
    /// The day of acquisition. A file whose whole name is a year or a month (`1985.tif`) is of its first day.
    pub date: Option<Date>,
    /// Clouded part, in percent.
    pub cloud: Option<f64>,
    /// The processing baseline of Sentinel-2: `04.00` is `(4, 0)`.
    pub baseline: Option<Baseline>,
    /// What is to be added to a reflectance as it is stored, before it is scaled: BOA_ADD_OFFSET, -1000 for Sentinel-2
    /// from baseline 04.00 on; 0 where there is nothing to add, `None` where the metadata do not tell.
    pub offset: Option<f64>,
    /// Its bands, in the order of [`Found::band_names`].
    pub bands: Vec<BandFile>,
    /// The band that tells which pixels are good.
    pub mask: Option<BandFile>,
}

/// The scenes, all with the same bands.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// At least one, in the order asked for.
    pub scenes: Vec<Scene>,
    /// The bands' names: as asked for, or, where one name stands for several bands, what describes each.
    pub band_names: Vec<String>,
    /// Of each band, whether it holds reflectances, which the scenes' offsets apply to.
    pub reflectance: Vec<bool>,
    /// Scenes that are not wanted or cannot be used, and why.
    pub left_out: Vec<Problem>,
    /// What should be known.
    pub notices: Vec<String>,
}

/// Finds the scenes of the inputs (see [`names::expand`](super::names::expand)), one after the other; with a
/// [`Search`] many can be looked into at once.
///
/// # Errors
/// Every problem of inputs and scenes: nothing found, missing bands by scene, several files for one band, documents
/// that cannot be read, a date or cloud cover that is needed but not known.
pub fn find(inputs: &[String], asked: &Asked, stdin: impl BufRead) -> Result<Found, Vec<Problem>> {
    let search = Search::new(inputs, asked, stdin);
    let outcomes = (0..search.count()).map(|index| search.resolve(index)).collect();
    search.finish(outcomes)
}

#[cfg(test)]
mod tests;
