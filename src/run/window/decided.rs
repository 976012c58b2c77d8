//! The pixels of a window, read from its sources and decided, a few bands at a time.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::Result;

use super::Shared;
use super::open_sources::OpenSources;
use crate::geometry::{Size, Window};
use crate::pixels::{BandRule, Buffer, Composite, Layer, Number};
use crate::plan::Job;
use crate::run::Totals;
use crate::source::{Mosaic, Pixels};

/// A worker's open sources, and the memory in which it decides pixels.
pub struct Decided<'a> {
    shared: &'a Shared<'a>,
    sources: OpenSources<'a>,
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
            composites: Composites::default(),
            layer: Pixels::new(mosaic.working_type),
            pixels: Buffer::zeros(mosaic.pixel_type, 0),
            valid: Vec::new(),
        }
    }

    /// Decides `bands` of the window.
    ///
    /// # Errors
    /// When a source cannot be read.
    pub fn decide(&mut self, job: Job, bands: Range<usize>) -> Result<()> {
        let Shared { mosaic, touching, totals, .. } = *self.shared;
        self.composites.start(mosaic, bands.clone(), job.window.size());
        for index in touching.sources(job.window_row, job.window) {
            let part = mosaic.sources[index].window.and_then(|window| window.intersection(job.window));
            let Some(part) = part else { continue };
            self.read(index, part, bands.clone())?;
            let compositing = Instant::now();
            let settled = self.add_layer(index, part, job.window, bands.clone());
            Totals::add(&totals.composite, compositing);
            if settled {
                break;
            }
        }
        let compositing = Instant::now();
        self.finish(job.window, bands);
        Totals::add(&totals.composite, compositing);
        Ok(())
    }

    /// Reads a source's `part` of the mosaic into the layer.
    fn read(&mut self, index: usize, part: Window, bands: Range<usize>) -> Result<()> {
        let Shared { totals, block, .. } = *self.shared;
        let reading = Instant::now();
        let samples = (part.pixels() * bands.len()) as u64;
        let warnings = self.sources.get(index)?.read(part, bands, block, &mut self.layer)?;
        totals.note(warnings);
        Totals::add(&totals.read, reading);
        totals.samples_read.fetch_add(samples, Ordering::Relaxed);
        Ok(())
    }

    /// Adds the layer read last; says whether no further one can change a pixel.
    fn add_layer(&mut self, index: usize, part: Window, window: Window, bands: Range<usize>) -> bool {
        let nodata = &self.shared.mosaic.sources[index].nodata;
        let own_bands = bands.start.min(nodata.len())..bands.end.min(nodata.len());
        let composite = self.composites.current();
        composite.add(&Layer {
            place: Window::new(part.column - window.column, part.row - window.row, part.columns, part.rows),
            pixels: &self.layer.values,
            nodata: &nodata[own_bands],
            mask: self.layer.masked.then_some(&self.layer.mask),
        });
        composite.is_settled()
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
