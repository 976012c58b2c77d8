//! What of an input says which of its pixels are there, beside nodata: an alpha band or a mask.

use anyhow::{Result, bail};
use gdal::Dataset;
use gdal::raster::ColorInterpretation;

/// The index of the band that is transparency.
pub(super) fn find_alpha(dataset: &Dataset) -> Result<Option<usize>> {
    let mut found = None;
    for (index, band) in dataset.rasterbands().enumerate() {
        if band?.color_interpretation() != ColorInterpretation::AlphaBand {
            continue;
        }
        if let Some(first) = found.replace(index) {
            let (first, second) = (first + 1, index + 1);
            bail!(
                "has two alpha bands, {first} and {second}: which one counts is not known; leave one out first: \
                 gdal_translate -b"
            );
        }
    }
    Ok(found)
}

/// Whether there is a mask beside the bands. One that would have to be judged otherwise than pixel by pixel for all
/// bands, by itself, is refused.
pub(super) fn find_mask(dataset: &Dataset, alpha: Option<usize>) -> Result<bool> {
    for (index, band) in dataset.rasterbands().enumerate() {
        let flags = band?.mask_flags()?;
        let shared = flags.is_all_valid() || flags.is_per_dataset() || flags.is_alpha() || flags.is_nodata();
        if !shared {
            bail!(
                "band {} has a mask of its own, and masks count for all bands together; drop it, or make it nodata, \
                 first: gdal_translate -mask none, gdal_calc.py",
                index + 1
            );
        }
    }
    let band = dataset.rasterband(1)?;
    let flags = band.mask_flags()?;
    if flags.is_nodata() && flags.is_per_dataset() {
        bail!(
            "has NODATA_VALUES, nodata of all bands together, and nodata is judged band by band; make it a mask first: \
             gdal_translate -mask mask"
        );
    }
    if !flags.is_per_dataset() || flags.is_alpha() {
        return Ok(false);
    }
    if let Some(alpha) = alpha {
        bail!(
            "has a mask beside its alpha band, {}; drop one of them first: gdal_translate -mask none, or -b for the \
             other bands",
            alpha + 1
        );
    }
    let (mask, raster) = (band.open_mask_band()?.size(), dataset.raster_size());
    if mask != raster {
        bail!(
            "has a mask of {}x{} pixels for {}x{}; is the .msk file that of another raster?",
            mask.0,
            mask.1,
            raster.0,
            raster.1
        );
    }
    Ok(true)
}
