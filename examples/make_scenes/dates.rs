//! Acquisitions of one tile on many dates: a folder a date with `bands.tif`, and with `SCL.tif` at half the resolution.
//!
//! Clouds hide about a third of each, parcels grow and are cut from date to date. For programs that know no masks there
//! may be a second copy of the bands without what the classification calls cloudy.

use anyhow::{Result, ensure};

use super::clouds::{self, class};
use super::ground::{Ground, View};
use super::raster_file::{Kind, Layout, RasterFile, folder};
use super::{Options, in_patches};

/// Days from one acquisition to the next, as two satellites give them.
const DAYS: usize = 5;
/// How much parcels differ from date to date.
const GROWTH: f32 = 0.08;
/// Pixels of the ground below a side of one of the classification.
const COARSENESS: usize = 2;
/// Red and near infrared among the bands.
const RED: usize = 2;
const INFRARED: usize = 3;

/// Writes all dates.
pub fn write(options: &Options, ground: &Ground) -> Result<()> {
    ensure!(options.bands > INFRARED, "dates need four bands: two of them tell water from woods");
    (0..options.count).try_for_each(|number| write_date(options, ground, number))
}

/// The files of one date.
fn write_date(options: &Options, ground: &Ground, number: usize) -> Result<()> {
    let date = day(number * DAYS);
    let home = options.folder.join(&date);
    folder(&home)?;
    let bands = |path| Layout {
        path,
        kind: options.kind,
        side: options.side,
        coarseness: 1,
        x: 0,
        y: 0,
        bands: options.descriptions(),
        block: options.block,
        threads: true,
    };
    let mut files = [
        Some(RasterFile::create(bands(home.join("bands.tif")))?),
        options
            .masked
            .as_ref()
            .map(|home| RasterFile::create(bands(home.join(format!("{date}.tif")))))
            .transpose()?,
    ];
    let mut classes = RasterFile::create(Layout {
        kind: Kind::Uint8,
        side: options.side.div_ceil(COARSENESS),
        coarseness: COARSENESS,
        bands: vec!["SCL".into()],
        ..bands(home.join("SCL.tif"))
    })?;
    let make = |start, rows| Patch::make(options, ground, number as u64, start, rows);
    in_patches(options.side, make, |start, patch: Patch| {
        let masked = files[1].is_some().then(|| patch.masked(options.side));
        for (file, planes) in files.iter_mut().zip([Some(patch.planes), masked]) {
            if let (Some(file), Some(planes)) = (file, planes) {
                file.write(start, planes)?;
            }
        }
        classes.write(start / COARSENESS, vec![patch.classes.into_iter().map(f32::from).collect()])
    })?;
    files.into_iter().flatten().try_for_each(RasterFile::finish)?;
    classes.finish()
}

/// Some rows of a date.
struct Patch {
    /// Stored values, one plane a band.
    planes: Vec<Vec<f32>>,
    /// Classes of squares of pixels.
    classes: Vec<u8>,
}

impl Patch {
    fn make(options: &Options, ground: &Ground, date: u64, start: usize, rows: usize) -> Patch {
        let side = options.side;
        let view = View { scene: date, growth: GROWTH };
        let mut planes = ground.patch(&view, 0, start as i64, side, rows);
        let shares: Vec<f32> = (start..start + rows)
            .flat_map(|y| clouds::cover(options.seed, date, 0, y as i64, side))
            .collect();
        // The class of a square is that of its first pixel.
        let corners = (0..rows)
            .step_by(COARSENESS)
            .flat_map(|row| (0..side).step_by(COARSENESS).map(move |x| row * side + x));
        let classes =
            corners.map(|at| clouds::classify(shares[at], planes[RED][at], planes[INFRARED][at])).collect();
        for plane in &mut planes {
            for (value, share) in plane.iter_mut().zip(&shares) {
                *value = options.kind.stored(clouds::over(*value, *share));
            }
        }
        Patch { planes, classes }
    }

    /// The planes without what is cloudy: each pixel by the class of its square, the nearest.
    fn masked(&self, side: usize) -> Vec<Vec<f32>> {
        let columns = side.div_ceil(COARSENESS);
        let class_of = |at: usize| self.classes[at / side / COARSENESS * columns + at % side / COARSENESS];
        let of_plane = |plane: &Vec<f32>| {
            plane
                .iter()
                .enumerate()
                .map(|(at, &value)| if class::hides(class_of(at)) { 0.0 } else { value })
                .collect()
        };
        self.planes.iter().map(of_plane).collect()
    }
}

/// The date so many days after the first of 2024, as YYYY-MM-DD.
fn day(after: usize) -> String {
    let (mut year, mut day) = (2024, after);
    loop {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let months = [31, 28 + usize::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        for (month, days) in (1..).zip(months) {
            if day < days {
                return format!("{year}-{month:02}-{:02}", day + 1);
            }
            day -= days;
        }
        year += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_run_on_over_months_and_years() {
        assert_eq!(
            [0, 30, 31, 59, 60, 365, 366].map(day),
            [
                "2024-01-01",
                "2024-01-31",
                "2024-02-01",
                "2024-02-29",
                "2024-03-01",
                "2024-12-31",
                "2025-01-01"
            ]
        );
    }

    #[test]
    fn what_is_masked_is_what_the_nearest_class_hides() {
        let classes = vec![class::CLOUD, class::BARE, class::WATER, class::MAYBE_CLOUD];
        let patch = Patch { planes: vec![vec![7.0; 9]], classes };
        assert_eq!(patch.masked(3), [[0.0, 0.0, 7.0, 0.0, 0.0, 7.0, 7.0, 7.0, 0.0]]);
    }
}
