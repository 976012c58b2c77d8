//! The pixels of a window, read from its sources and decided in this process, a few bands at a time.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::Result;

use super::deciding::{Decide, DecidedPixels, Deciding};
use super::derived::DerivedBands;
use super::lone;
use super::reader::SourceReader;
use super::stacked::StackedScenes;
use crate::geometry::{Size, Window};
use crate::pixels::{BandRule, Buffer, Composite, Layer, Number, pad_block};
use crate::plan::Job;
use crate::run::Totals;
use crate::source::direct;
use crate::source::{Derived, Mosaic, Pixels};

/// The memory in which a worker decides pixels.
pub struct Decider<'a> {
    shared: &'a Deciding<'a>,
    reader: SourceReader<'a>,
    composites: Composites,
    stacked: Option<StackedScenes<'a>>,
    derived: Option<(&'a Derived, DerivedBands)>,
    layer: Pixels,
}

impl<'a> Decider<'a> {
    /// Nothing opened, nothing decided.
    pub fn new(shared: &'a Deciding<'a>) -> Decider<'a> {
        let mosaic = shared.mosaic;
        Decider {
            shared,
            reader: SourceReader::new(shared),
            composites: Composites::default(),
            stacked: mosaic.stack.as_ref().map(|stack| StackedScenes::new(shared, stack)),
            derived: mosaic.derived.as_ref().map(|derived| (derived, DerivedBands::new(mosaic, derived))),
            layer: Pixels::new(mosaic.working_type),
        }
    }

    /// Decides `bands` of those that are decided from the sources, bands × rows × columns, and where any has data.
    fn compose(
        &mut self,
        job: Job,
        area: Window,
        bands: Range<usize>,
        (pixels, valid): (&mut Buffer, &mut Vec<u8>),
    ) -> Result<()> {
        let Deciding { mosaic, touching, totals, .. } = *self.shared;
        if let Some(index) = lone::source(mosaic, touching, job.window_row, area)
            && self.take_over(index, area, bands.clone(), (&mut *pixels, &mut *valid))
        {
            return Ok(());
        }
        if let Some(stacked) = &mut self.stacked {
            return stacked.decide(job, area, &mut self.reader, pixels, valid);
        }
        self.composites.start(mosaic, bands.clone(), area.size());
        for index in touching.sources(job.window_row, area) {
            let part = mosaic.sources[index].window.and_then(|window| window.intersection(area));
            let Some(part) = part else { continue };
            self.add_source(index, part, area, &bands)?;
            if self.composites.current().is_settled() {
                break;
            }
        }
        let compositing = Instant::now();
        self.finish(bands, (pixels, valid));
        Totals::add(&totals.composite, compositing);
        Ok(())
    }

    /// Takes the pixels of the one source that covers the window as they are. Says whether that could be done; where
    /// a block cannot be decoded, the long way finds out why.
    fn take_over(
        &mut self,
        index: usize,
        window: Window,
        bands: Range<usize>,
        (pixels, valid): (&mut Buffer, &mut Vec<u8>),
    ) -> bool {
        let Deciding { mosaic, totals, .. } = *self.shared;
        let source = &mosaic.sources[index];
        let reading = Instant::now();
        pixels.resize(bands.len() * window.pixels());
        for part in direct::parts(source, window) {
            let place = (window, bands.clone());
            if self.reader.direct.read_into_window(source, part, place, pixels).is_err() {
                return false;
            }
        }
        Totals::add(&totals.read, reading);
        totals.samples_read.fetch_add((window.pixels() * bands.len()) as u64, Ordering::Relaxed);
        let compositing = Instant::now();
        valid.clear();
        valid.resize(window.pixels(), 0);
        lone::settle(&mosaic.bands[bands.clone()], &source.nodata[bands], pixels, valid);
        Totals::add(&totals.composite, compositing);
        true
    }

    /// Adds a source's `part` of the mosaic.
    fn add_source(&mut self, index: usize, part: Window, area: Window, bands: &Range<usize>) -> Result<()> {
        let Deciding { mosaic, totals, .. } = *self.shared;
        let nodata = &mosaic.sources[index].nodata;
        let own_bands = bands.start.min(nodata.len())..bands.end.min(nodata.len());
        let composite = self.composites.current();
        self.reader.each_part(index, part, bands.clone(), &mut self.layer, &mut |place, layer| {
            let compositing = Instant::now();
            composite.add(&Layer {
                place: place.from(area),
                pixels: &layer.values,
                nodata: &nodata[own_bands.clone()],
                mask: layer.masked.then_some(&layer.mask),
            });
            Totals::add(&totals.composite, compositing);
        })
    }

    fn finish(&mut self, bands: Range<usize>, (pixels, valid): (&mut Buffer, &mut [u8])) {
        let decided = &self.shared.mosaic.decided().0[bands];
        let background: Vec<Number> = decided.iter().map(|band| band.background).collect();
        self.composites.current().finish(&background, pixels, valid);
    }
}

impl Decide for Decider<'_> {
    /// Decodes what those of the window's blocks will be made of that one source covers. Where it cannot be, making
    /// them says so.
    fn begin(&mut self, job: Job, bands: Range<usize>) -> Result<()> {
        let Deciding { mosaic, touching, block, totals, .. } = *self.shared;
        let reading = Instant::now();
        self.reader.enter(job.window);
        let mut covered: BTreeMap<usize, Vec<Window>> = BTreeMap::new();
        for block in job.window.cut(Size::square(block)) {
            if let Some(index) = lone::source(mosaic, touching, job.window_row, block) {
                covered.entry(index).or_default().push(block);
            }
        }
        for (index, blocks) in covered {
            let _ =
                self.reader.direct.decode_ahead(&mosaic.sources[index], bands.clone(), blocks.into_iter());
        }
        Totals::add(&totals.read, reading);
        Ok(())
    }

    fn decide(&mut self, job: Job, area: Window, bands: Range<usize>, to: &mut DecidedPixels) -> Result<()> {
        let mosaic = self.shared.mosaic;
        let DecidedPixels { pixels, valid } = to;
        pixels.resize(bands.len() * area.pixels());
        valid.resize(area.pixels(), 0);
        let Some((derived, mut memory)) = self.derived.take() else {
            return self.compose(job, area, bands, (pixels, valid));
        };
        let decided = 0..derived.bands.len();
        // What is decided is not what is written: it goes to a buffer of its own.
        memory.decided.resize(decided.len() * area.pixels());
        self.compose(job, area, decided, (&mut memory.decided, valid))?;
        let deriving = Instant::now();
        let told = self.stacked.as_ref().and_then(StackedScenes::told);
        memory.derive((mosaic, derived), told, pixels, valid);
        Totals::add(&self.shared.totals.composite, deriving);
        self.derived = Some((derived, memory));
        Ok(())
    }

    fn take_block(
        &mut self,
        job: Job,
        block: Window,
        bands: Range<usize>,
        (raw, fill): (&mut [u8], &[u8]),
    ) -> Result<bool> {
        let Deciding { mosaic, touching, totals, block: side, .. } = *self.shared;
        let Some(index) = lone::source(mosaic, touching, job.window_row, block) else { return Ok(false) };
        let source = &mosaic.sources[index];
        if !lone::is_stored_alike(&mosaic.bands, source, bands.clone()) {
            return Ok(false);
        }
        let reading = Instant::now();
        for part in direct::parts(source, block) {
            if self.reader.direct.read_into_block(source, part, (block, side, bands.clone()), raw).is_err() {
                return Ok(false);
            }
        }
        pad_block(raw, block.size(), side, fill);
        Totals::add(&totals.read, reading);
        totals.samples_read.fetch_add((block.pixels() * bands.len()) as u64, Ordering::Relaxed);
        Ok(true)
    }

    fn leave(&mut self) -> Option<usize> {
        self.reader.leave();
        Some(0)
    }
}

/// The composite's state, kept from window to window as long as the bands are the same.
#[derive(Default)]
struct Composites {
    bands: Range<usize>,
    composite: Option<Composite>,
}

impl Composites {
    fn start(&mut self, mosaic: &Mosaic, bands: Range<usize>, size: Size) {
        if self.bands != bands {
            self.composite = None;
            self.bands = bands.clone();
        }
        match &mut self.composite {
            Some(composite) => composite.reset(size),
            none => {
                let rules: Vec<BandRule> = mosaic.decided().0[bands].iter().map(|band| band.rule).collect();
                *none = Some(Composite::new(mosaic.working_type, &rules, size));
            }
        }
    }

    fn current(&mut self) -> &mut Composite {
        self.composite.as_mut().expect("a window was started")
    }
}
