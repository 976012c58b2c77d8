//! The offset that Sentinel-2's pixels carry from processing baseline 04.00 on, taken away where others have none: mixed
//! without that, the composite would show processing dates instead of the ground.

use crate::config::{Harmonize, Settings};
use crate::source::Problem;
use crate::source::scenes::{Baseline, Found, Scene};

/// What is added to each band of each scene, so that all agree; nothing where they do. What is done is said in `notes`.
///
/// # Errors
/// Scenes of which nothing tells whether they carry the offset, among others that do.
pub fn shifts(
    settings: &Settings,
    found: &Found,
    notes: &mut Vec<String>,
) -> Result<Vec<Vec<f64>>, Vec<Problem>> {
    let none = || vec![Vec::new(); found.scenes.len()];
    if settings.scenes.harmonize == Harmonize::Off || !found.reflectance.contains(&true) {
        return Ok(none());
    }
    let with = |test: &dyn Fn(Option<f64>) -> bool| -> Vec<&Scene> {
        found.scenes.iter().filter(|scene| test(offset(scene))).collect()
    };
    let carrying = with(&|offset| offset.is_some_and(|offset| offset != 0.0));
    let unknown = with(&|offset| offset.is_none());
    let agree = carrying.iter().all(|scene| offset(scene) == offset(carrying[0]));
    if carrying.is_empty() || carrying.len() == found.scenes.len() && agree {
        return Ok(none());
    }
    if !unknown.is_empty() {
        let of = |scene: &&Scene| {
            let message =
                "nothing tells whether its pixels carry Sentinel-2's offset, and those of other scenes do";
            Problem::new(&scene.name, message)
                .with_hint("put its metadata (MTD_MSIL2A.xml) beside it, or take all values as they are with --harmonize off")
        };
        return Err(unknown.iter().map(of).collect());
    }
    for scene in &carrying {
        let offset = offset(scene).unwrap_or_default();
        notes.push(format!(
            "{}: {offset} is added to its reflectances, which other scenes do not carry",
            scene.name
        ));
    }
    let of_scene = |scene: &Scene| -> Vec<f64> {
        let offset = offset(scene).unwrap_or_default();
        found.reflectance.iter().map(|&holds| if holds { offset } else { 0.0 }).collect()
    };
    Ok(found.scenes.iter().map(of_scene).collect())
}

/// What a scene's pixels carry: as its metadata say, or by its processing baseline, from 04.00 on -1000
/// (<https://sentiwiki.copernicus.eu/web/s2-processing>, "processing baseline 04.00").
fn offset(scene: &Scene) -> Option<f64> {
    const FIRST_WITH_OFFSET: Baseline = (4, 0);
    let by_baseline = |baseline: Baseline| if baseline >= FIRST_WITH_OFFSET { -1000.0 } else { 0.0 };
    scene.offset.or(scene.baseline.map(by_baseline))
}
