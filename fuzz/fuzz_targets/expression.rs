//! Any text is a list of formulas or is refused in words; what is compiled of it gives what the slow evaluator gives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mosaic_stream::pixels::{Buffer, Evaluator, Formula, PixelType, Precision, Present, Program, Real, find_band};

const BANDS: [f64; 3] = [0.0, -1.5, 7.0];

fuzz_target!(|text: &str| {
    let Ok(formulas) = Formula::parse(text) else { return };
    let bands = ["red", "B08", "near infrared"].map(str::to_owned);
    let Ok(program) = Program::compile(&formulas, &bands, &[PixelType::Float32; 3]) else { return };
    assert!(!program.to_string().is_empty());
    let mut outputs = Buffer::zeros(PixelType::Float64, formulas.len());
    let mut valid = vec![0; formulas.len()];
    let inputs = Buffer::Float32(BANDS.map(|band| band as f32).to_vec());
    Evaluator::default().run(&program, &inputs, Present::Everywhere, &mut outputs, &mut valid);
    for (index, formula) in formulas.iter().enumerate() {
        let slow = match program.precision() {
            Precision::Single => value::<f32>(formula, &bands),
            Precision::Double => value::<f64>(formula, &bands),
        };
        let fast = (valid[index] != 0).then_some(outputs.pixels::<f64>()[index]);
        assert_eq!(fast.map(f64::to_bits), slow.map(f64::to_bits), "{text}");
    }
});

fn value<F: Real>(formula: &Formula, bands: &[String]) -> Option<f64> {
    let band = |name: &str| find_band(name, bands).ok().map(|band| F::from_f64(BANDS[band]));
    formula.value::<F>(&band).map(|value| value.to_f64())
}
