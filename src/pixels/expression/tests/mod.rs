mod bounds;
mod properties;

use super::*;
use crate::pixels::{Buffer, PixelType};

const BANDS: [&str; 4] = ["B08", "B04", "near infrared", ""];

fn bands() -> Vec<String> {
    BANDS.map(str::to_owned).to_vec()
}

fn compile(text: &str, pixel_type: PixelType) -> Result<Program, Vec<String>> {
    Program::compile(&Formula::parse(text).unwrap(), &bands(), &[pixel_type; 4])
}

/// The values of a text's formulas for one pixel, `None` for no data.
fn values(text: &str, pixel: [f64; 4], output: PixelType) -> Vec<Option<f64>> {
    let program = compile(text, PixelType::Float32).unwrap();
    let inputs = Buffer::Float32(pixel.map(|value| value as f32).to_vec());
    let count = program.outputs().len();
    let (mut outputs, mut valid) = (Buffer::zeros(output, count), vec![9; count]);
    Evaluator::default().run(&program, &inputs, Present::Everywhere, &mut outputs, &mut valid);
    let output = |index| {
        crate::dispatch_pixel_type!(outputs.pixel_type(), T => {
            crate::pixels::Pixel::to_f64(outputs.pixels::<T>()[index])
        })
    };
    (0..count).map(|index| (valid[index] != 0).then(|| output(index))).collect()
}

fn value(text: &str) -> Option<f64> {
    values(text, [8.0, 4.0, 3.0, -2.0], PixelType::Float64)[0]
}

#[test]
fn operators_bind_as_in_python() {
    for (text, expected) in [
        ("-b2**2", -16.0),
        ("2**-b2**0.5", 0.25),
        ("2 ** 3 ** 2", 512.0),
        ("b1 - b2 - b3", 1.0),
        ("b1 / b2 / 2", 1.0),
        ("b1 + b2 * b3 % 5", 10.0),
        ("(b1 + b2) * b3", 36.0),
        ("-7 % 3", 2.0),
        ("7 % -3", -2.0),
        ("not b1 == b2", 1.0),
        ("not b1 > 3 or b2 > 3 and b3 > 3", 0.0),
        ("(b1 > 3) & ~(b2 > 4) | (b3 == 9)", 1.0),
        ("!b1 == 0", 1.0),
        ("b1 != b2 and b1 >= 8 and b2 <= 4 and b2 < 5", 1.0),
        ("+.5e+1 - 1.25E-1", 4.875),
        ("where(b1 > 50, 1, 0)", 0.0),
        ("clip(b1/16, 0, 1) * 16", 8.0),
        ("clip(b4, -1, 1)", -1.0),
        ("min(b1, b2, b3) + max(b1, b2)", 11.0),
        ("pow(b2, 3) + abs(b4) + sqrt(b2)", 68.0),
        ("round(2.5) + round(-3.5) + floor(-0.5) + ceil(0.5)", -2.0),
        ("atan2(b2, b2) * 4 / atan(1)", 4.0),
        ("log10(1000) + log2(8) + log(exp(0)) + cos(0)", 7.0),
        ("{near infrared} + { B08 }", 11.0),
        ("b04 + B04", 8.0),
    ] {
        assert_eq!(value(text), Some(expected), "{text}");
    }
}

#[test]
fn what_is_refused_is_shown_at_its_place() {
    for (text, place, words) in [
        ("", 0, "expected a number"),
        ("ndvi=(B08-)/(B08+B04)", 10, "expected a number, a band, a function or '('"),
        ("(b1 + 2", 7, "expected an operator or ')'"),
        ("b1 b2", 3, "expected an operator, ';' or the end"),
        ("where(b1, 2)", 0, "where takes 3 values"),
        ("a=1; sqr(b1)", 5, "there is no function sqr; known are abs, acos"),
        ("b1 < b2 < b3", 10, "not chained"),
        ("b1 > 5 & b2 > 3", 5, "'&' needs a condition"),
        ("~b1", 1, "'~' needs a condition"),
        ("b1 ^ 2", 3, "'**'"),
        ("b1 && b2", 3, "write 'and'"),
        ("b1 = 3 = 4", 7, "'=='"),
        ("2 * not b1", 8, "parentheses"),
        ("1e999", 0, "too large"),
        (". + 1", 0, "digits"),
        ("{near", 0, "not closed"),
        ("sin(b1; b2)", 6, "expected an operator, ',' or ')'"),
        ("b1;; b2", 3, "expected a number"),
        ("b1 +\n  b2 *", 6, "expected a number"),
    ] {
        let message = Formula::parse(text).expect_err(text);
        assert!(message.contains(words), "{text}: {message}");
        let caret = message.lines().last().unwrap();
        assert_eq!(caret.find('^').map(|column| column - 2), Some(place), "{message}");
    }
    let long = Formula::parse(&format!("{}b1 ? 2{}", "b1+".repeat(100), "+b1".repeat(90))).unwrap_err();
    let lines: Vec<&str> = long.lines().collect();
    assert_eq!(lines[1].chars().nth(lines[2].chars().count() - 1), Some('?'), "{long}");
}

#[test]
fn no_text_takes_the_stack() {
    let many = 5000;
    for text in [
        format!("{}b1{}", "(".repeat(many), ")".repeat(many)),
        "-".repeat(many),
        "not ".repeat(many / 2),
        "sin(".repeat(many / 2),
        format!("{}1", "2**".repeat(many)),
        format!("{}1", "b1+".repeat(many)),
        format!("{}1", "-2**".repeat(many / 2)),
        format!("max({}b1)", "b1,".repeat(many)),
    ] {
        let message = Formula::parse(&text).expect_err(&text);
        assert!(message.contains("inside each other"), "{message}");
    }
    assert!(Formula::parse(&"1".repeat(1 << 15)).unwrap_err().contains("longer than"));
    assert!(Formula::parse(&format!("{}1", "b1+".repeat(140))).is_ok());
    assert_eq!(value(&format!("{}b1{}", "(".repeat(140), ")".repeat(140))), Some(8.0));
}

#[test]
fn bands_are_found_by_number_and_description() {
    let bands = ["B1", "red", "RED", "b1", "SWIR", "swir", "B05"].map(str::to_owned);
    for (name, expected) in
        [("b1", 0), ("b7", 6), ("B1", 0), ("red", 1), ("RED", 2), ("SWIR", 4), ("b05", 6), ("{B05}", 9)]
    {
        assert_eq!(find_band(name, &bands).unwrap_or(9), expected, "{name}");
    }
    assert!(find_band("Red", &bands).unwrap_err().contains("say which: b2, b3"));
    assert!(find_band("b8", &bands).unwrap_err().contains("b1 to b7"));
    assert!(find_band("b99999999999999999999999", &bands).is_err());
    let problems = compile("x=B09+b5; x=B08; y=b5", PixelType::Byte).unwrap_err();
    assert_eq!(
        problems,
        [
            "no band is called B09; known are b1 (B08), b2 (B04), b3 ({near infrared}), b4",
            "there is no band b5; there are b1 to b4",
            "several formulas are called x: give each a name of its own",
        ]
    );
}

#[test]
fn the_precision_is_what_bands_and_constants_need() {
    let precision = |text, pixel_type| compile(text, pixel_type).unwrap().precision();
    for pixel_type in PixelType::ALL {
        let expected =
            if PixelType::Float32.holds(pixel_type) { Precision::Single } else { Precision::Double };
        assert_eq!(precision("b1 * 0.1", pixel_type), expected);
    }
    for (text, expected) in [
        ("b1 + 16777216", Precision::Single),
        ("b1 + 16777217", Precision::Double),
        ("b1 + 1e10", Precision::Single),
        ("b1 * 1e-40", Precision::Double),
        ("b1 + 1e39", Precision::Double),
        ("where(b1 > 3, nodata, 0)", Precision::Single),
    ] {
        assert_eq!(precision(text, PixelType::UInt16), expected, "{text}");
    }
}

#[test]
fn no_data_spread_but_from_the_branch_not_taken() {
    for text in [
        "0 / (b1 - 8)",
        "sqrt(b4)",
        "log(b4)",
        "nodata",
        "nodata == nodata",
        "not nan",
        "nan ** 0",
        "1 ** nan",
        "nan or 1",
        "max(nan, 1)",
        "min(1, nan)",
        "clip(nan, 0, 1)",
        "where(nan, 1, 0)",
        "where(b1 > 3, nodata, 1)",
        "asin(b1)",
        "b1 % 0",
    ] {
        assert_eq!(value(text), None, "{text}");
    }
    assert_eq!(value("where(b1 > 9, sqrt(b4), 7)"), Some(7.0));
    assert_eq!(value("b1 / 0"), Some(f64::INFINITY));
    let whole = values("b1/0; -b1/0; b1/16; 3*b1/16; 0/(b1-8)", [8.0; 4], PixelType::Int16);
    assert_eq!(whole, [Some(32767.0), Some(-32768.0), Some(0.0), Some(2.0), None]);
}

#[test]
fn the_plan_shares_folds_and_frees() {
    let text = compile("ndvi=(B08-B04)/(B08+B04); (B08-B04)*(2+3)", PixelType::UInt16).unwrap().to_string();
    let lines: Vec<String> =
        text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        lines,
        [
            "formulas in f32, 1024 pixels at a time:",
            "r0 = B08",
            "r1 = B04",
            "r2 = r0 - r1",
            "r0 = r0 + r1 frees r1",
            "r0 = r2 / r0",
            "ndvi = r0 frees r0",
            "r0 = r2 * 5 frees r2",
            "output 2 = r0 frees r0",
            "at most 3 registers in use and one spare, 16384 bytes a worker",
        ]
    );
    let registers = |text: &str| compile(text, PixelType::Byte).unwrap().registers();
    assert_eq!(registers(&format!("{}b1", "(b2*b3)+".repeat(40))), 2);
    assert_eq!(registers("b1 + (b2 + (b3 + b4))"), 2);
    assert_eq!(registers("b1 + 1; b2 + 1; b3 + 1; b4 + 1"), 1);
    assert_eq!(registers("1 + 2"), 0);
    assert_eq!(compile("b4 + b2; b1", PixelType::Byte).unwrap().inputs(), [0, 1, 3]);
}

#[test]
fn whole_numbers_are_rounded_half_to_even_as_everywhere() {
    let halves: Vec<f32> = (-2100..2100).map(|n| n as f32 / 16.0).collect();
    let mut inputs = Buffer::Float32(halves.repeat(4));
    let program = compile("b1", PixelType::Float32).unwrap();
    let (mut outputs, mut valid) = (Buffer::zeros(PixelType::Int8, halves.len()), vec![0; halves.len()]);
    inputs.pixels_mut::<f32>()[0] = f32::NAN;
    Evaluator::default().run(&program, &inputs, Present::Everywhere, &mut outputs, &mut valid);
    assert_eq!((valid[0], outputs.pixels::<i8>()[0]), (0, 0));
    for (half, output) in halves.iter().zip(outputs.pixels::<i8>()).skip(1) {
        assert_eq!(*output, half.round_ties_even() as i8, "{half}");
    }
}
