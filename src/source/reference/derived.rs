//! Bands that no source has, made a second time of a decided pixel.

use super::Decided;
use super::value::{Expected, Value};
use crate::pixels::{PixelType, Precision, find_band};
use crate::source::{Beside, Compiled, Mosaic};

/// One pixel of all the mosaic's bands; `None` where there are no data.
pub(super) fn of_pixel(mosaic: &Mosaic, decided: Decided) -> Vec<Option<Expected>> {
    let Some(derived) = &mosaic.derived else { return decided.bands };
    let held = |expected: Expected| expected.held_by(mosaic.pixel_type);
    let mut bands: Vec<Option<Expected>> = match &derived.formulas {
        None => decided.bands.iter().map(|band| band.map(held)).collect(),
        Some(compiled) => of_formulas(compiled, &decided.bands, mosaic.pixel_type),
    };
    let has_data = bands.iter().any(Option::is_some);
    for beside in &derived.beside {
        let told = tell(*beside, mosaic, &decided);
        let numbers = has_data.then_some(told).filter(|numbers| !numbers.is_empty());
        bands.push(numbers.and_then(|numbers| Expected::any_of(&numbers, mosaic.pixel_type)));
    }
    bands
}

/// What formulas give.
pub(super) fn of_formulas(
    compiled: &Compiled,
    bands: &[Option<Expected>],
    pixel_type: PixelType,
) -> Vec<Option<Expected>> {
    let index = |name: &str| find_band(name, &compiled.bands).ok();
    compiled
        .formulas
        .iter()
        .map(|formula| {
            // Of bands that are known within an accuracy both ends are taken.
            let of = |end: &dyn Fn(Expected) -> Value| {
                let band = |name: &str| bands[index(name)?].map(|expected| end(expected).to_f64());
                match compiled.program.precision() {
                    Precision::Single => {
                        let band = |name: &str| band(name).map(|value| value as f32);
                        formula.value::<f32>(&band).map(f64::from)
                    }
                    Precision::Double => formula.value::<f64>(&band),
                }
            };
            let (low, high) = (of(&Expected::low)?, of(&Expected::high)?);
            Some(Expected::between(low, high, pixel_type))
        })
        .collect()
}

/// The numbers that may be told beside.
fn tell(beside: Beside, mosaic: &Mosaic, decided: &Decided) -> Vec<i128> {
    let scenes = mosaic.stack.as_ref().map_or(&[][..], |stack| &stack.scenes);
    let day =
        |scene: &usize| scenes[*scene].date.map(|date| (date - chrono::NaiveDate::default()).num_days());
    match beside {
        Beside::Count => vec![decided.count as i128],
        Beside::Provenance => decided.nearest.iter().map(|&scene| scene as i128 + 1).collect(),
        Beside::Date => decided.nearest.iter().filter_map(day).map(i128::from).collect(),
    }
}
