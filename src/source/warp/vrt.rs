//! GDAL's warped VRT of a source, told how far kernels reach, its blocks as small as they have to be.

use anyhow::{Context, Result};
use gdal::{Dataset, Metadata};

use super::{Warp, usual_block};
use crate::geometry::Size;
use crate::pixels::Number;
use crate::source::place::{BesideNodata, Frame, Validity, extent, nodata_or};
use crate::source::{Source, calls, open};

/// What gdalwarp itself puts in the place of the nodata of a band that has none, beside bands that have.
const NO_SOURCE_NODATA: &str = "-123456.789";

/// A warped VRT whose pixels are the frame's grid's.
///
/// # Errors
/// When GDAL cannot set the warp up.
pub fn warped_vrt(
    base: &Dataset,
    source: &Source,
    (frame, warp): (&Frame, &Warp),
    validity: &Validity,
) -> Result<Dataset> {
    let arguments = arguments(source, frame, validity);
    let vrt = match warp.scale {
        None => calls::warp(base, &arguments)?,
        Some(scale) => at_scale(base, &arguments, scale)?,
    };
    if warp.block == usual_block(frame.grid.size) {
        return Ok(vrt);
    }
    let nodata = &validity.told_nodata[..colors(source, validity)];
    in_blocks(&vrt, warp.block, nodata)
}

/// How many of a source's bands are no transparency that GDAL carries over.
fn colors(source: &Source, validity: &Validity) -> usize {
    source.bands.len() - usize::from(matches!(validity.beside, BesideNodata::Alpha(_)))
}

fn arguments(source: &Source, frame: &Frame, validity: &Validity) -> Vec<String> {
    let mut arguments: Vec<String> =
        ["-of", "VRT", "-wm", "16", "-wo", "NUM_THREADS=1", "-et", "0"].map(String::from).into();
    arguments.extend(["-r".into(), calls::resampling_name(frame.resampling).into()]);
    arguments.extend(extent(frame.grid));
    if !source.wkt.is_empty() && !frame.wkt.is_empty() {
        arguments.extend(["-s_srs".into(), source.wkt.to_string(), "-t_srs".into(), frame.wkt.into()]);
    }
    // A warp fills the bands with nodata, and adds transparency or carries over what the source's last band is.
    let nodata = &validity.told_nodata[..colors(source, validity)];
    if nodata.iter().all(Option::is_none) {
        arguments.extend(["-srcnodata".into(), "None".into()]);
    } else {
        // Before pixels are weighed, nodata has to be known: beside a mask or transparency, too. Told its values, GDAL
        // would take a pixel for nodata only where all bands have them.
        arguments.extend(["-wo".into(), "UNIFIED_SRC_NODATA=NO".into()]);
        arguments.extend(["-srcnodata".into(), nodata_or(nodata, NO_SOURCE_NODATA)]);
        arguments.extend(["-dstnodata".into(), nodata_or(nodata, "None")]);
    }
    if validity.adds_alpha() {
        arguments.push("-dstalpha".into());
    }
    arguments
}

/// A warped VRT at a scale (that of columns, that of rows). Of a source with overviews GDAL takes one that is finer than
/// the mosaic: the scale is against that one's pixels then.
fn at_scale(base: &Dataset, arguments: &[String], scale: (f64, f64)) -> Result<Dataset> {
    let with = |more: &[String], (x, y): (f64, f64)| {
        let scale = ["-wo".into(), format!("XSCALE={x:?}"), "-wo".into(), format!("YSCALE={y:?}")];
        calls::warp(base, &[arguments, more, &scale].concat())
    };
    let band = base.rasterband(1)?;
    // Against fewer pixels a kernel that is no wider is no wider either: which overview is taken need not be known.
    if scale == (1.0, 1.0) || band.overview_count()? == 0 {
        return with(&[], scale);
    }
    let Some(level) = overview_level(&text(&calls::warp(base, arguments)?)?) else {
        return with(&["-ovr".into(), "NONE".into()], scale);
    };
    let size = band.overview(level)?.size();
    let (columns, rows) = base.raster_size();
    let times = (columns as f64 / size.0 as f64, rows as f64 / size.1 as f64);
    let of_overview = |scale: f64, times: f64| super::almost_whole((scale * times).min(1.0));
    with(&["-ovr".into(), level.to_string()], (of_overview(scale.0, times.0), of_overview(scale.1, times.1)))
}

/// The overview of its source that a warped VRT reads, counted from 0.
fn overview_level(text: &str) -> Option<usize> {
    let (_, behind) = text.split_once("<OOI key=\"OVERVIEW_LEVEL\">")?;
    behind.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

/// A warped VRT as text.
fn text(vrt: &Dataset) -> Result<String> {
    let domain = vrt.metadata_domain("xml:VRT").context("GDAL does not put the warp into words")?;
    Ok(domain.join("\n"))
}

/// The same warped VRT with blocks of another size, which only its text can say. It opens its source itself.
fn in_blocks(vrt: &Dataset, block: Size, nodata: &[Option<Number>]) -> Result<Dataset> {
    let mut text = text(vrt)?;
    for (tag, size) in [("BlockXSize", block.columns), ("BlockYSize", block.rows)] {
        text = with_texts(&text, tag, &mut || Some(size.to_string()));
    }
    // In the text nodata have 16 digits, too few for Float64. The elements stand in the order of the bands.
    for tag in ["NoDataValue", "SrcNoDataReal", "DstNoDataReal"] {
        let mut of_band = nodata.iter().filter(|value| tag != "NoDataValue" || value.is_some());
        text =
            with_texts(&text, tag, &mut || of_band.next().copied().flatten().map(|value| value.to_string()));
    }
    open::open(&text)
}

/// A text in which the texts of all elements of a name are replaced, in order, where there is something to put there.
fn with_texts(text: &str, tag: &str, next: &mut dyn FnMut() -> Option<String>) -> String {
    let (begin, end) = (format!("<{tag}>"), format!("</{tag}>"));
    let mut pieces = text.split(&begin);
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (old, behind) = piece.split_once(&end).unwrap_or((piece, ""));
        whole += &[&begin, &next().unwrap_or_else(|| old.to_owned()), &end, behind].concat();
    }
    whole
}
