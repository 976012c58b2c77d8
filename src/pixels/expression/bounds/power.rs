//! What powers lie between.

use super::{Bounds, Ends, Real, greater, is_exact, is_negative, spans_zero};

/// What `base` to the power of `exponent` lies between.
pub(super) fn power<F: Real>(base: Ends<F>, exponent: Ends<F>) -> Bounds<F> {
    let (low, high) = base;
    if !is_negative(low) {
        return of_positive(base, exponent);
    }
    let of_negative = of_negative((greater(-high, F::ZERO), -low), exponent);
    if is_negative(high) { of_negative } else { of_negative.or(of_positive((F::ZERO, high), exponent)) }
}

/// Of a base without a minus: the logarithm is a product, so the extremes lie in the corners.
fn of_positive<F: Real>(base: Ends<F>, exponent: Ends<F>) -> Bounds<F> {
    let of = |base: F, exponent: F| base.powf(exponent);
    let (a, b) = (base, exponent);
    let corners = [of(a.0, b.0), of(a.0, b.1), of(a.1, b.0), of(a.1, b.1)];
    Bounds::around(&corners).widened().within(F::ZERO, F::INFINITY)
}

/// Of a base with a minus, whose distances from zero these are.
fn of_negative<F: Real>(distances: Ends<F>, exponent: Ends<F>) -> Bounds<F> {
    let positive = of_positive(distances, exponent);
    let Some((least, most)) = positive.between else { return positive };
    let number = exponent.0;
    let half = number * F::from_f64(0.5);
    if !is_exact(exponent) {
        return Bounds::between(-most, most).or_nothing_if(true);
    } else if half.floor() == half {
        // Even, as are infinities.
        return positive;
    } else if number.floor() == number {
        return Bounds::between(-most, -least);
    }
    // Only zero and infinity have a power then.
    let zero = spans_zero(distances).then(|| Bounds::exactly(F::ZERO.powf(number)));
    let infinity = (distances.1 == F::INFINITY).then(|| Bounds::exactly(F::INFINITY.powf(number)));
    [zero, infinity].into_iter().flatten().fold(Bounds::NOTHING, Bounds::or)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_of_what_may_be_negative_is_none_unless_the_exponent_is_whole() {
        let of = |low: f64, high: f64, exponent: f64| power((low, high), (exponent, exponent));
        assert_eq!(of(-2.0, -1.0, 0.5), Bounds::NOTHING);
        let Bounds { between: Some((low, high)), or_nothing } = of(-2.0, -1.0, 3.0) else { panic!() };
        assert!((-8.01..=-8.0).contains(&low) && (-1.0..=-0.99).contains(&high) && !or_nothing);
        let Bounds { between: Some((low, high)), or_nothing } = of(-2.0, 1.0, -1.0) else { panic!() };
        assert_eq!((low, high, or_nothing), (f64::NEG_INFINITY, f64::INFINITY, false));
        let Bounds { between: Some((low, high)), or_nothing } = of(-2.0, 4.0, 0.5) else { panic!() };
        assert!(low == 0.0 && (2.0..2.01).contains(&high) && or_nothing);
    }
}
