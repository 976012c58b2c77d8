//! `inspect`: how rasters are stored, as text.

use std::fmt::{self, Write};

use mosaic_stream::source::inspection::{
    BlockKind, Inspection, Interleave, MaskPlace, ReadOrder, WINDOW_ROWS,
};

use super::messages::size_text;

/// Each raster under its name, a blank line between them.
pub fn describe(inspections: &[Inspection]) -> String {
    let one = |inspection: &Inspection| {
        let mut text = String::new();
        // Writing into a text cannot fail.
        let _ = write_one(&mut text, inspection);
        text
    };
    inspections.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn write_one(text: &mut String, raster: &Inspection) -> fmt::Result {
    writeln!(text, "{}", raster.name)?;
    let mut line = |label: &str, value: &str| writeln!(text, "  {label:<11} {value}");
    let rows = [
        ("format", format_text(raster)),
        ("size", format!("{}x{}, {}", raster.columns, raster.rows, bands_text(raster))),
        ("CRS", raster.crs.clone().unwrap_or_else(|| "none".into())),
        ("place", place_text(raster)),
        ("nodata", nodata_text(raster)),
        ("mask", mask_text(raster)),
        ("overviews", overviews_text(raster)),
        ("blocks", blocks_text(raster)),
        ("codec", codec_text(raster)),
        ("stored", stored_text(raster)),
        ("reader", reader_text(raster)),
        ("cache", cache_text(raster)),
        ("read order", order_text(raster)),
    ];
    rows.iter().try_for_each(|(label, value)| line(label, value))?;
    raster.warnings.iter().try_for_each(|warning| line("warning", warning))
}

fn format_text(raster: &Inspection) -> String {
    let big = if raster.bigtiff == Some(true) { ", BigTIFF" } else { "" };
    let order = raster.byte_order.map(|order| format!(", {order}-endian")).unwrap_or_default();
    format!("{}{big}{order}", raster.driver)
}

fn bands_text(raster: &Inspection) -> String {
    let count = counted(raster.bands.len() as u64, "band");
    format!("{count} of {}", shared(raster.bands.iter().map(|band| band.pixel_type.to_owned())))
}

fn place_text(raster: &Inspection) -> String {
    let g = raster.geotransform;
    let [x, y] = raster.resolution;
    let turned = if g[2] != 0.0 || g[4] != 0.0 { ", rotated" } else { "" };
    let up = if g[5] > 0.0 && turned.is_empty() { ", south up" } else { "" };
    format!("from {}, {} in pixels of {x} x {y}{turned}{up}", g[0], g[3])
}

fn nodata_text(raster: &Inspection) -> String {
    shared(raster.bands.iter().map(|band| band.nodata.clone().unwrap_or_else(|| "none".into())))
}

fn mask_text(raster: &Inspection) -> String {
    let mask = match raster.mask {
        Some(MaskPlace::Internal) => Some("internal".to_owned()),
        Some(MaskPlace::File) => Some("in a .msk file".to_owned()),
        Some(MaskPlace::Elsewhere) => Some("yes".to_owned()),
        None => None,
    };
    let alpha = raster.alpha.map(|band| format!("alpha in band {band}"));
    let both: Vec<_> = mask.into_iter().chain(alpha).collect();
    if both.is_empty() { "none".into() } else { both.join(", ") }
}

fn overviews_text(raster: &Inspection) -> String {
    let sizes: Vec<_> = raster.overviews.iter().map(|[columns, rows]| format!("{columns}x{rows}")).collect();
    if sizes.is_empty() { "none".into() } else { sizes.join(", ") }
}

fn blocks_text(raster: &Inspection) -> String {
    let blocks = &raster.blocks;
    let kind = match blocks.kind {
        BlockKind::Tiles => "tile",
        BlockKind::Strips => "strip",
    };
    let interleave = match raster.interleave {
        Some(Interleave::Pixel) => ", all bands together",
        Some(Interleave::Band) => ", each band in its own",
        None => "",
    };
    let count = counted(blocks.count, kind);
    let (across, down) = (blocks.across, blocks.down);
    format!("{count} of {}x{}, {across} across and {down} down{interleave}", blocks.columns, blocks.rows)
}

fn codec_text(raster: &Inspection) -> String {
    let codec = raster.codec.as_deref().unwrap_or("not told");
    match raster.predictor {
        Some(predictor) if predictor != 1 => format!("{codec} with predictor {predictor}"),
        _ => codec.into(),
    }
}

fn stored_text(raster: &Inspection) -> String {
    let bytes = &raster.bytes;
    let file = bytes.file.map(|file| format!(", file of {}", size_text(file))).unwrap_or_default();
    let Some(stored) = bytes.stored else { return format!("{} of pixels{file}", size_text(bytes.raw)) };
    let share = 100.0 * stored as f64 / (bytes.raw as f64).max(1.0);
    let largest = bytes.largest_block.map(size_text).unwrap_or_default();
    let empty = match raster.blocks.empty {
        None | Some(0) => String::new(),
        Some(empty) => format!(", {} without any", counted(empty, "block")),
    };
    let (stored, raw) = (size_text(stored), size_text(bytes.raw));
    format!("{stored} for {raw} of pixels ({share:.0} %), largest block {largest}{empty}{file}")
}

fn reader_text(raster: &Inspection) -> String {
    match raster.not_direct_because {
        None => "its blocks can be read directly".into(),
        Some(reason) => format!("through GDAL: {reason}"),
    }
}

fn cache_text(raster: &Inspection) -> String {
    let (row, windows) = (size_text(raster.cache.pixel_row), size_text(raster.cache.window_row));
    format!("{row} for a row of pixels, up to {windows} for a row of windows {WINDOW_ROWS} pixels high")
}

fn order_text(raster: &Inspection) -> String {
    let rows = raster.blocks.rows;
    let (block, row) = (size_text(raster.bytes.block), size_text(raster.cache.pixel_row));
    match raster.read_order {
        ReadOrder::Any => "any: all its pixels are in one block".into(),
        ReadOrder::Rows => "row by row: each row of pixels is a strip".into(),
        ReadOrder::Strips => format!("strip by strip, {rows} rows of pixels at a time: a strip is {block}"),
        ReadOrder::RowsOfBlocks => {
            format!(
                "by row of blocks, {rows} rows of pixels at a time; row by row only where a cache keeps {row}"
            )
        }
        ReadOrder::Blocks => {
            format!(
                "block by block, {block} at a time: row by row decodes each block {rows} times unless {row} are kept"
            )
        }
    }
}

/// What all have in common, or each one's in order.
fn shared(values: impl Iterator<Item = String>) -> String {
    let mut values: Vec<String> = values.collect();
    if values.iter().all(|value| *value == values[0]) {
        values.truncate(1);
    }
    values.join(", ")
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
