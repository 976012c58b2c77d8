//! One pass over a stack, block by block: load, decide, write.

use super::block::{Block, LANES, Lanes};
use super::choose::{self, Medoid, NONE};
use super::geometric::GeometricMedian;
use super::network::Networks;
use super::ordered::Order;
use super::outcome::Results;
use super::sample::{Sample, Stored};
use super::side::{self, Side};
use super::{Decision, Rule, Stack, moments, ordered};
use crate::pixels::{Buffer, Number, PixelType};

/// Decides all pixels of a stack whose pixels are of type `T`.
pub(super) fn decide<T: Stored>(
    stack: &Stack,
    decision: &Decision,
    pixels: &mut Buffer,
    valid: &mut [u8],
    mut side: Option<&mut Side>,
) {
    let nodata: Vec<Option<T>> =
        stack.nodata.iter().map(|nodata| nodata.and_then(Number::to_pixel)).collect();
    let mut decider = Decider::<T::Sample>::new(stack, decision);
    for start in (0..stack.pixels()).step_by(LANES) {
        decider.block.load(stack, &nodata, start, decision.rule);
        decider.decide(stack, decision, side.is_some());
        decider.write(stack, decision, pixels, valid);
        if let Some(side) = &mut side {
            side::write(&decider.block, &decider.counts, &decider.chosen, side);
        }
    }
}

/// The memory of a pass.
struct Decider<T: Sample> {
    block: Block<T>,
    order: Order<T>,
    medoid: Medoid<T::Real>,
    geometric: GeometricMedian<T::Real>,
    /// Of each band.
    results: Vec<Results<T::Outcome>>,
    /// For the side: how many scenes have data, and the index of the one that won.
    counts: Lanes<u32>,
    chosen: Lanes<u32>,
}

impl<T: Sample> Decider<T> {
    fn new(stack: &Stack, decision: &Decision) -> Decider<T> {
        let (bands, depth) = (stack.bands, stack.depth());
        let percent = if let Rule::Percentile(percent) = decision.rule { percent } else { 50.0 };
        Decider {
            block: Block::new(stack),
            order: Order::new(percent, depth),
            medoid: Medoid::new(),
            geometric: match decision.rule {
                Rule::GeometricMedian => GeometricMedian::new(bands, depth),
                _ => GeometricMedian::new(0, 0),
            },
            results: vec![Results::none(); bands],
            counts: [0; LANES],
            chosen: [NONE; LANES],
        }
    }

    /// Decides the block.
    fn decide(&mut self, stack: &Stack, decision: &Decision, wants_side: bool) {
        (self.counts, self.chosen) = ([0; LANES], [NONE; LANES]);
        if self.block.depth() == 0 {
            self.results.fill(Results::none());
        } else if decision.rule.is_together() {
            self.together(stack, decision, wants_side);
        } else {
            self.band_by_band(decision.rule, decision.least, wants_side);
        }
    }

    fn band_by_band(&mut self, rule: Rule, least: u32, wants_side: bool) {
        let block = &self.block;
        for (band, results) in self.results.iter_mut().enumerate() {
            let outcomes = &mut results.outcomes;
            match rule {
                Rule::FirstOfBand => choose::first_of_band(block, band, outcomes),
                Rule::Min => ordered::minimum(block, band, outcomes),
                Rule::Max => ordered::maximum(block, band, outcomes),
                Rule::Mean => moments::mean(block, band, outcomes),
                Rule::Sum => moments::sum(block, band, outcomes),
                Rule::Count => moments::count(block.counts(band), outcomes),
                Rule::StandardDeviation => moments::deviation(block, band, outcomes),
                Rule::Mode => self.order.mode(block, band, outcomes),
                _ => self.order.percentile(block, band, outcomes),
            }
            results.settle(block.counts(band), least);
        }
        if wants_side {
            side::count_any(block, self.results.len(), &mut self.counts);
            if rule.is_value() {
                self.chosen = side::nearest(block, &self.results);
            }
        }
    }

    fn together(&mut self, stack: &Stack, decision: &Decision, wants_side: bool) {
        let block = &self.block;
        let bands = self.results.len();
        self.counts = *block.counts(0);
        if decision.rule == Rule::GeometricMedian {
            for (band, results) in self.results.iter_mut().enumerate() {
                self.order.percentile(block, band, &mut results.outcomes);
            }
            self.geometric.find(block, stack.values.pixel_type().is_float(), &mut self.results);
            self.settle_together(decision.least);
            if wants_side {
                self.chosen = side::nearest(&self.block, &self.results);
            }
            return;
        }
        let score = decision.score.unwrap_or_default();
        let pixels = stack.pixels();
        match decision.rule {
            Rule::Highest => (self.chosen, self.counts) = choose::best(block, score, pixels, 1.0),
            Rule::Lowest => (self.chosen, self.counts) = choose::best(block, score, pixels, -1.0),
            Rule::Medoid => self.chosen = self.medoid.choose(block, bands),
            _ => choose::first(block.marks(0), &mut self.chosen),
        }
        for (band, results) in self.results.iter_mut().enumerate() {
            choose::take(block, band, &self.chosen, &mut results.outcomes);
        }
        self.settle_together(decision.least);
        for (chosen, decided) in self.chosen.iter_mut().zip(&self.results[0].decided) {
            *chosen = if *decided != 0 { *chosen } else { NONE };
        }
    }

    /// A pixel without a value in one band has none in the others.
    fn settle_together(&mut self, least: u32) {
        let mut all = [1; LANES];
        for results in &mut self.results {
            results.settle(&self.counts, least);
            all.iter_mut().zip(&results.decided).for_each(|(all, decided)| *all &= decided);
        }
        self.results.iter_mut().for_each(|results| results.decided = all);
    }

    /// Writes what was decided.
    fn write(&self, stack: &Stack, decision: &Decision, pixels: &mut Buffer, valid: &mut [u8]) {
        let (start, width) = (self.block.start, self.block.width);
        let valid = &mut valid[start..][..width];
        valid.fill(0);
        for (band, results) in self.results.iter().enumerate() {
            results.write(decision.background[band], pixels, band * stack.pixels() + start, width);
            valid.iter_mut().zip(&results.decided).for_each(|(valid, decided)| *valid |= decided);
        }
    }
}

/// Bytes of a pass's memory, whatever the rule.
pub(super) const fn bytes(pixel_type: PixelType, bands: usize, depth: usize) -> usize {
    let (sample, real, outcome) = match pixel_type {
        PixelType::Byte => (1, 4, 8),
        PixelType::Int8 | PixelType::UInt16 | PixelType::Int16 => (2, 4, 8),
        PixelType::Float32 => (4, 8, 8),
        PixelType::UInt32 | PixelType::Int32 | PixelType::Float64 => (8, 8, 8),
        PixelType::UInt64 | PixelType::Int64 => (16, 8, 32),
    };
    let nodata = 16 * bands * depth;
    let medoid = (bands + 1) * depth * LANES * real;
    let geometric = GeometricMedian::<f64>::bytes(real, bands, depth);
    let order = depth * LANES * sample + 10 * (depth + 1) + Networks::bytes(depth);
    Block::<u8>::bytes(sample, bands, depth)
        + nodata
        + medoid
        + geometric
        + order
        + bands * LANES * (outcome + 1)
}
