//! The grids that sources make together.

use super::*;
use proptest::prelude::*;

fn footprint(x: f64, y: f64, columns: usize, rows: usize, resolution: f64) -> Footprint {
    let size = Size::new(columns, rows);
    let geotransform = GeoTransform([x, resolution, 0.0, y, 0.0, -resolution]);
    let resolution = Resolution { x: resolution, y: resolution };
    Footprint { bounds: geotransform.bounds(size), resolution, size, full_turn: None }
}

fn asked(resolution: ResolutionRule, align: bool) -> GridRequest {
    GridRequest { resolution, bounds: None, align }
}

#[test]
fn resolution_rules_give_the_sizes_gdal_gives() {
    let sources = [footprint(2.0, 49.0, 1, 1, 1.0), footprint(3.0, 49.0, 2, 2, 0.5)];
    let size = |rule| unify(&sources, &asked(rule, false)).unwrap().size;
    assert_eq!(size(ResolutionRule::Average), Size::new(3, 1));
    assert_eq!(size(ResolutionRule::Highest), Size::new(4, 2));
    assert_eq!(size(ResolutionRule::Lowest), Size::new(2, 1));
    let given = ResolutionRule::Given(Resolution { x: 0.3, y: 0.6 });
    let aligned = unify(&sources, &asked(given, true)).unwrap();
    assert_eq!(aligned.size, Size::new(8, 2));
    assert!((aligned.origin_x - 1.8).abs() < 1e-9 && (aligned.origin_y - 49.2).abs() < 1e-9);
    let refused = unify(&sources, &asked(ResolutionRule::Same, false));
    assert_eq!(refused, Err(GridError::MixedResolution(0, 1)));
}

#[test]
fn the_common_resolution_divides_every_source() {
    let sources = [footprint(2.0, 49.0, 5, 5, 3.0), footprint(17.0, 49.0, 3, 3, 5.0)];
    let grid = unify(&sources, &asked(ResolutionRule::Common, false)).unwrap();
    assert_eq!((grid.size, grid.resolution.x), (Size::new(30, 15), 1.0));
}

#[test]
fn a_grid_wider_than_gdal_can_hold_is_refused() {
    let sources = [footprint(0.0, 0.0, 1, 1, 1.0), footprint(3e9, 0.0, 1, 1, 1.0)];
    assert!(matches!(unify(&sources, &asked(ResolutionRule::Same, false)), Err(GridError::TooLarge(..))));
}

proptest! {
    #[test]
    fn pieces_of_a_raster_give_its_grid_back(
        columns in 2usize..5000, rows in 2usize..5000, cut in 0.01f64..0.99,
        x in -1e6f64..1e6, y in -1e6f64..1e6, resolution in 0.001f64..1000.0,
    ) {
        let left = ((columns as f64 * cut) as usize).clamp(1, columns - 1);
        let pieces = [
            footprint(x, y, left, rows, resolution),
            footprint(x + left as f64 * resolution, y, columns - left, rows, resolution),
        ];
        let grid = unify(&pieces, &asked(ResolutionRule::Same, false)).unwrap();
        prop_assert_eq!(grid.size, Size::new(columns, rows));
        let geotransform = GeoTransform([x + left as f64 * resolution, resolution, 0.0, y, 0.0, -resolution]);
        let offset = grid.whole_pixel_offset(&geotransform, pieces[1].size);
        prop_assert_eq!(offset, Some((left as i64, 0)));
        let touched = pieces[1].bounds.touched_window(&grid);
        prop_assert_eq!(touched, Some(Window::new(left, 0, columns - left, rows)));
    }
}
