//! What the behaviour tests share: a temporary folder in which the program and GDAL's own tools run, a builder of
//! small rasters, and a reader of what came out.

// Every test file is a program of its own and uses only some of this.
#![allow(dead_code, unused_imports)]

mod folder;
mod noise;
mod raster;
mod source;
mod tiff;
pub mod waiting;

pub use folder::{Folder, Outcome};
pub use noise::{Numbers, write_overlapping};
pub use raster::Raster;
pub use source::{Color, Source, pixel_type_nodata, pixel_types, pixel_value, random, value_range};
pub use tiff::{Field, Tiff};

/// Seven decimals of agreement, enough to tell grids apart and blind to how a text was rounded.
pub fn assert_close(found: &[f64], wanted: &[f64]) {
    let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-7 * b.abs().max(1.0);
    assert!(
        found.len() == wanted.len() && found.iter().zip(wanted).all(close),
        "found {found:?}, wanted {wanted:?}"
    );
}

/// Compares pixel by pixel, NaN equal to NaN, and names the first pixels that differ instead of printing all.
pub fn assert_same_pixels(found: &[f64], wanted: &[f64], width: usize, what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}: number of pixels");
    let differs = |index: &usize| {
        let (a, b) = (found[*index], wanted[*index]);
        a != b && !(a.is_nan() && b.is_nan())
    };
    let differing: Vec<usize> = (0..found.len()).filter(differs).collect();
    let first: Vec<String> = differing
        .iter()
        .take(5)
        .map(|&i| format!("column {} row {}: {} instead of {}", i % width, i / width, found[i], wanted[i]))
        .collect();
    assert!(differing.is_empty(), "{what}: {} pixels differ, such as {}", differing.len(), first.join("; "));
}

/// Compares grids, types, all pixels of all bands, and where they are valid.
pub fn assert_same_rasters(found: &Raster, wanted: &Raster, what: &str) {
    assert_eq!((found.size(), found.bands), (wanted.size(), wanted.bands), "{what}");
    assert_close(&found.geotransform(), &wanted.geotransform());
    for band in 1..=wanted.bands {
        let what = format!("{what}, band {band}");
        assert_eq!(found.pixel_type(band), wanted.pixel_type(band), "{what}");
        assert_same_pixels(&found.pixels(band), &wanted.pixels(band), wanted.width, &what);
        assert!(found.mask(band) == wanted.mask(band), "{what}: validity differs");
    }
}
