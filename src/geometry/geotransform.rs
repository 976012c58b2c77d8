//! From pixels to map coordinates and back.

use std::fmt;

use super::{Size, Window};

/// GDAL's six coefficients: `x = g0 + column·g1 + row·g2`, `y = g3 + column·g4 + row·g5`.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GeoTransform(pub [f64; 6]);

impl GeoTransform {
    /// Whether rows or columns are not parallel to the axes.
    pub fn is_rotated(&self) -> bool {
        self.0[2] != 0.0 || self.0[4] != 0.0
    }

    /// Whether columns run from west to east and rows from north to south, without rotation.
    pub fn is_north_up(&self) -> bool {
        !self.is_rotated() && self.0[1] > 0.0 && self.0[5] < 0.0
    }

    /// That of a raster of `size` pixels whose columns or rows run the other way; nothing where it is rotated.
    pub fn turned_north_up(&self, size: Size) -> Option<GeoTransform> {
        let bounds = self.bounds(size);
        let turned = [bounds.min_x, self.0[1].abs(), 0.0, bounds.max_y, 0.0, -self.0[5].abs()];
        (!self.is_rotated()).then_some(GeoTransform(turned))
    }

    /// Map position of a pixel position (whole numbers are pixel corners).
    pub fn apply(&self, column: f64, row: f64) -> (f64, f64) {
        let g = &self.0;
        (g[0] + column * g[1] + row * g[2], g[3] + column * g[4] + row * g[5])
    }

    /// From map positions back to pixel positions; nothing where all pixels lie on a line.
    pub fn inverse(&self) -> Option<GeoTransform> {
        let g = &self.0;
        let determinant = g[1] * g[5] - g[2] * g[4];
        let inverse = GeoTransform([
            (g[2] * g[3] - g[0] * g[5]) / determinant,
            g[5] / determinant,
            -g[2] / determinant,
            (g[0] * g[4] - g[1] * g[3]) / determinant,
            -g[4] / determinant,
            g[1] / determinant,
        ]);
        inverse.0.iter().all(|number| number.is_finite()).then_some(inverse)
    }

    /// The smallest box around a raster of `size`.
    pub fn bounds(&self, size: Size) -> Bounds {
        let (columns, rows) = (size.columns as f64, size.rows as f64);
        let corners =
            [(0.0, 0.0), (columns, 0.0), (0.0, rows), (columns, rows)].map(|(c, r)| self.apply(c, r));
        let fold = |pick: fn(&(f64, f64)) -> f64, choose: fn(f64, f64) -> f64| {
            corners.iter().map(pick).reduce(choose).expect("four corners")
        };
        Bounds {
            min_x: fold(|c| c.0, f64::min),
            min_y: fold(|c| c.1, f64::min),
            max_x: fold(|c| c.0, f64::max),
            max_y: fold(|c| c.1, f64::max),
        }
    }
}

/// A box in map coordinates, in the units of the CRS.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Bounds {
    /// West edge.
    pub min_x: f64,
    /// South edge.
    pub min_y: f64,
    /// East edge.
    pub max_x: f64,
    /// North edge.
    pub max_y: f64,
}

impl Bounds {
    /// What lies in both.
    pub fn common(self, other: Bounds) -> Bounds {
        Bounds {
            min_x: self.min_x.max(other.min_x),
            min_y: self.min_y.max(other.min_y),
            max_x: self.max_x.min(other.max_x),
            max_y: self.max_y.min(other.max_y),
        }
    }

    /// The smallest box around both.
    pub fn union(self, other: Bounds) -> Bounds {
        Bounds {
            min_x: self.min_x.min(other.min_x),
            min_y: self.min_y.min(other.min_y),
            max_x: self.max_x.max(other.max_x),
            max_y: self.max_y.max(other.max_y),
        }
    }

    /// The window of a grid that this box touches, cut to the grid; `None` where it lies outside.
    ///
    /// An edge within a thousandth of a pixel of a pixel's edge counts as lying on it, as GDAL counts.
    pub fn touched_window(self, grid: &super::Grid) -> Option<Window> {
        const SLACK: f64 = 1e-3;
        let clamp = |value: f64, end: usize| value.clamp(0.0, end as f64) as usize;
        let (columns, rows) = (grid.size.columns, grid.size.rows);
        let column = clamp(((self.min_x - grid.origin_x) / grid.resolution.x + SLACK).floor(), columns);
        let end_column = clamp(((self.max_x - grid.origin_x) / grid.resolution.x - SLACK).ceil(), columns);
        let row = clamp(((grid.origin_y - self.max_y) / grid.resolution.y + SLACK).floor(), rows);
        let end_row = clamp(((grid.origin_y - self.min_y) / grid.resolution.y - SLACK).ceil(), rows);
        (column < end_column && row < end_row)
            .then(|| Window::new(column, row, end_column - column, end_row - row))
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}, {}, {}, {}", self.min_x, self.min_y, self.max_x, self.max_y)
    }
}
