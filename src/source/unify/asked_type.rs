//! What the type of the mosaic's pixels would make unclear: nodata that other values become, opacity of two scales, and
//! large numbers that GDAL would round.

use std::sync::Arc;

use super::bands::BandMap;
use super::types::opacity_of;
use super::{PlacedSource, Unifier};
use crate::pixels::{Method, Number, PixelType, Resampling};
use crate::source::{Placement, Problem};

impl Unifier<'_> {
    /// Where the type asked for holds fewer values than a source's, GDAL clamps and rounds as it reads. Nodata that is
    /// no longer told from data then is refused.
    pub(super) fn refuse_clamped_nodata(&mut self, maps: &[BandMap], working_type: PixelType) {
        for (index, (source, map)) in self.sources.iter().zip(maps).enumerate() {
            let nodata = self.request.nodata_of(source);
            let unclear = |&&band: &&usize| {
                let own = source.bands[band].pixel_type;
                nodata[band].is_some_and(|value| is_unclear(value, own, working_type))
            };
            let Some(&band) = map.colors.iter().find(unclear) else { continue };
            let (own, value) = (source.bands[band].pixel_type, nodata[band].expect("it is unclear"));
            let message = format!(
                "band {}: its nodata, {value}, is not told from clamped or rounded values of {own} in {working_type}",
                band + 1
            );
            let problem = Problem::new(&*source.name, message).with_hint(
                "choose another type with --dtype, or bring the inputs to one that holds them: gdal_translate -ot",
            );
            self.conflict(problem, vec![index]);
        }
    }

    /// Alpha of 8 bits is opaque at 255, of 16 bits at 65535: in one band they are not mixed.
    pub(super) fn refuse_mixed_opacity(&mut self, maps: &[BandMap], working_type: PixelType) {
        let of =
            |(index, map): (usize, &BandMap)| Some((index, self.sources[index].bands[map.alpha?].pixel_type));
        let alphas: Vec<(usize, PixelType)> = maps.iter().enumerate().filter_map(of).collect();
        let Some(&(_, first)) = alphas.first() else { return };
        let is_computed = self.request.method == Method::Count || !self.request.derive.formulas.is_empty();
        let pixel_type = self.request.pixel_type.filter(|_| !is_computed).unwrap_or(working_type);
        let wanted = match pixel_type {
            PixelType::Byte | PixelType::UInt16 => opacity_of(pixel_type),
            _ => opacity_of(first),
        };
        for (index, own) in alphas.into_iter().filter(|&(_, own)| opacity_of(own) != wanted) {
            let message = format!(
                "has an alpha band of {own}, opaque at {}, where the mosaic's is of {pixel_type} and opaque at {wanted}",
                opacity_of(own)
            );
            let problem = Problem::new(&*self.sources[index].name, message).with_hint(
                "bring the inputs to one type first: gdal_translate -ot with -scale_N for band N; or choose the other \
                 bands with --bands",
            );
            self.conflict(problem, vec![index]);
        }
    }

    /// Where whole numbers are read in 64 bits, GDAL's warp computes in doubles, and its VRT resamples in floating point
    /// beside a mask, whatever it is told: large numbers lose their last digits.
    pub(super) fn refuse_inexact(&mut self, placed: &[PlacedSource], working_type: PixelType) {
        if !matches!(working_type, PixelType::Int64 | PixelType::UInt64) {
            return;
        }
        for placed in placed {
            let Some((computed, why, hint)) = inexact(placed) else { continue };
            let types = placed.bands.iter().map(|&band| placed.source.bands[band].pixel_type);
            let Some(own) = types.into_iter().find(|&own| !computed.holds(own)) else { continue };
            let message = format!("{why}: GDAL would round its pixels of {own}, read as {working_type}");
            let index = self.sources.iter().position(|source| Arc::ptr_eq(source, &placed.source));
            let problem = Problem::new(&*placed.source.name, message).with_hint(hint);
            self.conflict(problem, index.into_iter().collect());
        }
    }
}

/// In what GDAL computes a source's pixels where it does so in floating point, why, and what to do.
fn inexact(placed: &PlacedSource) -> Option<(PixelType, &'static str, &'static str)> {
    match (placed.placement, placed.resampling) {
        (Placement::Warped, _) => Some((
            PixelType::Float64,
            "is south up, rotated or in another CRS",
            "bring it to a type of fewer digits first: gdal_translate -ot Int32, or Float64",
        )),
        (Placement::Resampled, Resampling::Nearest) if placed.source.mask => Some((
            PixelType::Float32,
            "has a mask and is not on the mosaic's grid",
            "put nodata in place of the mask first, or bring it to the mosaic's grid: gdalwarp -te -tr",
        )),
        _ => None,
    }
}

/// Whether other values of `own` may become this one in pixels of `read`.
fn is_unclear(value: Number, own: PixelType, read: PixelType) -> bool {
    if read.holds(own) {
        return false;
    }
    if own.is_float() {
        return !read.is_float();
    }
    let (own, held) = (own.whole_numbers(), read.whole_numbers());
    let is = |end: &i128| value == Number::Whole(*end);
    let beyond = value.to_f64() < *held.start() as f64 || value.to_f64() > *held.end() as f64;
    beyond || is(held.start()) && own.start() < held.start() || is(held.end()) && own.end() > held.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodata_is_unclear_where_other_values_are_clamped_or_rounded_to_it() {
        use PixelType::{Byte, Float32, Float64, Int32, Int64, UInt64};
        let unclear = |value, own, read| is_unclear(Number::Whole(value), own, read);
        assert!(unclear(255, UInt64, Byte) && !unclear(254, UInt64, Byte));
        assert!(unclear(0, Int64, Byte) && !unclear(0, UInt64, Byte));
        assert!(unclear(-9999, Int64, UInt64) && !unclear(-9999, Int32, Int64));
        assert!(unclear(1 << 53, UInt64, Float64) && !unclear(1 << 52, UInt64, Float64));
        assert!(unclear(7, Float32, Int64) && !unclear(7, Float64, Float32));
    }
}
