//! A program over the pixels of a window, strip by strip, so that all registers stay in the core's nearest cache.

use std::ops::Range;

use super::lanes::{self, Source};
use super::program::{Action, Operand, Precision, Program};
use super::{LANES, Real};
use crate::dispatch_pixel_type;
use crate::pixels::{Buffer, Pixel};

/// Which pixels of a program's input have data.
#[derive(Debug, Clone, Copy)]
pub enum Present<'a> {
    /// All.
    Everywhere,
    /// Those that are not zero here, in all bands: one byte a pixel.
    Pixels(&'a [u8]),
    /// Those that are not zero here: bands × pixels.
    Bands(&'a [u8]),
}

/// The registers of one worker, used for window after window.
#[derive(Debug, Default)]
pub struct Evaluator {
    single: Registers<f32>,
    double: Registers<f64>,
}

#[derive(Debug, Default)]
struct Registers<F> {
    numbers: Vec<Vec<F>>,
    /// Where the next step writes, before it takes its register's place.
    spare: Vec<F>,
}

/// A window's pixels on both sides of a program.
struct Window<'a> {
    program: &'a Program,
    inputs: &'a Buffer,
    present: Present<'a>,
    pixels: usize,
}

impl Evaluator {
    /// Computes `program` for every pixel of `inputs` (bands × pixels, all bands that it was compiled against).
    ///
    /// Into `outputs` (outputs × pixels, of any type) come the values: for whole types rounded half to even and
    /// clamped, the infinities too. Into `valid` (outputs × pixels) comes 1 where there are data: where every band that
    /// the output's formula reads has data by `present`, and the result is a number. Elsewhere come 0 and the value 0.
    ///
    /// # Panics
    /// When a length does not fit the program: a fault of the caller.
    pub fn run(
        &mut self,
        program: &Program,
        inputs: &Buffer,
        present: Present,
        outputs: &mut Buffer,
        valid: &mut [u8],
    ) {
        let pixels = inputs.len().checked_div(program.bands()).unwrap_or(0);
        assert_eq!(inputs.len(), pixels * program.bands());
        assert_eq!(outputs.len(), pixels * program.outputs.len());
        assert_eq!(valid.len(), outputs.len());
        match present {
            Present::Everywhere => {}
            Present::Pixels(bytes) => assert_eq!(bytes.len(), pixels),
            Present::Bands(bytes) => assert_eq!(bytes.len(), inputs.len()),
        }
        let window = Window { program, inputs, present, pixels };
        dispatch_pixel_type!(outputs.pixel_type(), T => {
            let outputs = outputs.pixels_mut::<T>();
            match program.precision {
                Precision::Single => self.single.run(&window, outputs, valid),
                Precision::Double => self.double.run(&window, outputs, valid),
            }
        });
    }
}

impl<F: Real> Registers<F> {
    fn run<T: Pixel>(&mut self, window: &Window, outputs: &mut [T], valid: &mut [u8]) {
        let count = self.numbers.len().max(window.program.registers);
        self.numbers.resize_with(count, || vec![F::ZERO; LANES]);
        self.spare.resize(LANES, F::ZERO);
        for start in (0..window.pixels).step_by(LANES) {
            let strip = start..(start + LANES).min(window.pixels);
            for step in &window.program.steps {
                match step.action {
                    Action::Store { output, from } => {
                        let place = output * window.pixels + strip.start..output * window.pixels + strip.end;
                        let valid = &mut valid[place.clone()];
                        window.present_in(output, strip.clone(), valid);
                        self.store(from, &mut outputs[place], valid);
                    }
                    action => self.compute(action, window, strip.clone()),
                }
            }
        }
    }

    /// Does a step that writes a register.
    fn compute(&mut self, action: Action, window: &Window, strip: Range<usize>) {
        let Registers { numbers, spare } = self;
        let out = &mut spare[..strip.len()];
        let known: &[Vec<F>] = numbers;
        let source = |operand| source(known, operand, strip.len());
        match action {
            Action::Load { band, .. } => {
                let place = band * window.pixels + strip.start..band * window.pixels + strip.end;
                dispatch_pixel_type!(window.inputs.pixel_type(), T => {
                    let pixels = &window.inputs.pixels::<T>()[place];
                    out.iter_mut().zip(pixels).for_each(|(out, &pixel)| *out = F::from_f64(pixel.to_f64()));
                });
            }
            Action::Unary { operation, a, .. } => lanes::unary(operation, source(a), out),
            Action::Binary { operation, a, b, .. } => lanes::binary(operation, source(a), source(b), out),
            Action::Where { condition, a, b, .. } => {
                lanes::choose(source(condition), source(a), source(b), out);
            }
            Action::Store { .. } => return,
        }
        if let Some(to) = action.to() {
            std::mem::swap(spare, &mut numbers[to]);
        }
    }

    /// Writes an output's pixels; `valid` says where the inputs have data, and afterwards where the output has.
    fn store<T: Pixel>(&mut self, from: Operand, outputs: &mut [T], valid: &mut [u8]) {
        let Registers { numbers, spare } = self;
        let spare = &mut spare[..outputs.len()];
        match source(numbers, from, outputs.len()) {
            Source::Lanes(values) => spare.copy_from_slice(values),
            Source::Number(number) => spare.fill(number),
        }
        for (valid, value) in valid.iter_mut().zip(&*spare) {
            *valid &= u8::from(!value.is_nan());
        }
        if !T::TYPE.is_float() {
            lanes::round_all(spare);
        }
        for ((output, value), valid) in outputs.iter_mut().zip(&*spare).zip(&*valid) {
            *output = T::cut(if *valid != 0 { value.to_f64() } else { 0.0 });
        }
    }
}

impl Window<'_> {
    /// Writes 1 where every band that an output reads has data, else 0.
    fn present_in(&self, output: usize, strip: Range<usize>, valid: &mut [u8]) {
        valid.fill(1);
        let mut and = |present: &[u8]| {
            valid.iter_mut().zip(present).for_each(|(valid, present)| *valid &= u8::from(*present != 0));
        };
        let bands = &self.program.outputs[output].bands;
        match self.present {
            Present::Pixels(bytes) if !bands.is_empty() => and(&bytes[strip]),
            Present::Everywhere | Present::Pixels(_) => {}
            Present::Bands(bytes) => {
                bands.iter().for_each(|band| and(&bytes[band * self.pixels..][strip.clone()]));
            }
        }
    }
}

fn source<F: Real>(numbers: &[Vec<F>], operand: Operand, count: usize) -> Source<'_, F> {
    match operand {
        Operand::Register(register) => Source::Lanes(&numbers[register][..count]),
        Operand::Number(number) => Source::Number(F::from_f64(number)),
    }
}
