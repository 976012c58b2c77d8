//! The pixels of a window, read from its sources and decided, a few bands at a time.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::Result;

use super::Shared;
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
pub struct Decided<'a> {
    shared: &'a Shared<'a>,
    reader: SourceReader<'a>,
    composites: Composites,
    stacked: Option<StackedScenes<'a>>,
    derived: Option<(&'a Derived, DerivedBands)>,
    layer: Pixels,
    /// The bands decided last: bands × rows × columns of the window.
    pub pixels: Buffer,
    /// Rows × columns: 1 where any of those bands has data.
    pub valid: Vec<u8>,
}

impl<'a> Decided<'a> {
    /// Nothing opened, nothing decided.
    pub fn new(shared: &'a Shared<'a>) -> Decided<'a> {
        let mosaic = shared.mosaic;
        Decided {
            shared,
            reader: SourceReader::new(shared),
            composites: Composites::default(),
            stacked: mosaic.stack.as_ref().map(|stack| StackedScenes::new(shared, stack)),
            derived: mosaic.derived.as_ref().map(|derived| (derived, DerivedBands::new(mosaic, derived))),
            layer: Pixels::new(mosaic.working_type),
            pixels: Buffer::zeros(mosaic.pixel_type, 0),
            valid: Vec::new(),
        }
    }

    /// Begins the job's window: decodes what those of its blocks will be made of that one source covers. Where it
    /// cannot be, making them says so.
    pub fn begin(&mut self, job: Job, bands: Range<usize>) {
        let Shared { mosaic, touching, block, totals, .. } = *self.shared;
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
    }

    /// Decides `bands` of an area of the job's window: all of them where some are derived from others.
    ///
    /// # Errors
    /// When a source cannot be read.
    pub fn decide(&mut self, job: Job, area: Window, bands: Range<usize>) -> Result<()> {
        let mosaic = self.shared.mosaic;
        self.pixels.resize(bands.len() * area.pixels());
        self.valid.resize(area.pixels(), 0);
        let Some((derived, mut memory)) = self.derived.take() else {
            return self.compose(job, area, bands);
        };
        let decided = 0..derived.bands.len();
        memory.decided.resize(decided.len() * area.pixels());
        // What is decided is not what is written: it goes to a buffer of its own.
        std::mem::swap(&mut self.pixels, &mut memory.decided);
        let composed = self.compose(job, area, decided);
        std::mem::swap(&mut self.pixels, &mut memory.decided);
        composed?;
        let deriving = Instant::now();
        let told = self.stacked.as_ref().and_then(StackedScenes::told);
        memory.derive((mosaic, derived), told, &mut self.pixels, &mut self.valid);
        Totals::add(&self.shared.totals.composite, deriving);
        self.derived = Some((derived, memory));
        Ok(())
    }

    /// Decides `bands` of those that are decided from the sources.
    fn compose(&mut self, job: Job, area: Window, bands: Range<usize>) -> Result<()> {
        let Shared { mosaic, touching, totals, .. } = *self.shared;
        if let Some(index) = lone::source(mosaic, touching, job.window_row, area)
            && self.take_over(index, area, bands.clone())
        {
            return Ok(());
        }
        if let Some(stacked) = &mut self.stacked {
            return stacked.decide(job, area, &mut self.reader, &mut self.pixels, &mut self.valid);
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
        self.finish(bands);
        Totals::add(&totals.composite, compositing);
        Ok(())
    }

    /// Copies a block of the mosaic, in the job's window and of `bands`, out of the decoded blocks of the one source
    /// that covers it. Says whether that could be done; where a block cannot be decoded, the long way finds out why.
    ///
    /// `raw` is filled, beyond the mosaic's edge as [`pad_block`] does with `fill`.
    pub fn take_block(
        &mut self,
        job: Job,
        block: Window,
        bands: Range<usize>,
        (raw, fill): (&mut [u8], &[u8]),
    ) -> bool {
        let Shared { mosaic, touching, totals, block: side, .. } = *self.shared;
        let Some(index) = lone::source(mosaic, touching, job.window_row, block) else { return false };
        let source = &mosaic.sources[index];
        if !lone::is_stored_alike(&mosaic.bands, source, bands.clone()) {
            return false;
        }
        let reading = Instant::now();
        for part in direct::parts(source, block) {
            if self.reader.direct.read_into_block(source, part, (block, side, bands.clone()), raw).is_err() {
                return false;
            }
        }
        pad_block(raw, block.size(), side, fill);
        Totals::add(&totals.read, reading);
        totals.samples_read.fetch_add((block.pixels() * bands.len()) as u64, Ordering::Relaxed);
        true
    }

    /// The worker is done with the window of its job.
    pub fn leave(&mut self) {
        self.reader.leave();
    }

    /// Takes the pixels of the one source that covers the window as they are. Says whether that could be done; where
    /// a block cannot be decoded, the long way finds out why.
    fn take_over(&mut self, index: usize, window: Window, bands: Range<usize>) -> bool {
        let Shared { mosaic, totals, .. } = *self.shared;
        let source = &mosaic.sources[index];
        let reading = Instant::now();
        self.pixels.resize(bands.len() * window.pixels());
        for part in direct::parts(source, window) {
            let place = (window, bands.clone());
            if self.reader.direct.read_into_window(source, part, place, &mut self.pixels).is_err() {
                return false;
            }
        }
        Totals::add(&totals.read, reading);
        totals.samples_read.fetch_add((window.pixels() * bands.len()) as u64, Ordering::Relaxed);
        let compositing = Instant::now();
        self.valid.clear();
        self.valid.resize(window.pixels(), 0);
        lone::settle(&mosaic.bands[bands.clone()], &source.nodata[bands], &mut self.pixels, &mut self.valid);
        Totals::add(&totals.composite, compositing);
        true
    }

    /// Adds a source's `part` of the mosaic.
    fn add_source(&mut self, index: usize, part: Window, area: Window, bands: &Range<usize>) -> Result<()> {
        let Shared { mosaic, totals, .. } = *self.shared;
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

    fn finish(&mut self, bands: Range<usize>) {
        let decided = &self.shared.mosaic.decided().0[bands];
        let background: Vec<Number> = decided.iter().map(|band| band.background).collect();
        self.composites.current().finish(&background, &mut self.pixels, &mut self.valid);
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
