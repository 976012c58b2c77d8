//! The rules against a model that looks at each pixel's list of values.

use super::*;
use crate::dispatch_pixel_type;
use crate::pixels::Pixel;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

const SIZE: Size = Size::new(5, 4);
const BANDS: usize = 2;
const METHODS: [Method; 7] =
    [Method::First, Method::Last, Method::Min, Method::Max, Method::Mean, Method::Sum, Method::Count];
const TYPES: [PixelType; 10] = [
    PixelType::Byte,
    PixelType::Int8,
    PixelType::UInt16,
    PixelType::Int16,
    PixelType::UInt32,
    PixelType::Int32,
    PixelType::UInt64,
    PixelType::Int64,
    PixelType::Float32,
    PixelType::Float64,
];

/// A layer whose values are numbers of `value`, so that one case serves every type.
#[derive(Debug, Clone)]
struct Plain {
    place: Window,
    values: Vec<u8>,
    nodata: [Option<u8>; BANDS],
    mask: Option<Vec<u8>>,
}

/// Small values, the type's least and greatest (of floats some whose sums are exact), and NaN where there is one.
fn value<T: Pixel>(number: u8) -> T {
    match (number, T::TYPE.is_float()) {
        (0..=9, false) => T::from_i128(i128::from(number) - 3),
        (0..=9, true) => T::from_f64(f64::from(number) / 2.0 - 2.0),
        (10, false) => T::from_i128(i128::MIN),
        (11, false) => T::from_i128(i128::MAX),
        (10, true) => T::from_f64(-100_000.5),
        (11, true) => T::from_f64(70_000.25),
        _ => T::from_f64(f64::NAN),
    }
}

/// The nodata value of that number; one above those of `value` is a value that no pixel has.
fn nodata<T: Pixel>(number: u8) -> Number {
    let value = value::<T>(number);
    match number {
        13 => Number::Float(0.123),
        _ if T::TYPE.is_float() => Number::Float(value.to_f64()),
        _ => Number::Whole(value.to_i128()),
    }
}

fn layers() -> impl Strategy<Value = Vec<Plain>> {
    let place = (0..SIZE.columns, 0..SIZE.rows, 1..=SIZE.columns, 1..=SIZE.rows).prop_map(|(c, r, w, h)| {
        Window::new(c, r, w, h).intersection(Window::whole(SIZE)).expect("it begins inside")
    });
    // As often as not the whole window, so that pixels are settled.
    let place = prop_oneof![place, Just(Window::whole(SIZE))];
    let nodata = || prop::option::of(0u8..14);
    let layer = place.prop_flat_map(move |place| {
        let values = prop::collection::vec(0u8..13, BANDS * place.pixels());
        let mask = prop::option::weighted(0.3, prop::collection::vec(0u8..3, place.pixels()));
        (Just(place), values, [nodata(), nodata()], mask)
    });
    let plain = layer.prop_map(|(place, values, nodata, mask)| Plain { place, values, nodata, mask });
    prop::collection::vec(plain, 0..6)
}

fn add<T: Pixel>(composite: &mut Composite, plain: &Plain) {
    let mut pixels = Buffer::zeros(T::TYPE, plain.values.len());
    pixels.pixels_mut::<T>().iter_mut().zip(&plain.values).for_each(|(p, &number)| *p = value(number));
    let nodata = plain.nodata.map(|number| number.map(nodata::<T>));
    composite.add(&Layer {
        place: plain.place,
        pixels: &pixels,
        nodata: &nodata,
        mask: plain.mask.as_deref(),
    });
}

const BACKGROUND: [Number; BANDS] = [Number::Whole(7), Number::Whole(0)];

fn finished(composite: &Composite, output: PixelType) -> (Buffer, Vec<u8>) {
    let mut pixels = Buffer::zeros(output, BANDS * SIZE.pixels());
    let mut valid = vec![9; SIZE.pixels()];
    let any = composite.finish(&BACKGROUND, &mut pixels, &mut valid);
    assert_eq!(any, valid.contains(&1));
    (pixels, valid)
}

fn composited<T: Pixel>(method: Method, layers: &[Plain], output: PixelType) -> (Buffer, Vec<u8>) {
    let mut composite = Composite::new(T::TYPE, &rules(method), SIZE);
    layers.iter().for_each(|layer| add::<T>(&mut composite, layer));
    finished(&composite, output)
}

fn rules(method: Method) -> [BandRule; BANDS] {
    [BandRule::Method(method), BandRule::Alpha(method)]
}

/// What the layers that have data say of one pixel, in the order of the layers.
fn values_at<T: Pixel>(layers: &[Plain], band: usize, column: usize, row: usize) -> Vec<T> {
    let of = |layer: &Plain| {
        let place = layer.place;
        let inside = (place.column..place.end_column()).contains(&column)
            && (place.row..place.end_row()).contains(&row);
        if !inside {
            return None;
        }
        let index = (row - place.row) * place.columns + column - place.column;
        let value: T = value(layer.values[band * place.pixels() + index]);
        let is_nodata = layer.nodata[band].is_some_and(|number| {
            let nodata = nodata::<T>(number);
            if value.is_nan() { nodata.to_f64().is_nan() } else { nodata.to_pixel::<T>() == Some(value) }
        });
        let masked = layer.mask.as_ref().is_some_and(|mask| mask[index] == 0);
        (!is_nodata && !masked).then_some(value)
    };
    layers.iter().filter_map(of).collect()
}

/// One pixel decided by looking at its list of values; `None` without data.
fn model<T: Pixel, O: Pixel>(rule: BandRule, values: &[T]) -> Option<O> {
    let method = match rule {
        BandRule::Method(Method::Last) | BandRule::Alpha(Method::First | Method::Last) => Method::First,
        BandRule::Method(method) => method,
        BandRule::Alpha(_) => Method::Max,
    };
    if method == Method::First {
        let top = *values.first()?;
        return match (T::TYPE.is_float(), O::TYPE.is_float()) {
            (true, false) if top.is_nan() => None,
            (true, _) => Some(O::from_f64(top.to_f64())),
            (false, _) => Some(O::from_i128(top.to_i128())),
        };
    }
    let values: Vec<T> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    let count = values.len() as i128;
    if count == 0 {
        return None;
    }
    if method == Method::Count {
        return Some(O::from_i128(count));
    }
    if T::TYPE.is_float() {
        let values = values.iter().map(|value| value.to_f64());
        return Some(O::from_f64(match method {
            Method::Min => values.fold(f64::INFINITY, f64::min),
            Method::Max => values.fold(f64::NEG_INFINITY, f64::max),
            Method::Sum => values.sum(),
            _ => values.sum::<f64>() / count as f64,
        }));
    }
    let values = values.iter().map(|value| value.to_i128());
    Some(match method {
        Method::Min => O::from_i128(values.min()?),
        Method::Max => O::from_i128(values.max()?),
        Method::Sum => O::from_i128(values.sum()),
        _ if O::TYPE.is_float() => O::from_f64(values.sum::<i128>() as f64 / count as f64),
        _ => O::from_i128(nearest_even(values.sum(), count)),
    })
}

/// The whole number nearest to `sum / count`; of two as near, the even one.
fn nearest_even(sum: i128, count: i128) -> i128 {
    let candidates = [sum / count - 1, sum / count, sum / count + 1];
    let by_distance = |whole: &i128| ((whole * count - sum).abs(), whole.rem_euclid(2));
    candidates.into_iter().min_by_key(by_distance).expect("there are three")
}

fn same<O: Pixel>(a: O, b: O) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

fn assert_same(a: &(Buffer, Vec<u8>), b: &(Buffer, Vec<u8>)) -> Result<(), TestCaseError> {
    prop_assert_eq!(&a.1, &b.1);
    dispatch_pixel_type!(a.0.pixel_type(), O => {
        let mut pairs = a.0.pixels::<O>().iter().zip(b.0.pixels::<O>());
        prop_assert!(pairs.all(|(&a, &b)| same(a, b)), "{:?} is not {:?}", a.0, b.0);
    });
    Ok(())
}

fn assert_as_modelled<T: Pixel, O: Pixel>(method: Method, layers: &[Plain]) -> Result<(), TestCaseError> {
    let (pixels, valid) = composited::<T>(method, layers, O::TYPE);
    let pixels = pixels.pixels::<O>();
    for index in 0..SIZE.pixels() {
        let (column, row) = (index % SIZE.columns, index / SIZE.columns);
        let mut any = false;
        for (band, rule) in rules(method).into_iter().enumerate() {
            let decided = model::<T, O>(rule, &values_at(layers, band, column, row));
            any |= decided.is_some();
            let expected = decided.unwrap_or(BACKGROUND[band].to_pixel().expect("every type holds it"));
            let found = pixels[band * SIZE.pixels() + index];
            prop_assert!(
                same(found, expected),
                "{method} of {} to {}, band {band}, column {column}, row {row}: {found:?} for {expected:?}",
                T::TYPE,
                O::TYPE
            );
        }
        prop_assert_eq!(valid[index], u8::from(any));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_method_decides_as_the_model_for_every_type(
        layers in layers(), of in prop::sample::select(TYPES.to_vec()),
    ) {
        for method in METHODS {
            dispatch_pixel_type!(of, T => assert_as_modelled::<T, T>(method, &layers)?);
        }
    }

    #[test]
    fn results_are_rounded_and_clamped_to_every_other_type(
        layers in layers(), of in prop::sample::select(TYPES.to_vec()), to in prop::sample::select(TYPES.to_vec()),
    ) {
        for method in METHODS {
            dispatch_pixel_type!(of, T => dispatch_pixel_type!(to, O => {
                assert_as_modelled::<T, O>(method, &layers)?
            }));
        }
    }

    #[test]
    fn statistics_do_not_depend_on_the_order_of_the_layers(
        (layers, shuffled) in layers().prop_flat_map(|layers| (Just(layers.clone()), Just(layers).prop_shuffle())),
        of in prop::sample::select(TYPES.to_vec()),
    ) {
        for method in [Method::Min, Method::Max, Method::Mean, Method::Sum, Method::Count] {
            dispatch_pixel_type!(of, T => assert_same(
                &composited::<T>(method, &layers, of),
                &composited::<T>(method, &shuffled, of),
            )?);
        }
    }

    #[test]
    fn a_settled_window_is_changed_by_no_further_layer(
        layers in layers(), of in prop::sample::select(TYPES.to_vec()),
    ) {
        for method in METHODS {
            dispatch_pixel_type!(of, T => {
                let mut composite = Composite::new(of, &rules(method), SIZE);
                let mut settled = None;
                for (count, layer) in layers.iter().enumerate() {
                    add::<T>(&mut composite, layer);
                    if settled.is_none() && composite.is_settled() {
                        settled = Some(finished(&composite, of));
                    }
                    let is_full = |pixel: usize| (0..BANDS).all(|band| {
                        let (column, row) = (pixel % SIZE.columns, pixel / SIZE.columns);
                        !values_at::<T>(&layers[..=count], band, column, row).is_empty()
                    });
                    let selects = matches!(method, Method::First | Method::Last);
                    prop_assert_eq!(composite.is_settled(), selects && (0..SIZE.pixels()).all(is_full));
                }
                if let Some(settled) = settled {
                    assert_same(&settled, &finished(&composite, of))?;
                }
            });
        }
    }

    #[test]
    fn a_composite_that_is_used_again_forgets_everything(
        before in layers(), layers in layers(), of in prop::sample::select(TYPES.to_vec()),
    ) {
        for method in METHODS {
            dispatch_pixel_type!(of, T => {
                let mut composite = Composite::new(of, &rules(method), SIZE);
                before.iter().for_each(|layer| add::<T>(&mut composite, layer));
                composite.reset(Size::new(1, 1));
                composite.reset(SIZE);
                layers.iter().for_each(|layer| add::<T>(&mut composite, layer));
                assert_same(&finished(&composite, of), &composited::<T>(method, &layers, of))?;
            });
        }
    }
}

#[test]
fn means_of_64_bit_numbers_neither_wrap_nor_lose_their_last_digit() {
    let layer = |value: u64| Buffer::UInt64(vec![value]);
    let mut composite = Composite::new(PixelType::UInt64, &[BandRule::Method(Method::Mean)], Size::new(1, 1));
    for value in [u64::MAX, u64::MAX - 2, u64::MAX - 1] {
        let place = Window::new(0, 0, 1, 1);
        composite.add(&Layer { place, pixels: &layer(value), nodata: &[None], mask: None });
    }
    let mut pixels = layer(0);
    assert!(composite.finish(&[Number::Whole(0)], &mut pixels, &mut [0]));
    assert_eq!(pixels, layer(u64::MAX - 1));
}
