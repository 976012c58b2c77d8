//! Bands that a factor multiplies, and that stay otherwise what they were.

use super::derived::Output;
use super::{MosaicBand, Unifier};
use crate::pixels::{BandRule, Formula};
use crate::source::SourceBand;

impl Unifier<'_> {
    /// The factor, where it is all that is computed of the bands.
    pub(super) fn factor_alone(&self) -> Option<f64> {
        self.request.derive.factor.filter(|_| self.request.derive.formulas.is_empty())
    }

    /// What the factor makes of the bands `decided`: what is known of them holds on, as far as it is true of the
    /// values that are `computed`, and transparency stays as it is.
    pub(super) fn of_factor(&mut self, factor: f64, decided: &Output, computed: Output) -> Output {
        let has_alpha = decided.bands.iter().any(is_alpha);
        let band = |(index, (known, computed)): (usize, (&MosaicBand, MosaicBand))| match is_alpha(known) {
            true => known.clone(),
            false => {
                let carried = multiplied(known.carried.clone(), factor, index, &mut self.warnings);
                MosaicBand { carried, ..computed }
            }
        };
        let bands = decided.bands.iter().zip(computed.bands).enumerate().map(band).collect();
        // A mask would say nothing beside transparency; what has no data in a single band only nodata tells.
        let nodata =
            computed.nodata.or(decided.nodata.filter(|value| has_alpha && value.fits(computed.pixel_type)));
        Output { bands, pixel_type: computed.pixel_type, nodata, mask: computed.mask && !has_alpha }
    }
}

/// Formulas that multiply each band of colour, and give transparency as it is.
pub(super) fn multiply_each(bands: &[MosaicBand], factor: f64) -> Vec<Formula> {
    let of = |(index, band): (usize, &MosaicBand)| {
        let values = Formula::of_band(index, &band.carried.description);
        if is_alpha(band) { values } else { values.times(factor) }
    };
    bands.iter().enumerate().map(of).collect()
}

fn is_alpha(band: &MosaicBand) -> bool {
    matches!(band.rule, BandRule::Alpha(_))
}

/// What is known of a band (its index counts from 0) whose values were multiplied. A value means scale × value + offset,
/// so the scale is divided by the factor and the offset stays. Without either the values are meant to change, and their
/// unit is not known any more; nor do palettes and names of categories belong to them.
fn multiplied(known: SourceBand, factor: f64, index: usize, warnings: &mut Vec<String>) -> SourceBand {
    let mut left_out = |what: &str, why: &str| {
        warnings.push(format!("band {}: {what} left out: --scale-factor {why}", index + 1));
    };
    let mut band = known;
    if band.scale.is_some() || band.offset.is_some() {
        band.scale = Some(band.scale.unwrap_or(1.0) / factor);
    } else if !band.unit.is_empty() {
        let unit = std::mem::take(&mut band.unit);
        left_out(&format!("its unit, {unit}, is"), "changes what its values mean, since it has no scale");
    }
    if band.palette.take().is_some() {
        left_out("its palette is", "changes the values that it gives colours");
    }
    if band.color_interpretation == "Palette" {
        band.color_interpretation = "Gray".into();
    }
    if !band.categories.is_empty() {
        band.categories.clear();
        left_out("its names of categories are", "changes the values that they name");
    }
    band
}
