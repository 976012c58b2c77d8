//! Bands that no source has, made a second time of a decided pixel.

use super::Decided;
use super::value::Expected;
use crate::pixels::{Bounds, Formula, Precision, Real, find_band};
use crate::source::{Beside, Compiled, Mosaic};

/// One pixel of all the mosaic's bands; `None` where there are no data.
pub(super) fn of_pixel(mosaic: &Mosaic, decided: Decided) -> Vec<Option<Expected>> {
    let Some(derived) = &mosaic.derived else { return decided.bands };
    let held = |band: Option<Expected>| band.map(|expected| expected.held_by(mosaic.pixel_type));
    let made = match &derived.formulas {
        None => decided.bands.clone(),
        Some(compiled) => of_formulas(compiled, &decided.bands),
    };
    let mut bands: Vec<Option<Expected>> = made.into_iter().map(held).collect();
    let has_data = bands.iter().any(Option::is_some);
    let is_unsure = !bands.iter().flatten().any(|expected| !expected.is_unsure());
    for beside in derived.beside.iter().filter(|_| has_data) {
        let told = Expected::any_of(&tell(*beside, mosaic, &decided));
        bands.push(held(told.map(|told| told.or_nothing_if(is_unsure))));
    }
    bands.resize(mosaic.bands.len(), None);
    bands
}

/// What formulas give, not rounded to any type of pixels.
pub(super) fn of_formulas(compiled: &Compiled, bands: &[Option<Expected>]) -> Vec<Option<Expected>> {
    let of = |formula: &Formula| match compiled.program.precision() {
        Precision::Single => Expected::within(formula.bounds::<f32>(&|name| bounds(compiled, bands, name))),
        Precision::Double => Expected::within(formula.bounds::<f64>(&|name| bounds(compiled, bands, name))),
    };
    compiled.formulas.iter().map(of).collect()
}

/// What the band that a formula calls so lies between.
fn bounds<F: Real>(compiled: &Compiled, bands: &[Option<Expected>], name: &str) -> Bounds<F> {
    let band = find_band(name, &compiled.bands).ok().and_then(|index| bands[index]);
    band.map_or(Bounds::NOTHING, Expected::bounds)
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
