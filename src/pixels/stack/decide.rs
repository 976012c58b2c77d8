//! One pass over a stack, block by block: load, decide, write.

use super::block::{Block, LANES, Lanes};
use super::choose::{self, Medoid, NONE};
use super::geometric::GeometricMedian;
use super::network::Networks;
use super::ordered::Order;
use super::outcome::Results;
use super::sample::Sample;
use super::side::{self, Side};
use super::wide::{Work, run_widest};
use super::{Decision, Rule, Stack, moments, ordered};
use crate::pixels::Buffer;

/// Decides all pixels of a stack whose pixels are of type `T`.
pub(super) fn decide<T: Sample>(
    stack: &Stack,
    decision: &Decision,
    pixels: &mut Buffer,
    valid: &mut [u8],
    mut side: Option<&mut Side>,
) {
    let mut decider = Decider::<T>::new(stack, decision);
    for start in (0..stack.pixels()).step_by(LANES) {
        let wants_side = side.is_some();
        run_widest(OneBlock { decider: &mut decider, stack, decision, start, wants_side });
        let width = decider.block.width;
        let valid = &mut valid[start..][..width];
        valid.fill(0);
        for (band, results) in decider.results.iter().enumerate() {
            results.write(decision.background[band], pixels, band * stack.pixels() + start, width);
            valid.iter_mut().zip(&results.decided).for_each(|(valid, decided)| *valid |= decided);
        }
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

/// One block of a pass.
struct OneBlock<'a, T: Sample> {
    decider: &'a mut Decider<T>,
    stack: &'a Stack,
    decision: &'a Decision<'a>,
    start: usize,
    wants_side: bool,
}

impl<T: Sample> Work for OneBlock<'_, T> {
    #[inline(always)]
    fn run(self) {
        let OneBlock { decider, stack, decision, start, wants_side } = self;
        let rule = decision.rule;
        decider.block.load(stack, stack.values.pixels(), start, rule.is_together());
        (decider.counts, decider.chosen) = ([0; LANES], [NONE; LANES]);
        if decider.block.depth() == 0 {
            decider.results.fill(Results::none());
        } else if rule.is_together() {
            decider.together(stack, decision, wants_side);
        } else {
            decider.band_by_band(rule, decision.least, wants_side);
        }
    }
}

impl<T: Sample> Decider<T> {
    fn new(stack: &Stack, decision: &Decision) -> Decider<T> {
        let (bands, depth) = (stack.bands, stack.depth());
        let percent = if let Rule::Percentile(percent) = decision.rule { percent } else { 50.0 };
        Decider {
            block: Block::new(stack),
            order: Order::new(percent, depth),
            medoid: Medoid::new(),
            geometric: GeometricMedian::new(),
            results: vec![Results::none(); bands],
            counts: [0; LANES],
            chosen: [NONE; LANES],
        }
    }

    #[inline(always)]
    fn band_by_band(&mut self, rule: Rule, least: u32, wants_side: bool) {
        let block = &self.block;
        for (band, results) in self.results.iter_mut().enumerate() {
            match rule {
                Rule::FirstOfBand => choose::first_of_band(block, band, results),
                Rule::Min => ordered::minimum(block, band, results),
                Rule::Max => ordered::maximum(block, band, results),
                Rule::Mean => moments::mean(block, band, results),
                Rule::Sum => moments::sum(block, band, results),
                Rule::Count => moments::count(block, band, results),
                Rule::StandardDeviation => moments::deviation(block, band, results),
                Rule::Mode => self.order.mode(block, band, results),
                _ => self.order.percentile(block, band, results),
            }
            results.settle(block.counts(band), least);
        }
        if wants_side {
            self.counts = side::count_any(block, self.results.len());
            if rule.is_value() {
                self.chosen = side::nearest(block, &self.results);
            }
        }
    }

    #[inline(always)]
    fn together(&mut self, stack: &Stack, decision: &Decision, wants_side: bool) {
        let block = &self.block;
        let bands = self.results.len();
        self.counts = *block.counts(0);
        if decision.rule == Rule::GeometricMedian {
            self.geometric.find(block, &mut self.results);
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
            _ => self.chosen = choose::first(block),
        }
        for (band, results) in self.results.iter_mut().enumerate() {
            choose::take(block, band, &self.chosen, results);
        }
        self.settle_together(decision.least);
        for (chosen, decided) in self.chosen.iter_mut().zip(&self.results[0].decided) {
            *chosen = if *decided != 0 { *chosen } else { NONE };
        }
    }

    /// A pixel without a value in one band has none in the others.
    #[inline(always)]
    fn settle_together(&mut self, least: u32) {
        let mut all = [1; LANES];
        for results in &mut self.results {
            results.settle(&self.counts, least);
            all.iter_mut().zip(&results.decided).for_each(|(all, decided)| *all &= decided);
        }
        self.results.iter_mut().for_each(|results| results.decided = all);
    }
}

/// Bytes of a pass's memory, whatever the rule.
pub(super) const fn bytes(sample_bytes: usize, bands: usize, depth: usize) -> usize {
    let real = if sample_bytes <= 2 { 4 } else { 8 };
    let outcome = if sample_bytes == 8 { 32 } else { 8 };
    let medoid = (bands + 1) * depth * LANES * real;
    let geometric = (bands + 1) * depth * LANES * real / 4 + 3 * bands * LANES * real / 4;
    let order = depth * LANES * sample_bytes + 10 * (depth + 1) + Networks::bytes(depth);
    Block::<u8>::bytes(sample_bytes, bands, depth)
        + medoid
        + geometric
        + order
        + bands * LANES * (outcome + 1)
}
