//! Values that GDAL's overviews have, and that parts and seams give what the whole gives.

use proptest::prelude::*;

use super::*;

/// The whole smaller level of a whole level.
fn smaller(area: &Area, target: Size, resampling: OverviewResampling, validity: &[Validity]) -> Tile {
    let downsample = Downsample::new(area.window.size(), target, resampling);
    let fill = vec![Number::Whole(0); validity.len()];
    let window = Window::whole(target);
    let mut tile = Tile::empty(area.pixels.pixel_type(), &fill, area.mask.is_some(), window);
    downsample.fill(area, validity, window, &mut tile);
    tile
}

fn row_of<T: Pixel>(
    pixels: &Buffer,
    columns: usize,
    target: usize,
    how: OverviewResampling,
    validity: Validity,
) -> Vec<T> {
    let window = Window::new(0, 0, columns, pixels.len() / columns);
    let target = Size::new(target, window.rows.div_ceil(2));
    let area = Area { window, pixels, mask: None };
    smaller(&area, target, how, &[validity]).pixels.pixels::<T>().to_vec()
}

use OverviewResampling::{Average, Bilinear, Cubic, Mode, Nearest};

#[test]
fn means_round_half_away_from_zero() {
    let bytes = Buffer::Byte(vec![1, 2, 3, 4, 1, 2, 3, 3]);
    assert_eq!(row_of::<u8>(&bytes, 4, 2, Average, Validity::All), [2, 3]);
    let numbers = Buffer::Int16(vec![-1, -2, 3, -3, -1, -2, 0, -1]);
    assert_eq!(row_of::<i16>(&numbers, 4, 2, Average, Validity::All), [-2, 0]);
    let large = Buffer::UInt64(vec![u64::MAX; 4]);
    assert_eq!(row_of::<u64>(&large, 2, 1, Average, Validity::All), [u64::MAX]);
}

#[test]
fn nodata_does_not_count_and_never_comes_about_by_chance() {
    let nodata = Validity::Nodata(Number::Whole(7));
    let bytes = Buffer::Byte(vec![7, 7, 7, 9, 6, 8, 7, 7, 7, 10, 6, 8]);
    assert_eq!(row_of::<u8>(&bytes, 6, 3, Average, nodata), [7, 10, 8]);
    assert_eq!(row_of::<u8>(&bytes, 6, 3, Mode, nodata), [7, 9, 6]);
    assert_eq!(row_of::<u8>(&bytes, 6, 3, Nearest, nodata), [7, 7, 6]);
    let below_zero = Buffer::Int16(vec![-5, -5, -5, 9, -5, -5, -5, -5]);
    let nodata = Validity::Nodata(Number::Whole(-5));
    assert_eq!(row_of::<i16>(&below_zero, 4, 2, Mode, nodata), [-5, 9]);
    let floats = Buffer::Float32(vec![f32::NAN, 1.0, f32::NAN, f32::NAN]);
    let means = row_of::<f32>(&floats, 2, 1, Average, Validity::Nodata(Number::Float(f64::NAN)));
    assert_eq!(means, [1.0]);
}

#[test]
fn pixels_of_an_odd_level_count_by_their_part_below() {
    // Three columns become two of 1.5 each.
    let bytes = Buffer::Byte(vec![0, 90, 180, 0, 90, 180]);
    assert_eq!(row_of::<u8>(&bytes, 3, 2, Average, Validity::All), [30, 150]);
    assert_eq!(row_of::<u8>(&bytes, 3, 2, Nearest, Validity::All), [0, 180]);
    let three = Buffer::Byte(vec![5, 9, 9, 5, 9, 9]);
    assert_eq!(row_of::<u8>(&three, 3, 2, Mode, Validity::All), [5, 9]);
}

#[test]
fn a_transparent_pixel_does_not_count_but_in_the_alpha_band_itself() {
    let pixels = Buffer::Byte(vec![10, 20, 30, 40, 0, 255, 0, 255]);
    let area = Area { window: Window::new(0, 0, 2, 2), pixels: &pixels, mask: None };
    let tile = smaller(&area, Size::square(1), Average, &[Validity::Alpha(1), Validity::All]);
    assert_eq!(tile.pixels, Buffer::Byte(vec![30, 128]));
}

#[test]
fn kernels_weigh_the_valid_pixels_by_distance() {
    let bytes = Buffer::Byte([0, 0, 8, 8, 16, 16, 0, 0].repeat(2));
    assert_eq!(row_of::<u8>(&bytes, 8, 4, Bilinear, Validity::All), [1, 8, 13, 2]);
    let nodata = Validity::Nodata(Number::Whole(0));
    assert_eq!(row_of::<u8>(&bytes, 8, 4, Bilinear, nodata), [8, 9, 15, 16]);
    // Weights below zero make an edge steeper, beyond its values; no byte is below zero.
    let edge = Buffer::Byte([0, 0, 0, 0, 0, 0, 0, 0, 80, 80, 80, 80, 80, 80, 80, 80].repeat(2));
    assert_eq!(row_of::<u8>(&edge, 16, 8, Cubic, Validity::All)[2..6], [0, 5, 75, 81]);
}

#[test]
fn cubic_wants_half_of_a_kernel_valid_in_one_piece() {
    let nodata = Validity::Nodata(Number::Whole(0));
    let row = |valid: std::ops::Range<u8>| {
        let pixels: Vec<u8> = (0..16).map(|column| if valid.contains(&column) { 9 } else { 0 }).collect();
        row_of::<u8>(&Buffer::Byte(pixels.repeat(2)), 16, 8, Cubic, nodata)[3]
    };
    assert_eq!((row(5..8), row(5..9)), (0, 9));
}

proptest! {
    #[test]
    fn parts_and_strips_across_their_seams_give_what_the_whole_gives(
        columns in 1usize..90, rows in 1usize..90, part in 1usize..5, up in any::<bool>(), factor in 2usize..4,
        how in prop::sample::select(OverviewResampling::ALL), masked in any::<bool>(), seed in any::<u64>(),
    ) {
        let size = Size::new(columns, rows);
        let shorter = |side: usize| if up { side.div_ceil(factor) } else { (side / factor).max(1) };
        let target = Size::new(shorter(columns), shorter(rows));
        let value = |index: usize| (seed.wrapping_mul(index as u64 + 1) >> 40) as u16 % 5;
        let pixels = Buffer::UInt16((0..2 * size.pixels()).map(value).collect());
        let mask: Vec<u8> = (0..size.pixels()).map(|index| u8::from(value(index + 7) > 1)).collect();
        let whole = Area { window: Window::whole(size), pixels: &pixels, mask: masked.then_some(&mask) };
        let validity = [if masked { Validity::Mask } else { Validity::Nodata(Number::Whole(0)) }, Validity::All];
        let wanted = smaller(&whole, target, how, &validity);

        let downsample = Downsample::new(size, target, how);
        let fill = [Number::Whole(0); 2];
        let mut made = Tile::empty(PixelType::UInt16, &fill, masked, Window::whole(target));
        let side = 8 * part;
        for row in (0..rows).step_by(side) {
            for column in (0..columns).step_by(side) {
                let window = Window::new(column, row, side, side).intersection(Window::whole(size)).unwrap();
                let mut area = Tile::empty(PixelType::UInt16, &fill, masked, window);
                area.copy_from(&whole);
                let inside = (
                    downsample.columns.inside(column..window.end_column()),
                    downsample.rows.inside(row..window.end_row()),
                );
                if inside.0.is_empty() || inside.1.is_empty() { continue; }
                let target = Window::new(inside.0.start, inside.1.start, inside.0.len(), inside.1.len());
                downsample.fill(&area.area(), &validity, target, &mut made);
            }
        }
        let seams = (side..columns).step_by(side).map(|seam| (downsample.columns.across(seam), 0..target.rows));
        let lower = (side..rows).step_by(side).map(|seam| (0..target.columns, downsample.rows.across(seam)));
        for (across, along) in seams.chain(lower).filter(|(a, b)| !a.is_empty() && !b.is_empty()) {
            let strip = Window::new(across.start, along.start, across.len(), along.len());
            let mut area = Tile::empty(PixelType::UInt16, &fill, masked, downsample.below(strip));
            area.copy_from(&whole);
            downsample.fill(&area.area(), &validity, strip, &mut made);
        }
        prop_assert_eq!(made, wanted);
    }
}
