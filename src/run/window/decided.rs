//! The pixels of a window, read from its sources and decided, a few bands at a time.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::Result;

use super::Shared;
use super::lone;
use super::open_sources::OpenSources;
use crate::geometry::{Size, Window};
use crate::pixels::{BandRule, Buffer, Composite, Layer, Number, pad_block};
use crate::plan::Job;
use crate::run::Totals;
use crate::source::direct::{self, DirectReader};
use crate::source::{Handle, Mosaic, Pixels};

/// A worker's open sources, and the memory in which it decides pixels.
pub struct Decided<'a> {
    shared: &'a Shared<'a>,
    sources: OpenSources<'a>,
    direct: DirectReader<'a>,
    composites: Composites,
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
            sources: OpenSources::new(mosaic, shared.plan.open_sources),
            direct: DirectReader::new(
                mosaic,
                shared.direct,
                (shared.plan.window, shared.plan.decode_at_once),
            ),
            composites: Composites::default(),
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
        self.direct.enter(job.window);
        let mut covered: BTreeMap<usize, Vec<Window>> = BTreeMap::new();
        for block in job.window.cut(Size::square(block)) {
            if let Some(index) = lone::source(mosaic, touching, job.window_row, block) {
                covered.entry(index).or_default().push(block);
            }
        }
        for (index, blocks) in covered {
            let _ =
                self.direct.decode_ahead(index, &mosaic.sources[index], bands.clone(), blocks.into_iter());
        }
        Totals::add(&totals.read, reading);
    }

    /// Decides `bands` of an area of the job's window.
    ///
    /// # Errors
    /// When a source cannot be read.
    pub fn decide(&mut self, job: Job, area: Window, bands: Range<usize>) -> Result<()> {
        let Shared { mosaic, touching, totals, .. } = *self.shared;
        if let Some(index) = lone::source(mosaic, touching, job.window_row, area)
            && self.take_over(index, area, bands.clone())
        {
            return Ok(());
        }
        self.composites.start(mosaic, bands.clone(), area.size());
        for index in touching.sources(job.window_row, area) {
            let part = mosaic.sources[index].window.and_then(|window| window.intersection(area));
            let Some(part) = part else { continue };
            if mosaic.sources[index].direct {
                self.add_directly(index, part, area, &bands)?;
            } else {
                self.add_through_gdal(index, part, area, &bands)?;
            }
            if self.composites.current().is_settled() {
                break;
            }
        }
        let compositing = Instant::now();
        self.finish(area, bands);
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
            if self.direct.read_into_block(index, source, part, (block, side, bands.clone()), raw).is_err() {
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
        self.direct.leave();
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
            if self.direct.read_into_window(index, source, part, place, &mut self.pixels).is_err() {
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

    /// Adds a source's `part` of the mosaic block by block, read without GDAL.
    fn add_directly(
        &mut self,
        index: usize,
        part: Window,
        window: Window,
        bands: &Range<usize>,
    ) -> Result<()> {
        let source = &self.shared.mosaic.sources[index];
        let reading = Instant::now();
        // What cannot be decoded is found again below.
        let _ = self.direct.decode_ahead(index, source, bands.clone(), std::iter::once(part));
        Totals::add(&self.shared.totals.read, reading);
        for part in direct::parts(source, part) {
            let reading = Instant::now();
            let read = self.direct.read(index, source, part, bands.clone(), &mut self.layer);
            Totals::add(&self.shared.totals.read, reading);
            match read {
                Ok(()) => self.add_layer(index, part.place, window, bands),
                // Damage is GDAL's to judge: it reads right pixels, or says what is wrong in its own words.
                Err(_) if self.shared.ask_gdal => self.let_gdal_judge(index, part.place, window, bands)?,
                Err(error) => return Err(error.context(source.source.name.to_string())),
            }
        }
        Ok(())
    }

    /// Adds a block that could not be decoded as GDAL reads it. One worker at a time, with a handle that is closed at
    /// once: no more is in the budget.
    fn let_gdal_judge(
        &mut self,
        index: usize,
        part: Window,
        window: Window,
        bands: &Range<usize>,
    ) -> Result<()> {
        let Shared { mosaic, totals, block, .. } = *self.shared;
        let reading = Instant::now();
        let judging = self.shared.judging.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = self.shared.plan;
        // What decoded blocks and this worker's decoder had in the meantime.
        self.direct.let_go();
        self.shared.direct.cache.keep_at_most((plan.decoded_bytes - plan.lent_bytes) as usize);
        let handle = Handle::open(mosaic, &mosaic.sources[index])?;
        totals.note(handle.read(part, bands.clone(), block, &mut self.layer)?);
        drop(handle);
        drop(judging);
        Totals::add(&totals.read, reading);
        self.add_layer(index, part, window, bands);
        Ok(())
    }

    /// Adds a source's `part` of the mosaic, read by GDAL.
    fn add_through_gdal(
        &mut self,
        index: usize,
        part: Window,
        window: Window,
        bands: &Range<usize>,
    ) -> Result<()> {
        let Shared { totals, block, .. } = *self.shared;
        let reading = Instant::now();
        let warnings = self.sources.get(index)?.read(part, bands.clone(), block, &mut self.layer)?;
        totals.note(warnings);
        Totals::add(&totals.read, reading);
        self.add_layer(index, part, window, bands);
        Ok(())
    }

    /// Adds what was read last: a source's pixels in `part` of the mosaic.
    fn add_layer(&mut self, index: usize, part: Window, window: Window, bands: &Range<usize>) {
        let compositing = Instant::now();
        let Shared { mosaic, totals, .. } = *self.shared;
        let nodata = &mosaic.sources[index].nodata;
        let own_bands = bands.start.min(nodata.len())..bands.end.min(nodata.len());
        self.composites.current().add(&Layer {
            place: Window::new(part.column - window.column, part.row - window.row, part.columns, part.rows),
            pixels: &self.layer.values,
            nodata: &nodata[own_bands],
            mask: self.layer.masked.then_some(&self.layer.mask),
        });
        totals.samples_read.fetch_add((part.pixels() * bands.len()) as u64, Ordering::Relaxed);
        Totals::add(&totals.composite, compositing);
    }

    fn finish(&mut self, window: Window, bands: Range<usize>) {
        self.pixels.resize(bands.len() * window.pixels());
        self.valid.resize(window.pixels(), 0);
        let background: Vec<Number> =
            self.shared.mosaic.bands[bands].iter().map(|band| band.background).collect();
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
                let rules: Vec<BandRule> = mosaic.bands[bands].iter().map(|band| band.rule).collect();
                *none = Some(Composite::new(mosaic.working_type, &rules, size));
            }
        }
    }

    fn current(&mut self) -> &mut Composite {
        self.composite.as_mut().expect("a window was started")
    }
}
