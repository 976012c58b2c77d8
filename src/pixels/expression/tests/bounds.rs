//! What formulas of uncertain bands are bounded by.

use proptest::prelude::*;

use super::properties::{numbers, trees};
use crate::pixels::expression::*;

/// Of each of four bands two ends, a number between them or at one, and whether it may be no data.
fn bands() -> impl Strategy<Value = Vec<(f64, f64, f64, bool)>> {
    let wide = (numbers(), numbers(), numbers());
    let narrow = (numbers(), 0..4u32, 0..4u32).prop_map(|(number, below, above)| {
        let part = |steps: u32| number.abs() * f64::from(steps) * 1e-5;
        (number - part(below), number, number + part(above))
    });
    let infinite = numbers().prop_map(|number| (number, f64::INFINITY, f64::NEG_INFINITY));
    let exact = numbers().prop_map(|number| (number, number, number));
    let three = prop_oneof![3 => wide, 4 => narrow, 1 => infinite, 2 => exact];
    let band = (three, 0..3u8, 0..12u8).prop_map(|((a, b, c), at, nothing)| {
        let mut three = [a, b, c];
        three.sort_by(f64::total_cmp);
        (three[0], three[2], three[[0, 1, 2][usize::from(at)]], nothing == 0)
    });
    prop::collection::vec(band, 4)
}

/// Whether the plain value lies within the bounds, of the bands as they are or of those that may be without data; and is
/// just the bounds where the bands are known exactly.
fn assert_bounded<F: Real>(formula: &Formula, bands: &[(f64, f64, f64, bool)]) {
    let index = |name: &str| find_band(name, &super::bands()).unwrap();
    let within = |name: &str| {
        let (low, high, _, nothing) = bands[index(name)];
        Bounds { or_nothing: nothing, ..Bounds::between(F::from_f64(low), F::from_f64(high)) }
    };
    let bounds = formula.bounds::<F>(&within);
    for absent in [false, true] {
        let band = |name: &str| {
            let (_, _, value, nothing) = bands[index(name)];
            (!(absent && nothing)).then(|| F::from_f64(value))
        };
        let holds = match formula.value::<F>(&band) {
            None => bounds.or_nothing,
            Some(value) => bounds.between.is_some_and(|(low, high)| low <= value && value <= high),
        };
        assert!(holds, "{:?} is not in {bounds:?}: {formula:?} of {bands:?}", formula.value::<F>(&band));
        let exactly = |name: &str| band(name).map_or(Bounds::NOTHING, Bounds::exactly);
        let exact = formula.bounds::<F>(&exactly);
        let bits = |value: Option<F>| value.map(|value| value.to_f64().to_bits());
        assert_eq!(bits(exact.between.map(|(low, _)| low)), bits(formula.value::<F>(&band)));
        assert_eq!(bits(exact.between.map(|(_, high)| high)), bits(formula.value::<F>(&band)));
        assert_eq!(exact.or_nothing, exact.between.is_none());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn plain_values_lie_within_the_bounds(tree in trees(), bands in bands()) {
        let formula = Formula { name: None, tree };
        assert_bounded::<f64>(&formula, &bands);
        assert_bounded::<f32>(&formula, &bands);
    }
}

/// The bounds of a formula whose band `b1` lies between these.
fn bounds(text: &str, low: f64, high: f64) -> Bounds<f64> {
    let formula = Formula::parse(text).unwrap().remove(0);
    formula.bounds(&|_: &str| Bounds::between(low, high))
}

#[test]
fn bounds_are_narrow() {
    for (text, low, high, expected) in [
        ("2 * b1 + 1", 3.0, 3.5, (7.0, 8.0)),
        ("(5 - b1) / (5 + b1)", 3.0, 5.0, (0.0, 0.25)),
        ("b1 ** 2", -2.0, 1.0, (0.0, 4.0)),
        ("1 / b1", 0.0, 4.0, (0.25, f64::INFINITY)),
        ("1 / b1", -4.0, 4.0, (f64::NEG_INFINITY, f64::INFINITY)),
        ("b1 % 7", 15.0, 16.0, (1.0, 2.0)),
        ("b1 % 7", 20.0, 22.0, (0.0, 7.0)),
        ("floor(b1)", 2.1, 2.9, (2.0, 2.0)),
        ("where(b1 > 3, 1, 0)", 3.1, 3.2, (1.0, 1.0)),
        ("where(b1 > 3, b1, 0)", 2.9, 3.2, (0.0, 3.2)),
        ("b1 == 3", 3.1, 3.2, (0.0, 0.0)),
        ("max(b1, 3)", 2.0, 2.5, (3.0, 3.0)),
    ] {
        assert_eq!(bounds(text, low, high).between, Some(expected), "{text} of {low} to {high}");
        assert!(!bounds(text, low, high).or_nothing, "{text} of {low} to {high}");
    }
    for (text, low, high) in [("sin(b1)", 1.0, 1.001), ("exp(b1)", 1.0, 1.001), ("b1 ** 3.5", 1.0, 1.001)] {
        let (least, most) = bounds(text, low, high).between.unwrap();
        assert!(most - least < 0.01, "{text} of {low} to {high}: {least} to {most}");
    }
}

#[test]
fn what_may_be_no_data_is_said() {
    for (text, low, high, numbers) in [
        ("sqrt(b1)", -1.0, 4.0, Some((-0.0, 2.0))),
        ("sqrt(b1)", -4.0, -1.0, None),
        ("asin(b1)", 2.0, 3.0, None),
        ("b1 / b1", -1.0, 1.0, Some((f64::NEG_INFINITY, f64::INFINITY))),
        ("where(b1 > 0, 7, nodata)", -1.0, 1.0, Some((7.0, 7.0))),
    ] {
        let found = bounds(text, low, high);
        assert_eq!((found.between, found.or_nothing), (numbers, true), "{text} of {low} to {high}");
    }
}
