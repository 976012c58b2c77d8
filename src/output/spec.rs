//! What the output file shall be, as plain data.

use std::fmt;
use std::str::FromStr;

use crate::codec::Compression;
use crate::geometry::{Grid, Size};
use crate::pixels::{Number, PixelType, named_values};

named_values! {
    /// How the bands of a pixel are stored.
    Interleave, "interleave" {
        /// Side by side: a block holds all bands.
        Pixel => "pixel",
        /// Apart: each band has blocks of its own.
        Band => "band",
    }
}

/// Everything that is said about the output before its first pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputSpec {
    /// Its place and size.
    pub grid: Grid,
    /// Its CRS as WKT; none is written otherwise.
    pub wkt: Option<String>,
    /// The type of all its pixels.
    pub pixel_type: PixelType,
    /// Its bands, at least one.
    pub bands: Vec<OutputBand>,
    /// Metadata of the whole file: names and values.
    pub metadata: Vec<(String, String)>,
    /// The value that means "no data", in every band.
    pub nodata: Option<Number>,
    /// Whether it has a 1-bit mask for all bands, kept inside.
    pub mask: bool,
    /// Side of its square blocks in pixels, a multiple of 16.
    pub block: usize,
    /// How the bands of a pixel are stored.
    pub interleave: Interleave,
    /// How blocks are compressed.
    pub compression: Compression,
    /// TIFF's predictor: 1 none, 2 differences, 3 floating point. Not without compression.
    pub predictor: u16,
    /// Whether it is a BigTIFF, which may be larger than 4 GiB.
    pub big: bool,
    /// Sizes of its overviews, the largest first.
    pub overviews: Vec<Size>,
    /// Whether it is a cloud optimized GeoTIFF: overviews before the image, and every block between its size and
    /// the last four of its bytes.
    pub cloud_optimized: bool,
    /// Further creation options of GDAL's GTiff driver. Those that follow from the fields above are refused.
    pub extra_options: Vec<(String, String)>,
}

/// Everything that is said about one band.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OutputBand {
    /// Its name; empty: none.
    pub description: String,
    /// The unit of its values, once scaled; empty: none.
    pub unit: String,
    /// Value = stored · scale + offset.
    pub scale: Option<f64>,
    /// See `scale`.
    pub offset: Option<f64>,
    /// GDAL's name of what it shows: "Red", "Alpha", "Palette", "Undefined", …; empty: undefined.
    pub color_interpretation: String,
    /// Red, green, blue, alpha of each value.
    pub palette: Option<Vec<[i16; 4]>>,
    /// The name of each value; GDAL keeps them in a side file.
    pub categories: Vec<String>,
    /// Its metadata: names and values.
    pub metadata: Vec<(String, String)>,
}

impl OutputSpec {
    /// The creation options of GDAL's GTiff driver that make this file.
    ///
    /// # Errors
    /// The name of an extra option that contradicts the fields.
    pub(super) fn creation_options(&self) -> Result<Vec<(String, String)>, String> {
        let block = self.block.to_string();
        let mut options = vec![
            ("SPARSE_OK", "YES".to_owned()),
            ("TILED", "YES".to_owned()),
            ("BLOCKXSIZE", block.clone()),
            ("BLOCKYSIZE", block),
            ("COMPRESS", self.compression.name().to_uppercase()),
            ("INTERLEAVE", self.interleave.name().to_uppercase()),
            ("BIGTIFF", if self.big { "YES" } else { "NO" }.to_owned()),
            ("ENDIANNESS", "LITTLE".to_owned()),
            ("PHOTOMETRIC", if self.is_rgb() { "RGB" } else { "MINISBLACK" }.to_owned()),
            ("ALPHA", if self.first_extra_is_alpha() { "YES" } else { "NO" }.to_owned()),
        ];
        if self.compression != Compression::None {
            options.push(("PREDICTOR", self.predictor.to_string()));
        }
        const DECIDED: [&str; 5] =
            ["PREDICTOR", "NBITS", "STREAMABLE_OUTPUT", "PIXELTYPE", "COPY_SRC_OVERVIEWS"];
        for (name, _) in &self.extra_options {
            let decided = options.iter().map(|(taken, _)| taken).chain(&DECIDED);
            if decided.into_iter().any(|taken| taken.eq_ignore_ascii_case(name)) {
                return Err(name.clone());
            }
        }
        let own = options.into_iter().map(|(name, value)| (name.to_owned(), value));
        Ok(own.chain(self.extra_options.iter().cloned()).collect())
    }

    fn shows(&self, band: usize, what: &str) -> bool {
        self.bands.get(band).is_some_and(|band| band.color_interpretation == what)
    }

    fn is_rgb(&self) -> bool {
        self.shows(0, "Red") && self.shows(1, "Green") && self.shows(2, "Blue")
    }

    /// TIFF's extra samples are those behind gray or RGB; GDAL's ALPHA option speaks of the first.
    fn first_extra_is_alpha(&self) -> bool {
        self.shows(if self.is_rgb() { 3 } else { 1 }, "Alpha")
    }
}
