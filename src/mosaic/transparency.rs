//! Transparency among the bands of scenes: as of plain files whose pixels are looked at together, it says which of a
//! file's pixels are there, and is no band of the mosaic.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::source::scenes::{BandFile, Found, Scene};
use crate::source::{Problem, Source};

/// Takes alpha bands out of the bands asked for. Scenes that have them elsewhere than the first one, or of which a file
/// gives nothing else, leave too, a problem each; so do, without one, those with a file that was not inspected, which is
/// a problem already.
pub fn take_out(found: &mut Found, inspected: &HashMap<&str, &Arc<Source>>) -> Vec<Problem> {
    let is_alpha = |band: &BandFile| inspected[band.file.as_str()].alpha == Some(band.band - 1);
    let slots = |scene: &Scene| -> Vec<usize> {
        (0..scene.bands.len()).filter(|&slot| is_alpha(&scene.bands[slot])).collect()
    };
    found.scenes.retain(|scene| scene.bands.iter().all(|band| inspected.contains_key(band.file.as_str())));
    let Some(first) = found.scenes.first() else { return Vec::new() };
    let (taken_out, first) = (slots(first), first.name.clone());
    let mut problems = Vec::new();
    found.scenes.retain(|scene| {
        let own = slots(scene);
        let unlike = (0..scene.bands.len()).find(|slot| own.contains(slot) != taken_out.contains(slot));
        let wrong = match unlike {
            Some(slot) => {
                let (name, here) = (&found.band_names[slot], own.contains(&slot));
                let (is, is_not) = if here { ("is", "is not") } else { ("is not", "is") };
                let message = format!("band {name} {is} transparency, and {is_not} in {first}");
                vec![Problem::new(&scene.name, message).with_hint("name the bands one by one with --bands")]
            }
            None => files_of_nothing_else(scene, is_alpha),
        };
        problems.extend_from_slice(&wrong);
        wrong.is_empty()
    });
    for slot in taken_out.into_iter().rev() {
        found.band_names.remove(slot);
        found.reflectance.remove(slot);
        for scene in &mut found.scenes {
            scene.bands.remove(slot);
        }
    }
    problems
}

/// Files of a scene of which no band is taken but transparency: of pixels that are not read it says nothing.
fn files_of_nothing_else(scene: &Scene, is_alpha: impl Fn(&BandFile) -> bool) -> Vec<Problem> {
    let with_others: BTreeSet<&str> =
        scene.bands.iter().filter(|band| !is_alpha(band)).map(|band| &*band.file).collect();
    let alone = scene.bands.iter().filter(|band| !with_others.contains(&*band.file));
    alone
        .map(|band| {
            Problem::new(&band.file, format!("band {} is transparency, and no other is taken", band.band)).with_hint(
                "it needs no naming beside other bands of its file; --mask-band takes it as a mask of another file",
            )
        })
        .collect()
}
