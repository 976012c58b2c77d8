//! The offset that Sentinel-2's pixels carry from processing baseline 04.00 on, taken away where others have none: mixed
//! without that, the composite would show processing dates instead of the ground.

use crate::config::{Harmonize, Settings};
use crate::source::Problem;
use crate::source::scenes::{Baseline, Found, Scene};

/// What is added to each band of each scene, so that all agree; nothing where they do. A scene of which nothing tells
/// whether it carries the offset, among others that do, is a problem. What is done is said in `notes`.
pub fn shifts(settings: &Settings, found: &Found, notes: &mut Vec<String>) -> Vec<Result<Vec<f64>, Problem>> {
    let offsets: Vec<Option<f64>> = found.scenes.iter().map(offset).collect();
    let known = || offsets.iter().flatten();
    let carried = known().any(|offset| *offset != 0.0);
    if settings.scenes.harmonize == Harmonize::Off || !found.reflectance.contains(&true) || !carried {
        return vec![Ok(Vec::new()); offsets.len()];
    }
    let agree = known().all(|offset| Some(offset) == known().next());
    let mut of_scene = |scene: &Scene, offset: Option<f64>| {
        let Some(offset) = offset else { return Err(unknown(scene)) };
        if agree {
            return Ok(Vec::new());
        }
        if offset != 0.0 {
            notes.push(format!(
                "{}: {offset} is added to its reflectances, which other scenes do not carry",
                scene.name
            ));
        }
        Ok(found.reflectance.iter().map(|&holds| if holds { offset } else { 0.0 }).collect())
    };
    found.scenes.iter().zip(&offsets).map(|(scene, offset)| of_scene(scene, *offset)).collect()
}

fn unknown(scene: &Scene) -> Problem {
    let message = "nothing tells whether its pixels carry Sentinel-2's offset, and those of other scenes do";
    Problem::new(&scene.name, message).with_hint(
        "put its metadata (MTD_MSIL2A.xml) beside it, or take all values as they are with --harmonize off",
    )
}

/// What a scene's pixels carry: as its metadata say, or by its processing baseline, from 04.00 on -1000
/// (<https://sentiwiki.copernicus.eu/web/s2-processing>, "processing baseline 04.00").
fn offset(scene: &Scene) -> Option<f64> {
    const FIRST_WITH_OFFSET: Baseline = (4, 0);
    let by_baseline = |baseline: Baseline| if baseline >= FIRST_WITH_OFFSET { -1000.0 } else { 0.0 };
    scene.offset.or(scene.baseline.map(by_baseline))
}
