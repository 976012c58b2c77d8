//! Plans keep their budget, and refusals say the truth.

use super::*;
use crate::plan::{Levels, Overviews};
use proptest::prelude::*;

fn needs<'a>(
    size: Size,
    bands: usize,
    workers: usize,
    max_encoded: &'a dyn Fn(usize) -> usize,
    row_of_blocks: &'a dyn Fn(usize) -> u64,
    wanted_again: &'a dyn Fn(Size, usize) -> (u64, u64),
) -> Needs<'a> {
    let gdal = ThroughGdal {
        handle_bytes: 5 << 20,
        reader_bytes: 0,
        unit: 512,
        block_bytes: 2 << 20,
        row_of_blocks,
    };
    let direct = Direct {
        block_bytes: 2 << 20,
        encoded_bytes: 1 << 20,
        judge_bytes: 3 << 20,
        at_once: 2,
        block_pixels: 512 * 512,
        wanted_again,
    };
    let overviews = if bands.is_multiple_of(2) { Overviews::Auto } else { Overviews::None };
    let overviews = overviews.sizes(size, 512, bands.is_multiple_of(4));
    let levels = Levels { size, overviews, block: 512, pixel_bytes: 2 * bands, kernel_radius: bands % 3 };
    Needs {
        size,
        block: 512,
        bands,
        bands_apart: bands > 16,
        working_bytes: 2,
        state_bytes: 3,
        stack_bytes: &|_| 0,
        margin_bytes: &|_| 0,
        stack_work_bytes: 0,
        output_bytes: 2,
        mask: false,
        max_encoded,
        batch: 4,
        encoder_bytes: 200_000,
        // Kept for the test's lifetime, so that no test has to hold it.
        levels: Box::leak(Box::new(levels)),
        bands_together: false,
        source_block: Size::square(512),
        moving_bytes: (bands % 4) << 18,
        through_gdal: (!bands.is_multiple_of(3)).then_some(gdal),
        direct: (bands % 3 != 1).then_some(direct),
        verifying: Verifying { bytes: 7 << 20, handle_bytes: 1 << 20, cache_bytes: 2 << 20 },
        runtime: 60 << 20,
        child: None,
        chunk: None,
        workers,
    }
}

proptest! {
    #[test]
    fn a_plan_never_exceeds_its_budget_and_the_least_that_is_said_is_enough(
        columns in 1usize..200_000, rows in 1usize..200_000, bands in 1usize..200,
        workers in 1usize..65, limit in (64u64 << 20)..(8u64 << 30),
    ) {
        let encoded = |raw: usize| raw + raw / 2 + 64;
        let row = |rows: usize| (columns * rows * 2) as u64;
        let again = |window: Size, workers: usize| {
let most = (columns * window.rows + workers * window.pixels()) as u64;
(most, most / 2)
};
        let needs = needs(Size::new(columns, rows), bands, workers, &encoded, &row, &again);
        match plan(&needs, limit) {
            Ok(plan) => {
                prop_assert!(plan.total() <= limit);
                prop_assert!(plan.workers >= 1 && plan.workers <= workers);
                prop_assert!(plan.bands_at_once >= 1 && plan.bands_at_once <= bands);
                prop_assert!(plan.windows_ahead >= plan.workers);
            }
            Err(TooSmall { least }) => {
                prop_assert!(least > limit);
                prop_assert!(plan(&needs, least).is_ok());
            }
        }
    }

    #[test]
    fn more_memory_never_means_a_slower_plan(
        columns in 1usize..50_000, rows in 1usize..50_000, bands in 1usize..40, limit in (128u64 << 20)..(4u64 << 30),
    ) {
        let encoded = |raw: usize| raw + raw / 2 + 64;
        let row = |rows: usize| (columns * rows * 2) as u64;
        let again = |window: Size, workers: usize| {
let most = (columns * window.rows + workers * window.pixels()) as u64;
(most, most / 2)
};
        let needs = needs(Size::new(columns, rows), bands, 8, &encoded, &row, &again);
        let cost = |limit: u64| fastest(&needs, limit).map(|attempt| attempt.cost(limit));
        if let (Some(little), Some(much)) = (cost(limit), cost(limit * 2)) {
            prop_assert!(much <= little);
        }
    }

    #[test]
    fn the_least_that_is_said_is_enough_and_a_mebibyte_less_is_not(
        columns in 1usize..200_000, rows in 1usize..200_000, bands in 1usize..200, workers in 1usize..65,
        chunk in prop::option::of(1usize..9),
    ) {
        let encoded = |raw: usize| raw + raw / 2 + 64;
        let row = |rows: usize| (columns * rows * 2) as u64;
        let again = |window: Size, workers: usize| {
let most = (columns * window.rows + workers * window.pixels()) as u64;
(most, most / 2)
};
        let size = Size::new(columns, rows);
        let needs = Needs { chunk: chunk.map(|c| c * 512), ..needs(size, bands, workers, &encoded, &row, &again) };
        let TooSmall { least } = plan(&needs, 0).expect_err("nothing fits into nothing");
        let plan_of_least = plan(&needs, least).expect("it was said to be enough");
        prop_assert_eq!((plan_of_least.workers, plan_of_least.total()), (1, least));
        prop_assert_eq!(plan(&needs, least - (1 << 20)), Err(TooSmall { least }));
    }

    #[test]
    fn a_chunk_that_was_asked_for_is_kept(
        columns in 1usize..50_000, rows in 1usize..50_000, bands in 1usize..40, chunk in 1usize..9,
        limit in (128u64 << 20)..(8u64 << 30),
    ) {
        let encoded = |raw: usize| raw + raw / 2 + 64;
        let row = |rows: usize| (columns * rows * 2) as u64;
        let again = |window: Size, workers: usize| {
let most = (columns * window.rows + workers * window.pixels()) as u64;
(most, most / 2)
};
        let chunk = chunk * 512;
        let needs = Needs { chunk: Some(chunk), ..needs(Size::new(columns, rows), bands, 8, &encoded, &row, &again) };
        match plan(&needs, limit) {
            Ok(plan) => prop_assert_eq!(plan.window, Size::square(chunk)),
            Err(TooSmall { least }) => prop_assert!(least > limit),
        }
    }

    #[test]
    fn what_is_left_is_spent_on_the_cache_and_on_open_sources_and_no_more_than_is_of_use(
        columns in 1usize..50_000, rows in 1usize..50_000, bands in 1usize..40, limit in (256u64 << 20)..(16u64 << 30),
    ) {
        let encoded = |raw: usize| raw + raw / 2 + 64;
        let row = |rows: usize| (columns * rows * 2) as u64;
        let again = |window: Size, workers: usize| {
let most = (columns * window.rows + workers * window.pixels()) as u64;
(most, most / 2)
};
        let needs = needs(Size::new(columns, rows), bands, 4, &encoded, &row, &again);
        if let Ok(plan) = plan(&needs, limit) {
            let of_gdal = |gdal: &ThroughGdal| (gdal.row_of_blocks)(plan.window.rows) * plan.workers as u64;
            let wanted = needs.through_gdal.as_ref().map_or(0, of_gdal);
            prop_assert!((LEAST_CACHE..=wanted.max(LEAST_CACHE)).contains(&plan.cache_bytes));
            let of_direct = |direct: &Direct| (direct.wanted_again)(plan.window, plan.workers).0;
            prop_assert!(plan.decoded_bytes <= needs.direct.as_ref().map_or(0, of_direct));
            let line = |what: &str| plan.lines.iter().find(|line| line.what.starts_with(what)).unwrap().bytes;
            prop_assert_eq!(line("GDAL's block cache"), plan.cache_bytes);
            prop_assert_eq!(line("decoded blocks of the sources"), plan.decoded_bytes - plan.lent_bytes);
            let handle = needs.through_gdal.as_ref().map_or(0, |gdal| gdal.handle_bytes);
            prop_assert_eq!(line("open sources"), (plan.workers * plan.open_sources * handle) as u64);
            prop_assert!((1..=plan.workers).contains(&plan.verifiers));
        }
    }
}

#[test]
fn where_only_fewer_bands_at_once_fit_the_windows_stay_whole_blocks() {
    let encoded = |raw: usize| raw + 64;
    let row = |_: usize| 0;
    let again = |_: Size, _: usize| (0, 0);
    let needs = needs(Size::new(20_000, 20_000), 100, 1, &encoded, &row, &again);
    let TooSmall { least } = plan(&needs, 0).expect_err("nothing fits into nothing");
    let plan = plan(&needs, least + (8 << 20)).expect("it is more than the least");
    assert_eq!(plan.window, Size::square(512));
    assert!((1..100).contains(&plan.bands_at_once), "{} bands at once", plan.bands_at_once);
}

#[test]
fn one_handle_for_damaged_blocks_is_counted_however_many_workers_there_are() {
    let encoded = |raw: usize| raw + 64;
    let row = |_: usize| 0;
    for (block_bytes, judge_bytes, counted) in
        [(2 << 20, 0, 0), (2 << 20, 5 << 20, (5 - 3) << 20), (10 << 20, 12 << 20, (12 + 10 - 4 - 11) << 20)]
    {
        for workers in [1, 8] {
            let mut needs = needs(Size::new(20_000, 20_000), 3, workers, &encoded, &row, &|_, _| (0, 0));
            let direct = needs.direct.as_mut().expect("three bands are read directly");
            (direct.block_bytes, direct.judge_bytes) = (block_bytes, judge_bytes);
            let plan = plan(&needs, 8 << 30).expect("it is much");
            let line = plan.lines.iter().find(|line| line.what == "a damaged block that GDAL reads");
            assert_eq!((plan.workers, line.expect("it has a line").bytes), (workers, counted));
        }
    }
}
