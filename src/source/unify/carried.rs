//! What is carried over from the sources to the mosaic: what they agree on.

use std::sync::Arc;

use super::bands::{BandMap, band_count};
use super::names::some_names;
use super::{MosaicBand, Unifier};
use crate::pixels::{BandRule, Method, Number, PixelType};
use crate::source::{Problem, SourceBand};

impl<'a> Unifier<'a> {
    /// The mosaic's bands: those of colour, then transparency where any source has it.
    pub(super) fn carry_bands(
        &mut self,
        maps: &[BandMap],
        nodata: Option<Number>,
        has_alpha: bool,
    ) -> Vec<MosaicBand> {
        let method = self.request.method;
        let background = nodata.unwrap_or(Number::Whole(0));
        let mut bands = Vec::new();
        for index in 0..band_count(maps) {
            self.refuse_other_meanings(maps, index);
            let mut carried = self.carry_band(maps, index);
            if let Some(name) = self.request.band_names.get(index) {
                carried.description.clone_from(name);
            }
            self.drop_offset(&mut carried, index);
            bands.push(MosaicBand { rule: BandRule::Method(method), background, carried });
        }
        if has_alpha {
            let owner = maps.iter().position(|map| map.alpha.is_some()).expect("a source has transparency");
            let alpha = maps[owner].alpha.expect("it has");
            let carried = self.sources[owner].bands[alpha].clone();
            bands.push(MosaicBand { rule: BandRule::Alpha(method), background: Number::Whole(0), carried });
        }
        bands
    }

    /// What each source says of one band, the first that has it before all. Those that share the first's are left out.
    fn others(
        &self,
        maps: &[BandMap],
        index: usize,
    ) -> ((usize, &'a SourceBand), Vec<(usize, &'a SourceBand)>) {
        let of = |number: usize| Some((number, &self.sources[number].bands[maps[number].own(index)?]));
        let mut all = (0..maps.len()).filter_map(of);
        let first = all.next().expect("every band of the mosaic is one of a source");
        (first, all.filter(|(_, band)| !std::ptr::eq(*band, first.1)).collect())
    }

    /// What changes the meaning of a band's values must agree, unless they are only counted.
    fn refuse_other_meanings(&mut self, maps: &[BandMap], index: usize) {
        if self.request.method == Method::Count {
            return;
        }
        let ((owner, first), others) = self.others(maps, index);
        let unlike = |same: &dyn Fn(&SourceBand) -> bool| -> Vec<usize> {
            others.iter().filter(|(_, band)| !same(band)).map(|&(number, _)| number).collect()
        };
        let differences = [
            (
                unlike(&|band| band.palette == first.palette),
                "has another colour palette than",
                "turn them into RGB first: gdal_translate -expand rgb",
            ),
            (
                unlike(&|band| (band.scale, band.offset) == (first.scale, first.offset)),
                "has another scale or offset than",
                "bring them to one first: gdal_translate -unscale",
            ),
            (
                unlike(&|band| band.unit == first.unit),
                "has values in another unit than",
                "bring them to one unit first",
            ),
        ];
        for (numbers, message, hint) in differences.into_iter().filter(|(numbers, ..)| !numbers.is_empty()) {
            let names = some_names(self.sources, &numbers);
            let message = format!("band {}: {message} {}", index + 1, self.sources[owner].name);
            self.conflict(Problem::new(names, message).with_hint(hint), numbers);
        }
    }

    /// What the sources agree on for one band, as far as it still holds for the method's results.
    fn carry_band(&self, maps: &[BandMap], index: usize) -> SourceBand {
        let ((_, first), others) = self.others(maps, index);
        let mut carried = first.clone();
        for (_, band) in others {
            if band.description != carried.description {
                carried.description.clear();
            }
            if band.categories != carried.categories {
                carried.categories.clear();
            }
            if band.color_interpretation != carried.color_interpretation {
                carried.color_interpretation = "Undefined".into();
            }
            carried.metadata.retain(|item| band.metadata.contains(item));
        }
        if matches!(self.request.method, Method::Mean | Method::Sum | Method::Count) {
            (carried.palette, carried.categories) = (None, Vec::new());
            if carried.color_interpretation == "Palette" {
                carried.color_interpretation = "Gray".into();
            }
        }
        if self.request.method == Method::Count {
            (carried.scale, carried.offset) = (None, None);
            carried.unit.clear();
        }
        carried
    }

    /// Takes away an offset that the method's results do not have: how far values lie apart has none, a sum that of each
    /// input with data.
    fn drop_offset(&mut self, carried: &mut SourceBand, index: usize) {
        let sums = self.request.method == Method::Sum;
        if !sums && !self.makes_deviations() {
            return;
        }
        let Some(offset) = carried.offset.take() else { return };
        if sums {
            self.warnings.push(format!(
                "band {}: its offset, {offset}, is left out: a sum has it once for each input with data, which --method \
                 count counts",
                index + 1
            ));
        }
    }

    /// Takes away palettes that no GeoTIFF holds: it has one, of its first band of whole numbers of 8 or 16 bits without
    /// a sign, with at most transparency behind.
    pub(super) fn drop_palettes(&mut self, bands: &mut [MosaicBand], pixel_type: PixelType) {
        let holds = bands.len() <= 2 && matches!(pixel_type, PixelType::Byte | PixelType::UInt16);
        let kept = usize::from(holds);
        for (index, band) in bands.iter_mut().enumerate().skip(kept) {
            if band.carried.palette.take().is_none() {
                continue;
            }
            if band.carried.color_interpretation == "Palette" {
                band.carried.color_interpretation = "Gray".into();
            }
            self.warnings.push(format!(
                "band {}: its palette is left out: a GeoTIFF has one for the first of at most two bands, of Byte or \
                 UInt16; overviews by mean would mix its indices, --overview-resampling mode or nearest do not",
                index + 1
            ));
        }
    }

    /// Metadata of the dataset on which all sources agree.
    pub(super) fn common_metadata(&self) -> Vec<(String, String)> {
        let mut common = self.sources[0].metadata.to_vec();
        for source in &self.sources[1..] {
            if !Arc::ptr_eq(&source.metadata, &self.sources[0].metadata) {
                common.retain(|item| source.metadata.contains(item));
            }
        }
        common
    }
}
