//! How densely a raster's pixels lie on a grid that they are warped to.

use super::Size;

/// How far one steps in a raster with each step from pixel to pixel of a grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Density {
    /// The raster's columns, with a step to the right and with one down.
    pub columns: [f64; 2],
    /// The raster's rows, with a step to the right and with one down.
    pub rows: [f64; 2],
}

impl Density {
    /// Of the places in the raster (column, row) of a pixel of the grid, of the one to its right and of the one below;
    /// nothing where one of them is no place.
    pub fn of(at: (f64, f64), right: (f64, f64), below: (f64, f64)) -> Option<Density> {
        let density =
            Density { columns: [right.0 - at.0, below.0 - at.0], rows: [right.1 - at.1, below.1 - at.1] };
        let (columns, rows) = density.across();
        (columns.is_finite() && rows.is_finite() && columns > 0.0 && rows > 0.0).then_some(density)
    }

    /// How many of the raster's columns and rows lie across a pixel of the grid, however the one is turned against the
    /// other.
    pub fn across(&self) -> (f64, f64) {
        let length = |[right, down]: [f64; 2]| right.hypot(down);
        (length(self.columns), length(self.rows))
    }

    /// Columns and rows of the smallest box in the raster around so many of the grid's pixels.
    pub fn around(&self, size: Size) -> (f64, f64) {
        let (columns, rows) = (size.columns as f64, size.rows as f64);
        let extent = |[right, down]: [f64; 2]| right.abs() * columns + down.abs() * rows;
        (extent(self.columns), extent(self.rows))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn turning_a_raster_changes_what_lies_around_and_not_what_lies_across(
            angle in 0.0..std::f64::consts::TAU,
            times in 0.01..100.0f64,
        ) {
            let (sin, cos) = angle.sin_cos();
            let turned = Density::of((7.0, 9.0), (7.0 + times * cos, 9.0 + times * sin), (7.0 - times * sin, 9.0 + times * cos));
            let turned = turned.unwrap();
            let close = |(a, b): (f64, f64), wanted: f64| {
                (a - wanted).abs() < 1e-9 * wanted.max(1.0) && (b - wanted).abs() < 1e-9 * wanted.max(1.0)
            };
            prop_assert!(close(turned.across(), times), "{turned:?}");
            prop_assert!(close(turned.around(Size::square(8)), 8.0 * times * (sin.abs() + cos.abs())), "{turned:?}");
        }
    }

    #[test]
    fn what_is_no_place_has_no_density() {
        let nowhere = (f64::INFINITY, 0.0);
        assert_eq!(Density::of(nowhere, (1.0, 0.0), (0.0, 1.0)), None);
        assert_eq!(Density::of((0.0, 0.0), (0.0, 0.0), (0.0, 0.0)), None);
        assert_eq!(Density::of((0.0, 0.0), (1.0, f64::NAN), (0.0, 1.0)), None);
    }
}
