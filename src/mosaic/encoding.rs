//! How the mosaic is stored.

use anyhow::Context;

use super::Failure;
use crate::codec::{Compression, Predictor, max_encoded_len};
use crate::config::{self, BigTiff, Format, Settings};
use crate::geometry::Size;
use crate::output::{Interleave, OutputBand, OutputSpec, check_pixel_type};
use crate::pixels::OverviewResampling;
use crate::plan::Overviews;
use crate::source::{Mosaic, MosaicBand, Problem};

/// How the mosaic is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoding {
    /// How blocks are compressed.
    pub compression: Compression,
    /// What is done to pixels before.
    pub predictor: Predictor,
    /// How hard the codec tries; its default when `None`.
    pub level: Option<i32>,
    /// Side of a block.
    pub block: usize,
    /// Whether each band has blocks of its own.
    pub bands_apart: bool,
    /// Whether it is a cloud optimized GeoTIFF.
    pub cloud_optimized: bool,
    /// Sizes of its overviews, the largest first.
    pub overviews: Vec<Size>,
    /// How they are made.
    pub overview_resampling: OverviewResampling,
    /// Whether the file can grow over 4 GiB.
    pub big: bool,
    /// Further creation options, for the header.
    pub passed_on: Vec<(String, String)>,
}

/// Blocks of all bands beyond this size (bytes of pixels) are a burden to every reader: the bands are stored apart.
const LARGEST_COMMON_BLOCK: usize = 8 << 20;

impl Encoding {
    /// What the settings ask for, and where they are silent what suits the mosaic. Never depends on budget or threads.
    ///
    /// # Errors
    /// What cannot be done with pixels of the mosaic's type.
    pub fn of(settings: &Settings, mosaic: &Mosaic) -> Result<Encoding, Failure> {
        let problems = |all: Vec<config::Problem>| {
            let of = |p: config::Problem| Problem { source: "--co".into(), message: p.message, hint: p.hint };
            Failure::Problems(all.into_iter().map(of).collect())
        };
        let options = settings.creation_options().map_err(problems)?;
        check_pixel_type(mosaic.pixel_type)
            .map_err(|error| Failure::Problems(vec![Problem::new("--dtype", error.to_string())]))?;
        let compression = settings.compression;
        let tag = settings.predictor_for(mosaic.pixel_type);
        if tag == 3 && !mosaic.pixel_type.is_float() {
            let message = format!("3 is for floats, and the output has {}", mosaic.pixel_type);
            let problem = Problem::new("--predictor", message).with_hint("take 2, or leave it out");
            return Err(Failure::Problems(vec![problem]));
        }
        let predictor = Predictor::from_tag(tag.into()).context("the predictor is not known")?;
        let block_bytes = settings.block * settings.block * mosaic.pixel_bytes();
        let cloud_optimized = settings.format == Format::Cog;
        let overviews = settings.overviews.clone().unwrap_or(match settings.format {
            Format::Cog => Overviews::Auto,
            Format::Gtiff => Overviews::None,
        });
        let overviews = overviews.sizes(mosaic.grid.size, settings.block, !cloud_optimized);
        let bands_apart = match options.interleave {
            Some(interleave) => interleave == config::Interleave::Band,
            None if cloud_optimized => false,
            None => block_bytes > LARGEST_COMMON_BLOCK,
        };
        let mut encoding = Encoding {
            compression,
            predictor,
            level: options.level(compression),
            block: settings.block,
            bands_apart: bands_apart && mosaic.bands.len() > 1,
            cloud_optimized,
            overviews,
            overview_resampling: overview_resampling(settings, mosaic)?,
            big: false,
            passed_on: options.passed_on,
        };
        encoding.big = match options.bigtiff {
            Some(BigTiff::Yes) => true,
            Some(BigTiff::No) => false,
            _ => encoding.largest_file(mosaic) >= 1 << 32,
        };
        Ok(encoding)
    }

    /// What should be known of the overviews that were asked for.
    pub fn note(&self, settings: &Settings) -> Option<String> {
        let Some(Overviews::Factors(factors)) = &settings.overviews else { return None };
        let lacking = factors.len() - self.overviews.len();
        (lacking > 0).then(|| {
            format!("--overviews: left out {lacking} of {}, as large as what they are made of", factors.len())
        })
    }

    /// The most bytes that the file can have.
    fn largest_file(&self, mosaic: &Mosaic) -> u64 {
        let blocks = mosaic.grid.size.tiles(Size::square(self.block)).pixels() as u64;
        let block = self.block * self.block;
        let image = max_encoded_len(self.compression, block * mosaic.pixel_bytes());
        const INDEX: usize = 16;
        const HEADER: u64 = 4 << 20;
        let overviews: usize =
            self.overviews.iter().map(|size| size.tiles(Size::square(self.block)).pixels()).sum();
        const FRAMES: usize = 16;
        let all = blocks + overviews as u64;
        all * (image + block / 8 + FRAMES + INDEX * (mosaic.bands.len() + 1)) as u64 + HEADER
    }

    /// What the file's header shall say.
    pub fn spec(&self, mosaic: &Mosaic) -> OutputSpec {
        let band = |band: &MosaicBand| OutputBand {
            description: band.carried.description.clone(),
            unit: band.carried.unit.clone(),
            scale: band.carried.scale,
            offset: band.carried.offset,
            color_interpretation: band.carried.color_interpretation.clone(),
            palette: band.carried.palette.clone(),
            categories: band.carried.categories.clone(),
            metadata: band.carried.metadata.clone(),
        };
        OutputSpec {
            grid: mosaic.grid,
            wkt: Some(mosaic.wkt.to_string()).filter(|wkt| !wkt.is_empty()),
            pixel_type: mosaic.pixel_type,
            bands: mosaic.bands.iter().map(band).collect(),
            metadata: mosaic.metadata.clone(),
            nodata: mosaic.nodata,
            mask: mosaic.mask,
            block: self.block,
            interleave: if self.bands_apart { Interleave::Band } else { Interleave::Pixel },
            compression: self.compression,
            predictor: self.predictor.tag(),
            big: self.big,
            overviews: self.overviews.clone(),
            cloud_optimized: self.cloud_optimized,
            extra_options: self.passed_on.clone(),
        }
    }
}

/// How overviews are made: as asked, or the most frequent colour of a palette and the mean of anything else.
fn overview_resampling(settings: &Settings, mosaic: &Mosaic) -> Result<OverviewResampling, Failure> {
    let palette = mosaic.bands.iter().any(|band| band.carried.palette.is_some());
    match settings.overview_resampling {
        Some(asked) if palette && asked.weighs() => {
            let message = format!("{asked} has no meaning for the colours of a palette");
            let problem = Problem::new("--overview-resampling", message).with_hint("take mode or nearest");
            Err(Failure::Problems(vec![problem]))
        }
        Some(asked) => Ok(asked),
        None if palette => Ok(OverviewResampling::Mode),
        None => Ok(OverviewResampling::Average),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::geometry::Bounds;
    use crate::pixels::PixelType;
    use crate::source::sample::{request, source};
    use crate::source::{Request, unify};

    /// A mosaic of one source with so many bands, stretched to `side`² pixels.
    fn mosaic(pixel_type: PixelType, bands: usize, side: f64) -> Mosaic {
        let bounds = Bounds { min_x: 0.0, min_y: 0.0, max_x: side, max_y: side };
        let asked = Request { bounds: Some(bounds), ..request() };
        unify(&[Arc::new(source("a", 0.0, pixel_type, bands))], &asked).0.expect("one source is a mosaic")
    }

    fn encoding(mosaic: &Mosaic, change: impl Fn(&mut Settings)) -> Encoding {
        let mut settings = Settings::default();
        change(&mut settings);
        Encoding::of(&settings, mosaic).unwrap_or_else(|failure| panic!("{failure:?}"))
    }

    #[test]
    fn the_encoding_depends_on_neither_budget_nor_threads_nor_windows() {
        for (pixel_type, bands) in [(PixelType::Byte, 1), (PixelType::UInt16, 30), (PixelType::Float32, 4)] {
            let mosaic = mosaic(pixel_type, bands, 20_000.0);
            let expected = encoding(&mosaic, |_| ());
            for (memory, threads, chunk) in [(128 << 20, 1, None), (64 << 30, 64, Some(4096))] {
                let other = encoding(&mosaic, |settings| {
                    (settings.memory, settings.threads, settings.chunk) = (memory, threads, chunk);
                });
                assert_eq!(other, expected);
            }
        }
    }

    #[test]
    fn bands_are_stored_apart_where_a_block_of_all_would_be_a_burden() {
        let apart = |bands, interleave: Option<&str>| {
            let mosaic = mosaic(PixelType::UInt16, bands, 1000.0);
            encoding(&mosaic, |settings| {
                let option = interleave.map(|value| ("INTERLEAVE".into(), value.into()));
                settings.creation_options.extend(option);
            })
            .bands_apart
        };
        assert!(!apart(16, None) && apart(17, None));
        assert!(apart(3, Some("BAND")) && !apart(40, Some("PIXEL")));
        assert!(!apart(1, Some("BAND")), "one band is not apart from any");
    }

    #[test]
    fn the_file_is_big_where_it_could_grow_over_4_gib() {
        let big =
            |side, change: &dyn Fn(&mut Settings)| encoding(&mosaic(PixelType::Byte, 1, side), change).big;
        assert!(!big(10_000.0, &|_| ()) && big(70_000.0, &|_| ()));
        assert!(big(10.0, &|settings| settings.creation_options.push(("BIGTIFF".into(), "YES".into()))));
    }

    #[test]
    fn the_predictor_of_floats_is_refused_for_whole_numbers() {
        let settings = Settings { predictor: Some(3), ..Settings::default() };
        assert!(Encoding::of(&settings, &mosaic(PixelType::Float32, 1, 10.0)).is_ok());
        let refused = Encoding::of(&settings, &mosaic(PixelType::UInt16, 1, 10.0));
        assert!(matches!(refused, Err(Failure::Problems(problems)) if problems[0].source == "--predictor"));
    }
}
