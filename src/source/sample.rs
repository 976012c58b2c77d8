//! Sources that no file has, for tests.

use std::sync::Arc;

use super::{Request, Source, SourceBand, Storage};
use crate::geometry::{Footprint, GeoTransform, Resolution, Size};
use crate::pixels::PixelType;

/// A north-up source without CRS, of 10 × 10 pixels of `pixel_type`, whose upper-left corner lies at `x`, 100.
pub(crate) fn source(name: &str, x: f64, pixel_type: PixelType, bands: usize) -> Source {
    let size = Size::square(10);
    let band = SourceBand {
        pixel_type,
        nodata: None,
        impossible_nodata: None,
        description: String::new(),
        unit: String::new(),
        scale: None,
        offset: None,
        color_interpretation: "Gray".into(),
        palette: None,
        categories: Vec::new(),
        metadata: Vec::new(),
    };
    let block_bytes = size.pixels() * pixel_type.bytes();
    let source = Source {
        is_virtual: false,
        name: name.into(),
        size,
        geotransform: GeoTransform([0.0; 6]),
        footprint: Footprint {
            bounds: GeoTransform([0.0; 6]).bounds(size),
            resolution: Resolution { x: 1.0, y: 1.0 },
            size,
            full_turn: None,
        },
        wkt: "".into(),
        bands: Arc::new(vec![band; bands]),
        mask: false,
        alpha: None,
        metadata: Arc::default(),
        storage: Storage {
            block: size,
            block_bytes,
            encoded_bytes: block_bytes,
            decoder_bytes: 0,
            all_bands_together: false,
        },
        direct: Err("it is no file"),
        stamp: None,
        companions: Arc::default(),
    };
    at(source, GeoTransform([x, 1.0, 0.0, 100.0, 0.0, -1.0]))
}

/// The same source at another place.
pub(crate) fn at(mut source: Source, geotransform: GeoTransform) -> Source {
    let resolution = Resolution { x: geotransform.0[1].abs(), y: geotransform.0[5].abs() };
    source.geotransform = geotransform;
    let bounds = geotransform.bounds(source.size);
    source.footprint = Footprint { bounds, resolution, size: source.size, full_turn: None };
    source
}

/// What is asked where nothing is.
pub(crate) fn request() -> Request {
    Request::default()
}
