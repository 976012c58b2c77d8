//! What decides an output's bytes, so that another run may go on with a part of it.

use std::fmt::Display;

use super::Prepared;
use super::scene_checks::written;
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
        ("--format", format.to_string()),
        ("--overviews", given(overviews)),
        ("--overview-resampling", given(overview_resampling)),
        ("--block", block.to_string()),
        ("--method", method.to_string()),
        ("--expr", list(expressions, ";", String::clone)),
        ("--expr-stage", expression_stage.to_string()),
        ("--scale-factor", given(scale_factor)),
        ("--count-band", count_band.to_string()),
        ("--provenance", provenance.to_string()),
        ("--date-band", date_band.to_string()),
        ("--stac", given(stac)),
        ("--scene-pattern", given(scene_pattern)),
        ("--from", given(from)),
        ("--to", given(to)),
        ("--max-cloud", given(max_cloud)),
        ("--order", order.to_string()),
        ("--harmonize", harmonize.to_string()),
        ("--zero-is-nodata", zero_is_nodata.to_string()),
        ("--mask-band", given(mask_band)),
        ("--mask-values", list(mask_values, ",", written)),
        ("--keep-values", list(keep_values, ",", written)),
        ("--mask-bits", list(mask_bits, ",", u8::to_string)),
        ("--mask-buffer", mask_buffer.to_string()),
        ("--min-count", min_count.to_string()),
        ("--crs", given(crs)),
        ("--resolution", resolution.to_string()),
        ("--bounds", given(bounds)),
        ("--align", align.to_string()),
        ("--resampling", resampling.to_string()),
        ("--bands", list(bands, ",", String::clone)),
        ("--dtype", given(dtype)),
        ("--src-nodata", given(src_nodata)),
        ("--nodata", given(nodata)),
        ("--compress", compression.to_string()),
        ("--predictor", given(predictor)),
        ("--co", list(creation_options, " ", |(key, value)| format!("{key}={value}"))),
    ];
    let asked = asked.map(|(name, value)| (name.to_string(), value)).into_iter();
    let sources = prepared.mosaic.sources.iter().flat_map(|placed| files(&placed.source));
    Job { decides: asked.chain(grid_and_scenes(&prepared.mosaic)).chain(sources).collect() }
}

/// What stands in the place of a value that nobody gave.
const NOT_GIVEN: &str = "not given";

/// A value as it is typed.
fn given(value: &Option<impl Display>) -> String {
    value.as_ref().map_or(NOT_GIVEN.into(), ToString::to_string)
}

/// The values of a list as they are typed.
fn list<T>(values: &[T], between: &str, typed: impl Fn(&T) -> String) -> String {
    match values.is_empty() {
        true => NOT_GIVEN.into(),
        false => values.iter().map(typed).collect::<Vec<_>>().join(between),
    }
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
