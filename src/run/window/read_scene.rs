//! A scene as it is read, of which formulas make what is decided.

use crate::pixels::{Buffer, Evaluator, Number, PixelType, Present, Stack};
use crate::source::{Compiled, Stacked};

/// One scene's bands, and the memory in which formulas are computed of them.
pub struct ReadScene {
    /// The bands that are read, of one scene.
    pub stack: Stack,
    /// Where these have data, bands × pixels.
    pub present: Vec<u8>,
    evaluator: Evaluator,
    results: Buffer,
    valid: Vec<u8>,
}

impl ReadScene {
    /// For scenes whose pixels are read in this type.
    pub fn new(pixel_type: PixelType, scenes: &Stacked) -> ReadScene {
        ReadScene {
            stack: Stack::new(pixel_type, scenes.read_bands),
            present: Vec::new(),
            evaluator: Evaluator::default(),
            results: Buffer::zeros(scenes.pixel_type, 0),
            valid: Vec::new(),
        }
    }

    /// Looks where the scene has data, once it is read.
    pub fn mark_present(&mut self) {
        self.stack.mark_present(&mut self.present);
    }

    /// Puts the formulas' results for the scene below the scenes that are there. Where a band that a formula reads has
    /// no data, its result is NaN, which is none.
    pub fn derive_into(&mut self, stack: &mut Stack, scenes: &Stacked) {
        let Some(Compiled { program, .. }) = &scenes.before else { return };
        let (inputs, pixels) = (self.stack.last_scene(), self.stack.pixels());
        self.results.resize(scenes.bands * pixels);
        self.valid.resize(scenes.bands * pixels, 0);
        let present = Present::Bands(&self.present);
        self.evaluator.run(program, &inputs, present, &mut self.results, &mut self.valid);
        let number = stack.push(&vec![Some(Number::Float(f64::NAN)); scenes.bands]);
        stack.put(number, &self.results, &self.valid);
    }
}
