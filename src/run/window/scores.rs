//! The scores by which a pixel's scenes are told apart.

use crate::geometry::{Grid, Window};
use crate::pixels::{Buffer, Evaluator, PixelType, Present, Stack};
use crate::source::{Score, StackedScene};

/// The scores of an area's scenes, and the memory in which formulas are computed.
#[derive(Default)]
pub struct Scores {
    /// Scenes × rows × columns; NaN where a scene has none.
    pub values: Vec<f32>,
    evaluator: Evaluator,
    result: Option<Buffer>,
    valid: Vec<u8>,
}

impl Scores {
    /// Adds the scores of a scene, the last in the stack of the bands that are read; a score is NaN where a band that it
    /// is computed of is not `present`.
    pub fn add(
        &mut self,
        score: &Score,
        (scene, area): (&StackedScene, Window),
        grid: &Grid,
        (stack, present): (&Stack, Present),
    ) {
        match score {
            Score::FromEdge => self.add_distances(scene, area, grid),
            Score::Formula { program, .. } => {
                let mut result = self.result.take().unwrap_or_else(|| Buffer::zeros(PixelType::Float32, 0));
                result.resize(area.pixels());
                self.valid.resize(area.pixels(), 0);
                let bands = stack.last_scene();
                self.evaluator.run(program, &bands, present, &mut result, &mut self.valid);
                let score = |(&value, &valid): (&f32, &u8)| if valid == 0 { f32::NAN } else { value };
                self.values.extend(result.pixels::<f32>().iter().zip(&self.valid).map(score));
                self.result = Some(result);
            }
        }
    }

    /// How far the pixels' centres lie from the nearest of the scene's edges, in units of the CRS.
    fn add_distances(&mut self, scene: &StackedScene, area: Window, grid: &Grid) {
        let edges = scene.bounds;
        let (left, top) = (grid.bounds().min_x, grid.bounds().max_y);
        for row in area.row..area.end_row() {
            let y = top - (row as f64 + 0.5) * grid.resolution.y;
            let vertical = (y - edges.min_y).min(edges.max_y - y);
            self.values.extend((area.column..area.end_column()).map(|column| {
                let x = left + (column as f64 + 0.5) * grid.resolution.x;
                (x - edges.min_x).min(edges.max_x - x).min(vertical) as f32
            }));
        }
    }
}
