//! The mosaic to be made: its grid, its bands, and where each source lies in it.

use std::sync::Arc;

use super::{Derived, Stacked, types};
use crate::geometry::{Grid, Window};
use crate::pixels::{BandRule, Method, Number, PixelType, Resampling};
use crate::plan::{Jobs, Touching, WindowGrid};
use crate::source::{Placement, Source, SourceBand, Warp};

/// The mosaic to be made: everything that decides its pixels.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Mosaic {
    /// Its pixel grid.
    pub grid: Grid,
    /// Its CRS as WKT, empty for none.
    #[serde(with = "crate::source::sharing")]
    pub wkt: Arc<str>,
    /// The type in which sources are read and compared.
    pub working_type: PixelType,
    /// The type of its pixels.
    pub pixel_type: PixelType,
    /// Its bands.
    pub bands: Vec<MosaicBand>,
    /// How they come from those that are decided, where they are not these.
    pub derived: Option<Derived>,
    /// Its nodata value.
    pub nodata: Option<Number>,
    /// Whether a mask says which pixels are valid.
    pub mask: bool,
    /// Opacity of pixels of sources without transparency, when the mosaic has a band for it (the last).
    pub opaque: Option<Number>,
    /// How overlaps are decided.
    pub method: Method,
    /// The same as it was typed.
    pub method_name: String,
    /// The scenes, where pixels are decided from all of them together.
    pub stack: Option<Stacked>,
    /// Nodata of all sources, whatever they say.
    pub source_nodata: Option<Number>,
    /// Metadata on which all sources agree.
    pub metadata: Vec<(String, String)>,
    /// The sources in the order in which they are composited: for `first` and `last` the top one first. Those of
    /// scenes' masks stand behind all others.
    pub sources: Vec<PlacedSource>,
}

/// A band of the mosaic.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct MosaicBand {
    /// How it is decided.
    pub rule: BandRule,
    /// The value where no source has data.
    pub background: Number,
    /// What the sources say of it, and agree on.
    pub carried: SourceBand,
}

/// A source, and where in the mosaic it lies.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct PlacedSource {
    /// The source.
    #[serde(with = "crate::source::sharing")]
    pub source: Arc<Source>,
    /// The mosaic's pixels that it touches; `None` when it lies outside.
    pub window: Option<Window>,
    /// How its pixels come there.
    pub placement: Placement,
    /// How pixels between its pixels are made.
    pub resampling: Resampling,
    /// How it is warped, where it is.
    pub warp: Option<Warp>,
    /// What it is read for.
    pub role: Role,
    /// The first of the mosaic's sources that is the same file: its decoded blocks are this one's.
    pub file: usize,
    /// The index, in the source, of each band that is read.
    #[serde(with = "crate::source::sharing")]
    pub bands: Arc<[usize]>,
    /// Nodata of those bands.
    #[serde(with = "crate::source::sharing")]
    pub nodata: Arc<[Option<Number>]>,
    /// Whether its blocks are read without GDAL.
    pub direct: bool,
}

/// What a source is read for.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Role {
    /// The mosaic's bands, of each band read the index.
    Bands(#[serde(with = "crate::source::sharing")] Arc<[usize]>),
    /// A scene's mask.
    Mask,
}

impl Mosaic {
    /// Nodata of each band of a source: what was asked for, or what it says.
    pub fn nodata_of(&self, source: &Source) -> Vec<Option<Number>> {
        let zero = self.stack.as_ref().is_some_and(|stack| stack.asked.zero_is_nodata);
        types::source_nodata(source, self.source_nodata, zero)
    }

    /// Nodata of each band of a source as it is read here: a mask's values are never nodata.
    pub fn nodata_read(&self, placed: &PlacedSource) -> Vec<Option<Number>> {
        match placed.role {
            Role::Bands(_) => self.nodata_of(&placed.source),
            Role::Mask => vec![None; placed.source.bands.len()],
        }
    }

    /// Side of the squares in which resampled pixels are made: an output block's, or less where many scenes' pixels
    /// would not fit beside each other. It depends on nothing but the mosaic, since it may change a pixel.
    pub fn unit(&self, block: usize) -> usize {
        const MOST: usize = 32 << 20;
        const LEAST: usize = 128;
        let of_scene = |bands: usize| block * block * (bands * self.working_type.bytes() + 1);
        match &self.stack {
            Some(stack) if stack.scenes.len() * of_scene(stack.bands) > MOST => block.min(LEAST),
            _ => block,
        }
    }

    /// The bands that are decided from the sources, and their type.
    pub fn decided(&self) -> (&[MosaicBand], PixelType) {
        match &self.derived {
            Some(derived) => (&derived.bands, derived.pixel_type),
            None => (&self.bands, self.pixel_type),
        }
    }

    /// The rules of the bands that are decided.
    pub fn rules(&self) -> Vec<BandRule> {
        self.decided().0.iter().map(|band| band.rule).collect()
    }

    /// The windows that have something to do: those that sources touch; all of them where a block that is left out, and
    /// so reads as nodata in all bands, would not be transparent.
    pub fn jobs(&self, grid: WindowGrid, touching: &Touching) -> Jobs {
        let implicit = self.nodata.map_or(0.0, Number::to_f64);
        let is_implicit = |band: &MosaicBand| {
            !matches!(band.rule, BandRule::Alpha(_)) || band.background.to_f64() == implicit
        };
        match self.bands.iter().all(is_implicit) {
            true => Jobs::new(grid, touching),
            false => {
                Jobs::new(grid, &Touching::new(&grid, std::iter::once(Some(Window::whole(self.grid.size)))))
            }
        }
    }

    /// Bytes of one pixel of all bands in the output.
    pub fn pixel_bytes(&self) -> usize {
        self.bands.len() * self.pixel_type.bytes()
    }
}
