//! What decides an output's bytes, so that another run may go on with a part of it.

use super::Prepared;
use crate::config::{SceneSettings, Settings};
use crate::geometry::Grid;
use crate::output::Job;
use crate::source::{Mosaic, Source, StackedScene, gdal_version};

/// Everything that decides the bytes of the output: the program, what is asked, and the inputs as they are now. How
/// windows are cut, and by how many workers they are made, does not.
pub fn job(settings: &Settings, prepared: &Prepared) -> Job {
    let Settings {
        inputs: _,
        output,
        format,
        overviews,
        overview_resampling,
        overwrite: _,
        chunk: _,
        block,
        method,
        expressions,
        expression_stage,
        scale_factor,
        count_band,
        provenance,
        date_band,
        scenes,
        crs,
        resolution,
        bounds,
        align,
        resampling,
        bands,
        dtype,
        src_nodata,
        nodata,
        compression,
        predictor,
        creation_options,
        memory: _,
        memory_ceiling: _,
        threads: _,
        isolate: _,
        window_timeout: _,
        on_error: _,
        allow_remote: _,
        allow_roots: _,
        reader: _,
        retries: _,
        verify: _,
        resume: _,
        checkpoint: _,
        report: _,
    } = settings;
    let SceneSettings {
        stac,
        scene_pattern,
        from,
        to,
        max_cloud,
        order,
        harmonize,
        zero_is_nodata,
        mask_band,
        mask_values,
        keep_values,
        mask_bits,
        mask_buffer,
        min_count,
    } = scenes;
    let asked = [
        ("mosaic-stream", env!("CARGO_PKG_VERSION").into()),
        ("GDAL", gdal_version()),
        ("--output", output.file_name().unwrap_or_default().to_string_lossy().into_owned()),
        ("--format", format!("{format:?}")),
        ("--overviews", format!("{overviews:?}")),
        ("--overview-resampling", format!("{overview_resampling:?}")),
        ("--block", block.to_string()),
        ("--method", method.to_string()),
        ("--expr", expressions.join(";")),
        ("--expr-stage", format!("{expression_stage:?}")),
        ("--scale-factor", format!("{scale_factor:?}")),
        ("--count-band, --provenance, --date-band", format!("{count_band}, {provenance}, {date_band}")),
        ("which scenes", format!("{stac:?}, {scene_pattern:?}, {from:?}, {to:?}, {max_cloud:?}, {order:?}")),
        ("--harmonize, --zero-is-nodata", format!("{harmonize:?}, {zero_is_nodata}")),
        (
            "which pixels",
            format!("{mask_band:?}, {mask_values:?}, {keep_values:?}, {mask_bits:?}, {mask_buffer}"),
        ),
        ("--min-count", min_count.to_string()),
        ("--crs", format!("{crs:?}")),
        ("--resolution", format!("{resolution:?}")),
        ("--bounds", format!("{bounds:?}")),
        ("--align", align.to_string()),
        ("--resampling", format!("{resampling:?}")),
        ("--bands", bands.join(",")),
        ("--dtype", format!("{dtype:?}")),
        ("--src-nodata", format!("{src_nodata:?}")),
        ("--nodata", format!("{nodata:?}")),
        ("--compress", format!("{compression:?}")),
        ("--predictor", format!("{predictor:?}")),
        ("--co", format!("{creation_options:?}")),
    ];
    let asked = asked.map(|(name, value)| (name.to_string(), value)).into_iter();
    let sources = prepared.mosaic.sources.iter().flat_map(|placed| files(&placed.source));
    Job { decides: asked.chain(grid_and_scenes(&prepared.mosaic)).chain(sources).collect() }
}

/// Where the mosaic lies, and what names and documents say of scenes: neither stands in the files that are read.
fn grid_and_scenes(mosaic: &Mosaic) -> impl Iterator<Item = (String, String)> {
    let Grid { origin_x, origin_y, resolution, size } = mosaic.grid;
    let grid = format!(
        "{} × {} pixels of {} × {} from {origin_x}, {origin_y}",
        size.columns, size.rows, resolution.x, resolution.y
    );
    let scenes = mosaic.stack.iter().flat_map(|stack| &stack.scenes).map(|scene| {
        let StackedScene { name, sources, bounds: _, mask, date, nodata, shifts } = scene;
        let date = date.map_or("no date".into(), |date| date.to_string());
        let value =
            format!("{date}, {shifts:?} added, nodata {nodata:?}, files {sources:?} and mask {mask:?}");
        (format!("scene {name}"), value)
    });
    std::iter::once(("the grid".to_owned(), grid)).chain(scenes)
}

/// A source's files, each with how it looks, and where the source lies: world files may say that.
fn files(source: &Source) -> impl Iterator<Item = (String, String)> {
    let at = format!("geotransform {:?}", source.geotransform.0);
    source.files().enumerate().map(move |(index, (name, stamp))| {
        let stamp = stamp.map_or("not a local file".into(), |stamp| stamp.to_string());
        (name.to_owned(), if index == 0 { format!("{stamp}, {at}") } else { stamp })
    })
}
