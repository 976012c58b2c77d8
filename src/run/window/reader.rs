//! A worker's way to its sources' pixels: blocks decoded here, or GDAL.

use std::ops::Range;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::Result;

use super::deciding::Deciding;
use super::open_sources::OpenSources;
use crate::geometry::Window;
use crate::pixels::Stack;
use crate::run::Totals;
use crate::source::direct::{self, DirectReader};
use crate::source::{Handle, Pixels};

/// A worker's open sources and decoders.
pub struct SourceReader<'a> {
    shared: &'a Deciding<'a>,
    sources: OpenSources<'a>,
    /// Reads without GDAL.
    pub direct: DirectReader<'a>,
}

impl<'a> SourceReader<'a> {
    /// Nothing opened.
    pub fn new(shared: &'a Deciding<'a>) -> SourceReader<'a> {
        let Deciding { mosaic, plan, .. } = *shared;
        SourceReader {
            shared,
            sources: OpenSources::new(mosaic, plan.open_sources),
            direct: DirectReader::new(mosaic, shared.direct, (plan.window, plan.decode_at_once)),
        }
    }

    /// What is read from now on is for this window of the mosaic.
    pub fn enter(&mut self, window: Window) {
        self.direct.enter(window);
    }

    /// The window is done.
    pub fn leave(&mut self) {
        self.direct.leave();
    }

    /// Reads a source's `part` of the mosaic, of the bands `bands` (indices into those that are read of it), piece by
    /// piece into `layer`, and hands each on to `take`.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn each_part(
        &mut self,
        index: usize,
        part: Window,
        bands: Range<usize>,
        layer: &mut Pixels,
        take: &mut dyn FnMut(Window, &Pixels),
    ) -> Result<()> {
        let Deciding { mosaic, totals, ask_gdal, patience, .. } = *self.shared;
        let source = &mosaic.sources[index];
        let mut take = |place: Window, layer: &Pixels| {
            totals.samples_read.fetch_add((place.pixels() * bands.len()) as u64, Ordering::Relaxed);
            take(place, layer);
        };
        let reading = Instant::now();
        if !source.direct {
            let unit = mosaic.unit(self.shared.block);
            let handle = self.sources.get(index, patience)?;
            totals.note(handle.read(part, bands.clone(), unit, (layer, patience))?);
            Totals::add(&totals.read, reading);
            take(part, layer);
            return Ok(());
        }
        // What cannot be decoded is found again below.
        let _ = self.direct.decode_ahead(source, bands.clone(), std::iter::once(part));
        Totals::add(&totals.read, reading);
        for part in direct::parts(source, part) {
            let reading = Instant::now();
            match self.direct.read(source, part, bands.clone(), layer) {
                Ok(()) => {}
                // Damage is GDAL's to judge: it reads right pixels, or says what is wrong in its own words.
                Err(_) if ask_gdal => self.let_gdal_judge(index, part.place, bands.clone(), layer)?,
                Err(error) => return Err(error.context(source.source.name.to_string())),
            }
            Totals::add(&totals.read, reading);
            take(part.place, layer);
        }
        Ok(())
    }

    /// Whether a source's pixels can be read into a stack as they are: decoded here, without transparency, all bands that
    /// are wanted of it.
    pub fn reads_into_scenes(&self, index: usize, slots: &[usize]) -> bool {
        let Deciding { mosaic, .. } = *self.shared;
        let placed = &mosaic.sources[index];
        let opaque = placed.source.alpha.is_some() || mosaic.opaque.is_some();
        placed.direct && !opaque && placed.bands.len() == slots.len()
    }

    /// Reads such a source's `part` of the mosaic into the scene `number` of a stack over `area`, without a copy between.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn read_into_scene(
        &mut self,
        (index, part): (usize, Window),
        (area, slots): (Window, &[usize]),
        (stack, number): (&mut Stack, usize),
        layer: &mut Pixels,
    ) -> Result<()> {
        let Deciding { mosaic, totals, ask_gdal, .. } = *self.shared;
        let source = &mosaic.sources[index];
        let reading = Instant::now();
        // What cannot be decoded is found again below.
        let _ = self.direct.decode_ahead(source, 0..slots.len(), std::iter::once(part));
        for part in direct::parts(source, part) {
            totals.samples_read.fetch_add((part.place.pixels() * slots.len()) as u64, Ordering::Relaxed);
            match self.direct.read_into_scene(source, part, (area, slots), stack.scene_values(number)) {
                Ok(()) => stack.see(number, part.place.from(area)),
                Err(_) if ask_gdal => {
                    self.let_gdal_judge(index, part.place, 0..slots.len(), layer)?;
                    let mask = layer.masked.then_some(&layer.mask[..]);
                    stack.add_part(number, slots, part.place.from(area), &layer.values, mask);
                }
                Err(error) => return Err(error.context(source.source.name.to_string())),
            }
        }
        Totals::add(&totals.read, reading);
        Ok(())
    }

    /// Reads a block that could not be decoded as GDAL does. One worker at a time, with a handle that is closed at once:
    /// no more is in the budget.
    fn let_gdal_judge(
        &mut self,
        index: usize,
        part: Window,
        bands: Range<usize>,
        layer: &mut Pixels,
    ) -> Result<()> {
        let Deciding { mosaic, totals, block, plan, patience, .. } = *self.shared;
        let _judging = self.shared.judging.lock().unwrap_or_else(PoisonError::into_inner);
        // What decoded blocks and this worker's decoder had in the meantime.
        self.direct.let_go();
        self.shared.direct.cache.keep_at_most((plan.decoded_bytes - plan.lent_bytes) as usize);
        let handle = Handle::open(mosaic, &mosaic.sources[index], patience)?;
        totals.note(handle.read(part, bands, mosaic.unit(block), (layer, patience))?);
        Ok(())
    }
}
