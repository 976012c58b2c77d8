//! What stands in the way of a mosaic, what does not, and what is decided where nothing does.

use super::*;
use crate::geometry::{GeoTransform, Resolution, Size, Window};
use crate::pixels::BandRule;
use crate::source::sample::{at, request, source};
use crate::source::{Placement, SourceBand, resolve_crs};

fn plain(name: &str, x: f64) -> Source {
    source(name, x, PixelType::UInt16, 1)
}

fn with_band(mut source: Source, change: impl Fn(&mut SourceBand)) -> Source {
    Arc::make_mut(&mut source.bands).iter_mut().for_each(change);
    source
}

fn with_nodata(source: Source, nodata: i128) -> Source {
    with_band(source, |band| band.nodata = Some(Number::Whole(nodata)))
}

fn run(sources: Vec<Source>, request: &Request) -> (Result<Mosaic, Vec<Conflict>>, Vec<String>) {
    let sources: Vec<_> = sources.into_iter().map(Arc::new).collect();
    unify(&sources, request)
}

fn mosaic(sources: Vec<Source>, request: &Request) -> Mosaic {
    run(sources, request).0.expect("nothing stands in the way")
}

/// Each conflict's message with the sources to leave out.
fn conflicts(sources: Vec<Source>, request: &Request) -> Vec<(String, Vec<usize>)> {
    let conflicts = run(sources, request).0.expect_err("something stands in the way");
    conflicts.into_iter().map(|conflict| (conflict.problem.message, conflict.sources)).collect()
}

#[test]
fn sources_side_by_side_become_one_grid_with_the_last_on_top() {
    let mosaic = mosaic(vec![plain("a", 0.0), plain("b", 10.0), plain("c", 15.0)], &request());
    assert_eq!(mosaic.grid.size, Size::new(25, 10));
    let names: Vec<&str> = mosaic.sources.iter().map(|placed| &*placed.source.name).collect();
    assert_eq!(names, ["c", "b", "a"]);
    assert_eq!(mosaic.sources[0].window, Some(Window::new(15, 0, 10, 10)));
    assert_eq!(mosaic.sources[0].placement, Placement::OnGrid { column: 15, row: 0 });
    assert!(Arc::ptr_eq(&mosaic.sources[0].bands, &mosaic.sources[2].bands), "what is the same is shared");
}

#[test]
fn statistics_have_one_order_whatever_the_order_given() {
    let asked = Request { method: Method::Mean, ..request() };
    let names = |sources| {
        let mosaic = mosaic(sources, &asked);
        mosaic.sources.iter().map(|placed| placed.source.name.to_string()).collect::<Vec<_>>()
    };
    let one = names(vec![plain("b", 0.0), plain("a", 10.0), plain("c", 20.0)]);
    assert_eq!(one, names(vec![plain("c", 20.0), plain("b", 0.0), plain("a", 10.0)]));
}

#[test]
fn the_same_crs_spelled_differently_is_no_conflict_and_another_lists_its_sources() {
    let utm: Arc<str> = resolve_crs("EPSG:32632").unwrap().into();
    let spelled: Arc<str> = resolve_crs(&utm).unwrap().replace("WGS 84 / UTM zone 32N", "zone 32").into();
    let other: Arc<str> = resolve_crs("EPSG:32633").unwrap().into();
    let of = |name, x, wkt: &Arc<str>| Source { wkt: Arc::clone(wkt), ..plain(name, x) };
    assert_ne!(utm, spelled);
    mosaic(vec![of("a", 0.0, &utm), of("b", 10.0, &spelled)], &request());
    let found = conflicts(vec![of("a", 0.0, &utm), of("b", 10.0, &other), plain("c", 20.0)], &request());
    assert_eq!(found.len(), 1);
    let (message, without) = &found[0];
    assert!(message.starts_with("the inputs have 3 different CRSs:"), "{message}");
    assert!(message.contains("EPSG:32633") && message.contains("no CRS: c"), "{message}");
    assert_eq!(*without, [1, 2], "the first source's CRS is kept");
}

#[test]
fn with_a_target_crs_only_sources_without_any_are_in_the_way() {
    let utm: Arc<str> = resolve_crs("EPSG:32632").unwrap().into();
    let asked = Request { wkt: Some(utm.to_string()), ..request() };
    let of = |name, x| Source { wkt: Arc::clone(&utm), ..plain(name, x) };
    let found = conflicts(vec![of("a", 0.0), plain("b", 10.0), of("c", 20.0)], &asked);
    assert_eq!(found, [("has no CRS and cannot be warped".to_string(), vec![1])]);
}

#[test]
fn every_rotated_source_is_named_and_the_others_are_not() {
    let rotated = |name| at(plain(name, 0.0), GeoTransform([0.0, 1.0, 0.2, 100.0, 0.2, -1.0]));
    let found = conflicts(vec![rotated("a"), plain("b", 0.0), rotated("c")], &request());
    assert_eq!(found.iter().map(|(_, without)| without[0]).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn mixed_resolutions_name_all_that_differ_from_the_first() {
    let coarse = |name| at(plain(name, 0.0), GeoTransform([0.0, 2.0, 0.0, 100.0, 0.0, -2.0]));
    let sources = || vec![plain("a", 0.0), coarse("b"), plain("c", 10.0), coarse("d")];
    let found = conflicts(sources(), &request());
    assert_eq!(found.len(), 1);
    assert!(found[0].0.contains("\n  b: 2") && !found[0].0.contains("\n  c"), "{}", found[0].0);
    assert_eq!(found[0].1, [1, 3]);
    let asked = Request { resolution: ResolutionRule::Highest, ..request() };
    let mosaic = mosaic(sources(), &asked);
    assert_eq!(mosaic.grid.resolution.x, 1.0);
    assert_eq!(mosaic.sources[0].placement, Placement::Resampled);
}

#[test]
fn bounds_without_a_pixel_are_a_conflict_that_no_leaving_out_solves() {
    let bounds = Bounds { min_x: 0.0, min_y: 0.0, max_x: 0.1, max_y: 0.1 };
    let asked = Request { bounds: Some(bounds), ..request() };
    let found = conflicts(vec![plain("a", 0.0)], &asked);
    assert_eq!(found, [("the bounds hold not one pixel".to_string(), vec![])]);
}

#[test]
fn a_resolution_far_too_fine_or_coarse_is_refused_in_a_short_sentence() {
    let given = |side| ResolutionRule::Given(Resolution { x: side, y: side });
    let message = |side| {
        let asked = Request { resolution: given(side), ..request() };
        conflicts(vec![plain("a", 0.0)], &asked).remove(0).0
    };
    let fine = message(1e-300);
    assert!(fine.contains("e301 columns and") && fine.len() < 100, "{fine}");
    assert!(message(1e-9).contains("would have 10000000000 columns"), "{}", message(1e-9));
    assert_eq!(message(1e300), "not one pixel of the mosaic's resolution fits into them");
}

#[test]
fn a_source_outside_of_the_bounds_is_told_and_touches_nothing() {
    let bounds = Bounds { min_x: 0.0, min_y: 90.0, max_x: 10.0, max_y: 100.0 };
    let asked = Request { bounds: Some(bounds), ..request() };
    let (mosaic, warnings) = run(vec![plain("a", 0.0), plain("far", 500.0)], &asked);
    assert_eq!(mosaic.unwrap().sources[0].window, None);
    assert!(warnings[0].starts_with("outside of the bounds") && warnings[0].ends_with("far"), "{warnings:?}");
}

#[test]
fn other_numbers_of_bands_and_bands_that_are_missing_are_conflicts_of_their_sources() {
    let of = |name, bands| source(name, 0.0, PixelType::Byte, bands);
    let found = conflicts(vec![of("a", 3), of("b", 1), of("c", 3)], &request());
    assert_eq!(found, [("has 1 band without transparency, a has 3".to_string(), vec![1])]);
    let asked = Request { bands: vec!["2".into(), "red".into()], ..request() };
    let named = |name, bands| with_band(of(name, bands), |band| band.description = "red".into());
    let found = conflicts(vec![named("a", 3), named("b", 1), of("c", 2)], &asked);
    assert_eq!(
        found,
        [
            ("has no band 2, only 1".to_string(), vec![1]),
            ("has no band described as 'red'".to_string(), vec![2])
        ]
    );
}

#[test]
fn bands_are_taken_by_number_and_name_in_the_order_asked_for() {
    let mut rgb = source("a", 0.0, PixelType::Byte, 3);
    Arc::make_mut(&mut rgb.bands)[2].description = "blue".into();
    let asked = Request { bands: vec!["blue".into(), "1".into()], ..request() };
    let mosaic = mosaic(vec![rgb], &asked);
    assert_eq!(*mosaic.sources[0].bands, [2, 0]);
    assert_eq!(mosaic.bands[0].carried.description, "blue");
}

#[test]
fn a_source_without_transparency_beside_one_that_has_it_becomes_opaque() {
    let rgb = source("rgb", 0.0, PixelType::Byte, 3);
    let rgba = Source { alpha: Some(3), ..source("rgba", 5.0, PixelType::Byte, 4) };
    let mosaic = mosaic(vec![rgb, rgba], &request());
    assert_eq!(mosaic.bands.len(), 4);
    assert_eq!(mosaic.bands[3].rule, BandRule::Alpha(Method::Last));
    assert_eq!((mosaic.opaque, mosaic.mask), (Some(Number::Whole(255)), false));
    let bands: Vec<_> = mosaic.sources.iter().map(|placed| placed.bands.len()).collect();
    assert_eq!(bands, [4, 3]);
}

#[test]
fn types_are_promoted_and_what_none_holds_needs_one_asked_for() {
    let of = |pixel_type: PixelType| source(pixel_type.name(), 0.0, pixel_type, 1);
    let (promoted, warnings) = run(vec![of(PixelType::Byte), of(PixelType::Int16)], &request());
    assert_eq!(promoted.unwrap().pixel_type, PixelType::Int16);
    assert!(warnings[0].contains("Int16") && warnings[0].contains("Byte"), "{warnings:?}");
    let sources = || vec![of(PixelType::UInt64), of(PixelType::Int64)];
    let found = conflicts(sources(), &request());
    assert!(found[0].0.starts_with("no pixel type holds") && found[0].1.is_empty());
    let asked = Request { pixel_type: Some(PixelType::Float64), ..request() };
    assert_eq!(mosaic(sources(), &asked).working_type, PixelType::Float64);
}

#[test]
fn counts_and_sums_take_types_that_cannot_wrap() {
    let of = |method| {
        let asked = Request { method, ..request() };
        mosaic(vec![plain("a", 0.0), plain("b", 0.0)], &asked).pixel_type
    };
    assert_eq!(of(Method::Count), PixelType::UInt16);
    assert_eq!(of(Method::Sum), PixelType::UInt16.sum_type(2));
    assert!(of(Method::Sum).bytes() > 2);
    assert_eq!(of(Method::Mean), PixelType::UInt16);
}

#[test]
fn different_nodata_values_are_told_and_the_first_is_the_output_s() {
    let sources = || vec![with_nodata(plain("a", 0.0), 7), with_nodata(plain("b", 10.0), 9)];
    let (mosaic_of_both, warnings) = run(sources(), &request());
    let mosaic_of_both = mosaic_of_both.unwrap();
    assert_eq!(mosaic_of_both.nodata, Some(Number::Whole(7)));
    assert_eq!(*mosaic_of_both.sources[0].nodata, [Some(Number::Whole(9))], "each source keeps its own");
    assert!(warnings[0].contains("(7, 9)"), "{warnings:?}");
    let asked = Request { nodata: Some(Number::Whole(1)), ..request() };
    let (mosaic_of_both, warnings) = run(sources(), &asked);
    assert_eq!(mosaic_of_both.unwrap().bands[0].background, Number::Whole(1));
    assert!(warnings.is_empty());
}

#[test]
fn nodata_that_cannot_be_held_marks_nothing_and_is_told() {
    let asked = Request { source_nodata: Some(Number::Whole(-1)), ..request() };
    let (mosaic, warnings) = run(vec![plain("a", 0.0)], &asked);
    assert_eq!(*mosaic.unwrap().sources[0].nodata, [None]);
    assert!(warnings[0].contains("nodata -1 cannot be held by UInt16"), "{warnings:?}");
}

#[test]
fn a_mask_is_made_where_only_a_mask_can_say_what_is_valid() {
    let masked = || Source { mask: true, ..plain("a", 0.0) };
    assert!(mosaic(vec![masked(), plain("b", 0.0)], &request()).mask);
    assert!(!mosaic(vec![plain("b", 0.0)], &request()).mask);
    let asked = Request { nodata: Some(Number::Whole(0)), ..request() };
    assert!(!mosaic(vec![masked()], &asked).mask, "nodata says it");
}

#[test]
fn what_changes_a_value_s_meaning_must_agree_and_the_rest_is_carried_where_it_does() {
    let other = with_band(plain("b", 0.0), |band| {
        band.scale = Some(0.1);
        band.unit = "m".into();
        band.palette = Some(vec![[1, 2, 3, 4]]);
        band.description = "height".into();
    });
    let found = conflicts(vec![plain("a", 0.0), other.clone(), plain("c", 0.0)], &request());
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|(message, without)| message.starts_with("band 1: has") && *without == [1]));
    let asked = Request { method: Method::Count, ..request() };
    let counted = mosaic(vec![other.clone(), plain("a", 0.0)], &asked);
    let carried = &counted.bands[0].carried;
    assert_eq!((carried.scale, &*carried.unit, &*carried.description), (None, "", ""));
    assert_eq!(mosaic(vec![other.clone(), other], &request()).bands[0].carried.description, "height");
}

#[test]
fn metadata_is_carried_where_all_sources_agree() {
    let of = |name, items: &[(&str, &str)]| {
        let metadata = items.iter().map(|&(key, value)| (key.into(), value.into())).collect();
        Source { metadata: Arc::new(metadata), ..plain(name, 0.0) }
    };
    let sources =
        vec![of("a", &[("area", "here"), ("day", "1")]), of("b", &[("day", "2"), ("area", "here")])];
    assert_eq!(mosaic(sources, &request()).metadata, [("area".to_string(), "here".to_string())]);
}

/// What `--on-error skip` relies on: without the sources that conflicts name, there is a mosaic.
#[test]
fn without_the_sources_that_conflicts_name_the_rest_become_a_mosaic() {
    let utm: Arc<str> = resolve_crs("EPSG:32632").unwrap().into();
    let mut sources = vec![
        source("a", 0.0, PixelType::Byte, 1),
        Source { wkt: utm, ..source("crs", 0.0, PixelType::Byte, 1) },
        source("bands", 0.0, PixelType::Byte, 2),
        at(source("coarse", 0.0, PixelType::Byte, 1), GeoTransform([0.0, 3.0, 0.0, 100.0, 0.0, -3.0])),
        at(source("rotated", 0.0, PixelType::Byte, 1), GeoTransform([0.0, 1.0, 0.3, 100.0, 0.3, -1.0])),
        with_band(source("unit", 0.0, PixelType::Byte, 1), |band| band.unit = "m".into()),
        source("z", 10.0, PixelType::Byte, 1),
    ];
    for _ in 0..4 {
        match run(sources.clone(), &request()).0 {
            Ok(mosaic) => {
                assert_eq!(mosaic.sources.len(), 2);
                return;
            }
            Err(conflicts) => {
                let out: Vec<usize> = conflicts.into_iter().flat_map(|conflict| conflict.sources).collect();
                assert!(!out.is_empty() && !out.contains(&0));
                let kept = |(index, source)| (!out.contains(&index)).then_some(source);
                sources = std::mem::take(&mut sources).into_iter().enumerate().filter_map(kept).collect();
            }
        }
    }
    panic!("conflicts remained: {:?}", sources.iter().map(|source| &source.name).collect::<Vec<_>>());
}
