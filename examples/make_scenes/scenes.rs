//! Scenes of one day that overlap, and tiles that adjoin: files laid out in a square.

use anyhow::Result;
use rayon::prelude::*;

use super::ground::{Ground, View};
use super::raster_file::{Layout, RasterFile};
use super::{Arrangement, Options, in_patches};

/// Share of a scene's side that the slanting swath leaves empty at most; less than the overlap of two scenes.
const WEDGE: f64 = 0.08;

/// One file: where it lies on the ground, in pixels from the origin.
struct Scene {
    number: usize,
    name: String,
    x: usize,
    y: usize,
}

/// Writes all files.
pub fn write(options: &Options, ground: &Ground) -> Result<()> {
    let scenes = lay_out(options);
    match options.layout {
        Arrangement::Tiles => scenes.par_iter().try_for_each(|scene| write_scene(options, ground, scene)),
        // One at a time, each on every CPU: a large scene's blocks are held until they are compressed.
        _ => scenes.iter().try_for_each(|scene| write_scene(options, ground, scene)),
    }
}

/// Positions of all files: rows of a square.
fn lay_out(options: &Options) -> Vec<Scene> {
    let columns = (1..).find(|columns| columns * columns >= options.count).unwrap_or(1);
    let (step, word) = match options.layout {
        Arrangement::Tiles => (options.side, "tile"),
        _ => (options.side * 4991 / 5490, "scene"),
    };
    (0..options.count)
        .map(|number| {
            let (row, column) = (number / columns, number % columns);
            Scene {
                number,
                name: format!("{word}_{row:02}_{column:02}.tif"),
                x: column * step,
                y: row * step,
            }
        })
        .collect()
}

fn write_scene(options: &Options, ground: &Ground, scene: &Scene) -> Result<()> {
    let mut file = RasterFile::create(Layout {
        path: options.folder.join(&scene.name),
        kind: options.kind,
        side: options.side,
        coarseness: 1,
        x: scene.x,
        y: scene.y,
        bands: options.descriptions(),
        block: options.block,
        threads: options.layout != Arrangement::Tiles,
    })?;
    let make = |start, rows| patch(options, ground, scene, start, rows);
    in_patches(options.side, make, |start, planes| file.write(start, planes))?;
    file.finish()
}

/// The stored values of some rows from `start` on, one plane a band.
fn patch(options: &Options, ground: &Ground, scene: &Scene, start: usize, rows: usize) -> Vec<Vec<f32>> {
    let view = View { scene: scene.number as u64, growth: 0.0 };
    let mut planes = ground.patch(&view, scene.x as i64, (scene.y + start) as i64, options.side, rows);
    for plane in &mut planes {
        for (row, values) in plane.chunks_mut(options.side).enumerate() {
            let seen = swath(options, start + row);
            for (column, value) in values.iter_mut().enumerate() {
                *value = if seen.contains(&column) { options.kind.stored(*value) } else { 0.0 };
            }
        }
    }
    planes
}

/// Columns of a row that the swath covers. A descending orbit: its edges run from the upper right to the lower left.
fn swath(options: &Options, row: usize) -> std::ops::Range<usize> {
    if options.layout == Arrangement::Tiles {
        return 0..options.side;
    }
    let (side, down) = (options.side as f64, row as f64 / options.side as f64);
    let (left, right) = (side * WEDGE * (1.0 - down), side * (1.0 - WEDGE * down));
    left.round() as usize..right.round() as usize
}
