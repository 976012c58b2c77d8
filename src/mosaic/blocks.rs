//! From a prepared job to the blocks of its file.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use super::part::{self, Storing};
use super::{Hooks, Prepared};
use crate::codec::Compression;
use crate::config::Settings;
use crate::output::{Job, OverviewStore, Stored, Target, Written};
use crate::run::{
    Deciding, FinishedPart, Isolation, LeftOut, Pyramid, Shared, Totals, WindowMaker, run_jobs, step_by_step,
};
use crate::source::ReaderChoice;
use crate::source::direct::{BlockCache, DirectFiles, DirectSources};

/// Why the blocks are not all written, and whether another run can go on with the part.
pub struct Left {
    pub error: anyhow::Error,
    pub part: bool,
}

/// Makes all blocks, and enters them; says whether another run could have gone on with the file.
pub fn write_blocks(
    settings: &Settings,
    prepared: &Prepared,
    (target, stored, job): (&Target, Option<Stored>, Job),
    totals: &Totals,
    (isolation, left_out): (Option<&Isolation>, &LeftOut),
    hooks: &Hooks,
) -> Result<(Written, bool), Left> {
    let Prepared { mosaic, encoding, plan, jobs, touching, .. } = prepared;
    let path = target.path();
    let resumed = stored.is_some();
    let (writer, warnings) = part::open(settings, (target, stored), &encoding.spec(mosaic), job)
        .map_err(|error| Left { error, part: resumed })?;
    totals.note(warnings);
    let stored_to = writer.position();
    let direct = DirectSources {
        files: DirectFiles::new(OPEN_FILES),
        cache: BlockCache::new(plan.decoded_bytes as usize, plan.windows_ahead),
    };
    let (pyramid, store) = match encoding.overviews.as_slice() {
        [] => (None, None),
        sizes => {
            let pyramid = Pyramid::new(mosaic, jobs, sizes, encoding.block, encoding.overview_resampling);
            let store = OverviewStore::beside(path).map_err(|error| Left { error, part: resumed })?;
            (Some(pyramid), Some(store))
        }
    };
    let deciding = Deciding {
        mosaic,
        plan,
        touching,
        block: encoding.block,
        direct: &direct,
        ask_gdal: settings.reader == ReaderChoice::Auto,
        patience: settings.patience(hooks.stop),
        judging: Mutex::new(()),
        totals,
    };
    let shared = Shared {
        deciding,
        isolation,
        blocks_in_pairs: encoding.cloud_optimized && mosaic.mask,
        overviews: pyramid.as_ref().zip(store.as_ref()),
        bands_apart: encoding.bands_apart,
        compression: encoding.compression,
        predictor: encoding.predictor,
        level: encoding.level,
        // GDAL's own choice for masks inside a GeoTIFF, which the header says.
        mask_compression: Compression::Deflate,
        finished: (stored_to > 0).then_some(FinishedPart { position: stored_to, jobs, path }),
    };
    let growth = &totals.growth;
    let mut storing = Storing::new((writer, stored_to), jobs, left_out, hooks);
    hooks.progress.start(jobs.len() as u64, jobs.pixels() * mosaic.pixel_bytes() as u64);
    let workers = plan.workers.min(jobs.len()).max(1);
    let made = run_jobs(
        jobs,
        (workers, plan.windows_ahead),
        || WindowMaker::new(&shared),
        &mut storing,
        hooks.stop,
        &|job| {
            growth.window_done();
            hooks.progress.window_done((job.window.pixels() * mosaic.pixel_bytes()) as u64);
        },
    );
    hooks.progress.finish();
    let mut writer = storing.writer;
    if let Err(error) = made {
        let part = writer.can_be_resumed();
        if part {
            // The disk may be slow, and whoever ends the process at once must not remove it.
            hooks.unfinished.lock().unwrap_or_else(PoisonError::into_inner).worth_keeping();
        }
        // The first error counts; what the index tells by now is kept in any case.
        let _ = writer.leave();
        return Err(Left { error, part });
    }
    totals.blocks_decoded.fetch_add(direct.cache.decoded(), Ordering::Relaxed);
    let added = match store {
        Some(store) => writer.add_overviews(store, &|step| step_by_step(plan.workers, hooks.stop, step)),
        None => Ok(()),
    };
    let finished = added.and_then(|()| writer.finish());
    // The first entry of a short job may reach the index at its end.
    let part = writer.can_be_resumed();
    let written = finished.map_err(|error| Left { error, part })?;
    Ok((written, part))
}

/// Files that are open at once for direct reading: below the usual limit of a process.
const OPEN_FILES: usize = 256;
