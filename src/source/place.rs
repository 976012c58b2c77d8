//! How a source's pixels come to lie on the mosaic's grid: as they are, through a VRT, or through a warped VRT.

use anyhow::{Result, bail};
use gdal::Dataset;

use super::warp::warped_vrt;
use super::{PlacedSource, Source, calls};
use crate::geometry::{Grid, Size};
use crate::pixels::{Number, PixelType, Resampling};

/// The way from a source's pixels to the mosaic's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Placement {
    /// The source's pixels are the mosaic's: its upper-left pixel has this column and row.
    OnGrid {
        /// Column in the mosaic, below zero when the mosaic begins further right.
        column: i64,
        /// Row in the mosaic.
        row: i64,
    },
    /// Each of the source's pixels is so many of the mosaic's columns and rows: of the nearest pixel no more is to be
    /// known. For sources that are read directly; GDAL is told to resample.
    Enlarged {
        /// Column in the mosaic of the first pixel's first, below zero when the mosaic begins further right.
        column: i64,
        /// Its row.
        row: i64,
        /// The columns and rows of the mosaic that a pixel is.
        times: Size,
    },
    /// Same CRS and north up, but another resolution or a fraction of a pixel away: GDAL's VRT resamples.
    Resampled,
    /// Another CRS, south up or rotated: GDAL's warped VRT.
    Warped,
}

impl Placement {
    /// The placement of a source on the mosaic's grid, `same_crs` said.
    pub fn of(source: &Source, grid: &Grid, same_crs: bool) -> Placement {
        if !same_crs || !source.geotransform.is_north_up() {
            return Placement::Warped;
        }
        match grid.whole_pixel_offset(&source.geotransform, source.size) {
            Some((column, row)) => Placement::OnGrid { column, row },
            None => Placement::Resampled,
        }
    }

    /// The placement of a source of which the nearest pixels are read directly.
    pub fn enlarged(source: &Source, grid: &Grid) -> Option<Placement> {
        let (times, (column, row)) = grid.whole_times(&source.geotransform, source.size)?;
        Some(Placement::Enlarged { column, row, times })
    }

    /// The way that GDAL is asked to go.
    pub fn through_gdal(self) -> Placement {
        match self {
            Placement::Enlarged { .. } => Placement::Resampled,
            other => other,
        }
    }
}

/// What a virtual dataset has to know to put a source on a grid.
pub(super) struct Frame<'a> {
    /// The grid that the virtual dataset has.
    pub grid: &'a Grid,
    /// The grid's CRS as WKT.
    pub wkt: &'a str,
    /// How pixels between pixels are made.
    pub resampling: Resampling,
}

/// Who says which pixels of a source are valid, once it is on the mosaic's grid.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Validity {
    /// Nodata of each of the source's bands, as a virtual dataset is told it.
    pub told_nodata: Vec<Option<Number>>,
    /// What says it beside nodata.
    pub beside: BesideNodata,
}

/// A dataset on a frame's grid, or with its pixels.
pub(super) struct Laid {
    // Dropped in this order: a virtual dataset refers to the file beneath it.
    virtual_dataset: Option<Dataset>,
    base: Dataset,
    /// Column and row of its first pixel in the mosaic.
    pub origin: (i64, i64),
}

impl Laid {
    /// Lays the open source `base` on the frame's grid.
    ///
    /// # Errors
    /// When GDAL cannot set up its virtual dataset.
    pub fn new(
        base: Dataset,
        placed: &PlacedSource,
        (frame, placement): (&Frame, Placement),
        validity: &Validity,
    ) -> Result<Laid> {
        let (virtual_dataset, origin) = match (placement, &placed.warp) {
            (Placement::OnGrid { column, row }, _) => (None, (column, row)),
            (Placement::Warped, Some(warp)) => {
                (Some(warped_vrt(&base, &placed.source, (frame, warp), validity)?), (0, 0))
            }
            (Placement::Warped, None) => bail!("nothing of it lies in the mosaic"),
            (Placement::Enlarged { .. } | Placement::Resampled, _) => {
                (Some(vrt(&base, frame, validity)?), (0, 0))
            }
        };
        Ok(Laid { virtual_dataset, base, origin })
    }

    /// The dataset to read.
    pub fn dataset(&self) -> &Dataset {
        self.virtual_dataset.as_ref().unwrap_or(&self.base)
    }

    /// Whether GDAL makes its pixels of the file's as they are read.
    pub fn is_made(&self) -> bool {
        self.virtual_dataset.is_some()
    }
}

/// What, beside nodata, says which pixels are valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BesideNodata {
    /// Nothing: nodata alone, or every pixel is.
    Nothing,
    /// The dataset's mask.
    Mask,
    /// The source's own band (index from 0) of transparency.
    Alpha(usize),
    /// A band (index from 0) that the virtual dataset adds behind the source's: opaque where the source lies.
    AddedAlpha(usize),
}

impl Validity {
    /// Decides it for a source with this nodata in its bands, read in pixels of a type.
    pub fn of(
        source: &Source,
        nodata: Vec<Option<Number>>,
        placement: Placement,
        (resampling, read_as): (Resampling, PixelType),
    ) -> Validity {
        // Where there is transparency, a VRT would fill its band with nodata too, which is no 0, and so would a warp,
        // unless that band is the last. What is transparent or nodata is told apart after reading.
        let last_is_alpha = source.alpha == Some(source.bands.len() - 1);
        let hidden = match placement {
            Placement::Warped => source.alpha.is_some() && !last_is_alpha,
            Placement::Resampled => source.alpha.is_some() || hides_nodata(source, resampling, read_as),
            Placement::OnGrid { .. } | Placement::Enlarged { .. } => source.alpha.is_some(),
        };
        let told_nodata = if hidden { vec![None; nodata.len()] } else { nodata };
        let all_nodata = told_nodata.iter().all(Option::is_some);
        let added = BesideNodata::AddedAlpha(source.bands.len());
        let beside = match (source.alpha, placement) {
            (Some(alpha), _) => BesideNodata::Alpha(alpha),
            // A warp carries a mask over only as transparency.
            (None, Placement::Warped) if source.mask || !all_nodata => added,
            (None, Placement::Warped) => BesideNodata::Nothing,
            (None, _) if source.mask => BesideNodata::Mask,
            (None, Placement::Resampled) if !all_nodata => added,
            (None, _) => BesideNodata::Nothing,
        };
        Validity { told_nodata, beside }
    }

    pub fn adds_alpha(&self) -> bool {
        matches!(self.beside, BesideNodata::AddedAlpha(_))
    }
}

/// A VRT whose pixels are the frame's grid's.
fn vrt(base: &Dataset, frame: &Frame, validity: &Validity) -> Result<Dataset> {
    let mut arguments = vec!["-r".into(), calls::resampling_name(frame.resampling).into()];
    arguments.extend(extent(frame.grid));
    if let Some(values) = nodata_list(&validity.told_nodata) {
        arguments.extend(["-srcnodata".into(), values.clone(), "-vrtnodata".into(), values]);
    }
    if validity.adds_alpha() {
        arguments.push("-addalpha".into());
    }
    calls::build_vrt(base, arguments)
}

/// Whether a VRT must not hear of a source's nodata: where it does, GDAL's VRT computes in floating point (Float32 in
/// 3.6, also where pixels of 32 bits are asked for in 64), and whole numbers lose their last digits. Nodata is told apart
/// after reading, which is the same for the nearest pixel.
pub(super) fn hides_nodata(source: &Source, resampling: Resampling, read_as: PixelType) -> bool {
    let wide = |pixel_type| matches!(pixel_type, PixelType::UInt64 | PixelType::Int64);
    let any_wide = wide(read_as) || source.bands.iter().any(|band| wide(band.pixel_type));
    resampling == Resampling::Nearest && any_wide
}

pub(super) fn extent(grid: &Grid) -> Vec<String> {
    let bounds = grid.bounds();
    let edges = [bounds.min_x, bounds.min_y, bounds.max_x, bounds.max_y];
    let mut arguments = vec!["-te".to_string()];
    arguments.extend(edges.map(|edge| format!("{edge:?}")));
    arguments.extend(["-tr".into(), format!("{:?}", grid.resolution.x), format!("{:?}", grid.resolution.y)]);
    arguments
}

/// The values of all bands as gdalwarp takes them, `none` for bands without.
pub(super) fn nodata_or(nodata: &[Option<Number>], none: &str) -> String {
    let values = nodata.iter().map(|value| value.map_or(none.into(), |value| value.to_string()));
    values.collect::<Vec<String>>().join(" ")
}

/// The values of all bands as gdalbuildvrt takes them; nothing where some bands have one and others none, which only
/// the bands themselves can say.
fn nodata_list(nodata: &[Option<Number>]) -> Option<String> {
    if nodata.iter().all(Option::is_none) {
        return Some("None".into());
    }
    nodata.iter().all(Option::is_some).then(|| nodata_or(nodata, "None"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::sample::source;

    const PLACEMENTS: [Placement; 3] =
        [Placement::OnGrid { column: 0, row: 0 }, Placement::Resampled, Placement::Warped];

    /// What says, beside nodata, which pixels of a source of two bands are valid: on the grid, resampled, warped.
    fn beside(mask: bool, alpha: Option<usize>, nodata: [Option<Number>; 2]) -> [BesideNodata; 3] {
        let source = Source { mask, alpha, ..source("a", 0.0, PixelType::Byte, 2) };
        PLACEMENTS.map(|placement| {
            Validity::of(&source, nodata.to_vec(), placement, (Resampling::Nearest, PixelType::Byte)).beside
        })
    }

    #[test]
    fn transparency_is_added_only_where_nothing_else_says_what_is_valid() {
        use BesideNodata::{AddedAlpha, Alpha, Mask, Nothing};
        let zero = Some(Number::Whole(0));
        assert_eq!(beside(false, None, [None, None]), [Nothing, AddedAlpha(2), AddedAlpha(2)]);
        assert_eq!(beside(false, None, [zero, None]), [Nothing, AddedAlpha(2), AddedAlpha(2)]);
        assert_eq!(beside(false, None, [zero, zero]), [Nothing; 3]);
        assert_eq!(beside(false, Some(1), [None, None]), [Alpha(1); 3]);
        assert_eq!(beside(true, None, [None, None]), [Mask, Mask, AddedAlpha(2)]);
        assert_eq!(beside(true, None, [zero, zero]), [Mask, Mask, AddedAlpha(2)]);
    }

    #[test]
    fn a_vrt_does_not_hear_of_64_bit_nodata_unless_it_has_to_resample() {
        let nodata = vec![Some(Number::Whole(i64::MIN.into()))];
        let of = |pixel_type, placement, resampling| {
            let source = source("a", 0.0, PixelType::Int32, 1);
            Validity::of(&source, nodata.clone(), placement, (resampling, pixel_type))
        };
        let hidden = of(PixelType::Int64, Placement::Resampled, Resampling::Nearest);
        let validity = Validity { told_nodata: vec![None], beside: BesideNodata::AddedAlpha(1) };
        assert_eq!(hidden, validity);
        let own = source("a", 0.0, PixelType::Int64, 1);
        let of_own = |read_as| {
            Validity::of(&own, nodata.clone(), Placement::Resampled, (Resampling::Nearest, read_as))
        };
        assert_eq!([of_own(PixelType::Int64), of_own(PixelType::Float64)], [validity.clone(), validity]);
        for told in [
            of(PixelType::Int32, Placement::Resampled, Resampling::Nearest),
            of(PixelType::Int64, Placement::Resampled, Resampling::Bilinear),
            of(PixelType::Int64, Placement::Warped, Resampling::Nearest),
        ] {
            assert_eq!(told, Validity { told_nodata: nodata.clone(), beside: BesideNodata::Nothing });
        }
    }
    #[test]
    fn a_warp_hears_of_nodata_beside_a_mask_and_beside_transparency_that_stands_last() {
        let nodata = vec![Some(Number::Whole(0)); 2];
        let of = |mask, alpha| {
            let source = Source { mask, alpha, ..source("a", 0.0, PixelType::Byte, 2) };
            let read = (Resampling::Bilinear, PixelType::Byte);
            Validity::of(&source, nodata.clone(), Placement::Warped, read).told_nodata
        };
        assert_eq!([of(true, None), of(false, Some(1))], [nodata.clone(), nodata.clone()]);
        assert_eq!(of(false, Some(0)), [None; 2]);
    }
}
