//! A worker's child: asked what its window needs, replaced when it dies.

use std::ops::Range;

use anyhow::Result;

use super::Isolation;
use super::child::{Child, End};
use super::message::{Answer, Request};
use crate::geometry::Window;
use crate::plan::Job;
use crate::run::window::{Decide, DecidedPixels, lone};

/// Decides pixels in a child process.
pub struct RemoteDecider<'a> {
    isolation: &'a Isolation<'a>,
    child: Option<Child<'a>>,
    /// The bands that the job's window begins with.
    bands: Range<usize>,
    /// Children that died at this window.
    deaths: usize,
    /// How many sources were left out in each answer about it, the least and the most.
    without: Option<(usize, usize)>,
}

impl<'a> RemoteDecider<'a> {
    /// No child is started yet.
    pub fn new(isolation: &'a Isolation<'a>) -> RemoteDecider<'a> {
        RemoteDecider { isolation, child: None, bands: 0..0, deaths: 0, without: None }
    }

    /// A child that has begun the job's window.
    fn child(&mut self, job: Job) -> Result<&mut Child<'a>, End> {
        let isolation = self.isolation;
        let child = match self.child.take() {
            Some(child) => child,
            None => isolation.start(isolation.plan.child_bytes, isolation.left_out.indices())?,
        };
        let child = self.child.insert(child);
        if child.job != Some(job.number) {
            child.mention(&Request::Begin { job: job.number, bands: self.bands.clone() });
            child.job = Some(job.number);
        }
        Ok(child)
    }

    /// Asks about an area until a child lives to answer; `take` reads what the answer announces.
    fn ask<T>(
        &mut self,
        (job, area): (Job, Window),
        request: &Request,
        mut take: impl FnMut(&mut Child, Answer, &Isolation) -> Result<T, End>,
    ) -> Result<T> {
        let isolation = self.isolation;
        loop {
            let answered = self.child(job).and_then(|child| {
                let answer = child.ask(request)?;
                Ok((take(child, answer, isolation)?, child.left_out))
            });
            match answered {
                Ok((taken, without)) => {
                    let (least, most) = self.without.unwrap_or((without, without));
                    self.without = Some((least.min(without), most.max(without)));
                    return Ok(taken);
                }
                Err(end) => {
                    self.child = None;
                    isolation.after(end, area, &mut self.deaths, true)?;
                }
            }
        }
    }
}

impl Decide for RemoteDecider<'_> {
    fn begin(&mut self, _job: Job, bands: Range<usize>) -> Result<()> {
        (self.bands, self.deaths, self.without) = (bands, 0, None);
        // What is left out since this child was started, it would read.
        let left_out = self.isolation.left_out.count();
        self.child.take_if(|child| child.left_out < left_out);
        Ok(())
    }

    fn decide(&mut self, job: Job, area: Window, bands: Range<usize>, to: &mut DecidedPixels) -> Result<()> {
        let DecidedPixels { pixels, valid } = to;
        pixels.resize(bands.len() * area.pixels());
        valid.resize(area.pixels(), 0);
        let request = Request::Decide { area, bands };
        self.ask((job, area), &request, |child, answer, isolation| match answer {
            Answer::Decided(done, of_pixels, of_valid)
                if (of_pixels, of_valid) == (pixels.bytes().len(), valid.len()) =>
            {
                child.take(pixels.bytes_mut())?;
                child.take(valid)?;
                isolation.count(done, child);
                Ok(())
            }
            other => Err(child.confused(&other)),
        })
    }

    fn take_block(
        &mut self,
        job: Job,
        block: Window,
        bands: Range<usize>,
        (raw, fill): (&mut [u8], &[u8]),
    ) -> Result<bool> {
        let Isolation { mosaic, touching, .. } = self.isolation;
        // The child need not be asked whether there is one such source.
        let Some(index) = lone::source(mosaic, touching, job.window_row, block) else { return Ok(false) };
        if !lone::is_stored_alike(&mosaic.bands, &mosaic.sources[index], bands.clone()) {
            return Ok(false);
        }
        let request = Request::TakeBlock { block, bands, fill: fill.to_vec(), bytes: raw.len() };
        self.ask((job, block), &request, |child, answer, isolation| match answer {
            Answer::Block(done, taken) => {
                if taken {
                    child.take(raw)?;
                }
                isolation.count(done, child);
                Ok(taken)
            }
            other => Err(child.confused(&other)),
        })
    }

    fn leave(&mut self) -> Option<usize> {
        if let Some(child) = &mut self.child {
            child.mention(&Request::Leave);
            child.job = None;
        }
        let (least, most) = self.without.unwrap_or_default();
        (least == most).then_some(most)
    }
}
