//! The items of a STAC document: an ItemCollection (a FeatureCollection of items), or one item.
//!
//! The format: <https://github.com/radiantearth/stac-spec>, 1.0 and 1.1, with the extensions `eo`, `raster` and
//! `processing`. A part that is not as it should be is passed over, unless an item cannot be used without it.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use super::assets::{Asset, AssetBand, Assets};
use super::details::{self, Details};
use super::{dates, hrefs};
use crate::source::{Problem, Trust, text, trust};

/// No list of items is longer; a name that leads to something else must not fill the memory.
const LONGEST: usize = 128 << 20;

/// An item: an acquisition and where its files lie.
#[derive(Debug)]
pub struct Item {
    /// Its identifier.
    pub id: String,
    /// When it was taken, how cloudy it is.
    pub details: Details,
    /// Its files.
    pub assets: Assets,
}

/// The items of the document at a path or an address, and what is wrong with the others.
///
/// # Errors
/// The document cannot be read or is none of items.
pub fn read(name: &str, trust: Trust) -> Result<(Vec<Item>, Vec<Problem>)> {
    let document = hrefs::name_of(name);
    let text = trust.patience.with(&document, || text::read(&document, LONGEST))?;
    parse(&text, name, trust)
}

/// The items of a document that lies at `base`, a path or an address. An asset that it must not refer to is a problem
/// once it is wanted.
///
/// # Errors
/// It is no document of items.
pub fn parse(text: &str, base: &str, trust: Trust) -> Result<(Vec<Item>, Vec<Problem>)> {
    let document: Value = serde_json::from_str(text).context("is no sound JSON")?;
    let features = match document["type"].as_str() {
        Some("FeatureCollection") => document["features"].as_array().map(Vec::as_slice),
        Some("Feature") => Some(std::slice::from_ref(&document)),
        Some(kind @ ("Catalog" | "Collection")) => bail!("is a {kind}; save the items of a search instead"),
        _ => None,
    };
    let features = features.context("is no ItemCollection of STAC")?;
    let (mut items, mut problems) = (Vec::new(), Vec::new());
    let folder = trust::folder(&hrefs::name_of(base));
    for (index, feature) in features.iter().enumerate() {
        let id = feature["id"].as_str().map_or_else(|| format!("item {}", index + 1), str::to_owned);
        match item(feature, id.clone(), (base, &folder), trust) {
            Ok(item) => items.push(item),
            Err(message) => problems.push(Problem::new(format!("{base}, {id}"), message)),
        }
    }
    Ok((items, problems))
}

/// An item of the document at `base` in `folder`.
fn item(feature: &Value, id: String, (base, folder): (&str, &str), trust: Trust) -> Result<Item, String> {
    let document = base;
    let assets = feature["assets"].as_object().ok_or("has no assets")?;
    let properties = &feature["properties"];
    let of = |key: &str| properties[key].as_str();
    let date = of("datetime").or_else(|| of("start_datetime")).and_then(dates::in_text);
    let offsets = Offsets::of(&id, properties);
    let baseline =
        of("s2:processing_baseline").or_else(|| of("processing:version")).and_then(details::baseline);
    let known = Details {
        date,
        cloud: properties["eo:cloud_cover"].as_f64().filter(|cloud| (0.0..=100.0).contains(cloud)),
        baseline: baseline.filter(|_| offsets != Offsets::OfUnits),
    };
    // An item that was saved from a service says itself where it lies.
    let links = feature["links"].as_array().into_iter().flatten();
    let mut own = links.filter(|link| link["rel"] == "self").filter_map(|link| link["href"].as_str());
    let base = own.find(|href| hrefs::is_address(href)).unwrap_or(base);
    let asset = |(key, asset): (&String, &Value)| {
        let href = asset["href"].as_str().unwrap_or_default();
        Asset {
            key: key.clone(),
            file: hrefs::resolve(href, base)
                .map_err(|message| Problem::new(format!("asset {key}"), message))
                .and_then(|file| trust.check(document, folder, &file).map(|()| file)),
            bands: bands(asset, offsets),
            offset: offsets.of_band(&[asset]),
        }
    };
    let assets = Assets::new(assets.iter().map(asset).collect());
    Ok(Item { details: known.or(Details::of_name(&id)), assets, id })
}

/// What an item's metadata say about offsets that are to be added to its pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Offsets {
    /// They are no Sentinel-2 reflectances, so offsets are those of a unit.
    OfUnits,
    /// They were added already.
    Applied,
    /// Each band tells.
    InBands,
}

impl Offsets {
    fn of(id: &str, properties: &Value) -> Offsets {
        const APPLIED: &str = "earthsearch:boa_offset_applied";
        let says = |key: &str| {
            properties[key].as_str().is_some_and(|text| text.to_ascii_lowercase().contains("sentinel-2"))
        };
        let own = |keys: &Map<String, Value>| keys.keys().any(|key| key.starts_with("s2:") || key == APPLIED);
        let sentinel2 = id.starts_with("S2") || ["platform", "constellation"].into_iter().any(says);
        match sentinel2 || properties.as_object().is_some_and(own) {
            true if properties[APPLIED] == true => Offsets::Applied,
            true => Offsets::InBands,
            false => Offsets::OfUnits,
        }
    }

    /// The offset of a band in units of its pixels: what is documented in units of reflectance, divided by the scale.
    fn of_band(self, descriptions: &[&Value]) -> Option<f64> {
        let number = |keys: [&str; 2]| {
            descriptions.iter().find_map(|value| keys.iter().find_map(|key| value[*key].as_f64()))
        };
        let (scale, offset) = (number(["raster:scale", "scale"]), number(["raster:offset", "offset"]));
        match self {
            Offsets::OfUnits => None,
            Offsets::Applied => Some(0.0),
            Offsets::InBands if scale.is_none() && offset.is_none() => None,
            Offsets::InBands => {
                let pixels = offset.unwrap_or(0.0) / scale.unwrap_or(1.0);
                // -0.1 / 0.0001 is not quite -1000 in binary.
                let whole = pixels.round();
                Some(if (pixels - whole).abs() < 1e-6 { whole + 0.0 } else { pixels })
                    .filter(|o| o.is_finite())
            }
        }
    }
}

/// The bands of an asset; empty where nothing is said of them.
fn bands(asset: &Value, offsets: Offsets) -> Vec<AssetBand> {
    let list = |key: &str| asset[key].as_array().map(Vec::as_slice).unwrap_or_default();
    let (common, eo, raster) = (list("bands"), list("eo:bands"), list("raster:bands"));
    let count = common.len().max(eo.len()).max(raster.len());
    let band = |index: usize| {
        let of = |list: &'_ [Value]| list.get(index).cloned().unwrap_or_default();
        let (common, eo, raster) = (of(common), of(eo), of(raster));
        let text = |value: &Value, key: &str| value[key].as_str().map(str::to_owned);
        AssetBand {
            name: text(&common, "name").or_else(|| text(&eo, "name")),
            common_name: text(&common, "eo:common_name").or_else(|| text(&eo, "common_name")),
            offset: offsets.of_band(&[&common, &raster, asset]),
        }
    };
    // Of an asset without a list of bands the fields stand in the asset itself, as STAC 1.1 allows.
    let alone = || AssetBand {
        name: None,
        common_name: asset["eo:common_name"].as_str().map(str::to_owned),
        offset: None,
    };
    match count {
        0 => Some(alone()).filter(|band| band.common_name.is_some()).into_iter().collect(),
        count => (0..count).map(band).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::scenes::Date;
    use serde_json::json;

    fn everything() -> Trust<'static> {
        Trust { remote: true, ..Trust::default() }
    }

    fn items(features: Value) -> (Vec<Item>, Vec<Problem>) {
        let document = json!({"type": "FeatureCollection", "features": features});
        parse(&document.to_string(), "/data/items.json", everything()).unwrap()
    }

    fn offset_of(properties: Value, asset: Value) -> Option<f64> {
        let feature = json!({"id": "x", "properties": properties, "assets": {"red": asset}});
        items(json!([feature])).0[0].assets.pick("red", true, everything()).unwrap()[0].offset
    }

    #[test]
    fn an_item_tells_date_clouds_and_baseline() {
        let (items, problems) = items(json!([
            {"id": "a", "assets": {"B04": {"href": "./B04.tif"}}, "properties": {
                "datetime": "2024-06-02T11:21:19Z", "eo:cloud_cover": 12.5, "s2:processing_baseline": "05.10"}},
            {"id": "S2A_20240603_0_L2A", "assets": {}, "properties": {"datetime": null}},
            {"id": "c", "assets": {}, "properties": {"datetime": null, "start_datetime": "2024-06-04T00:00:00Z"}},
            {"id": "d"}, 7
        ]));
        let day = |day| Date::from_ymd_opt(2024, 6, day);
        let dates: Vec<_> = items.iter().map(|item| item.details.date).collect();
        assert_eq!(dates, [day(2), day(3), day(4)]);
        assert_eq!((items[0].details.cloud, items[0].details.baseline), (Some(12.5), Some((5, 10))));
        assert_eq!(
            problems.iter().map(|p| &*p.source).collect::<Vec<_>>(),
            ["/data/items.json, d", "/data/items.json, item 5"]
        );
    }

    #[test]
    fn assets_lie_beside_their_item() {
        let (items, _) = items(json!([
            {"id": "a", "assets": {"red": {"href": "a/B04.tif"}}},
            {"id": "b", "assets": {"red": {"href": "./B04.tif"}}, "links": [{"rel": "self", "href": "https://h/c/b.json"}]},
            {"id": "c", "assets": {"red": {"href": "s3://k/B04.tif"}}, "links": [{"rel": "self", "href": "./c.json"}]},
        ]));
        let file = |item: &Item| item.assets.pick("red", true, everything()).unwrap()[0].source.file.clone();
        assert_eq!(
            items.iter().map(file).collect::<Vec<_>>(),
            ["/data/a/B04.tif", "/vsicurl/https://h/c/B04.tif", "/vsis3/k/B04.tif"]
        );
    }

    #[test]
    fn offsets_are_told_in_units_of_pixels() {
        let band = json!({"href": "a", "raster:bands": [{"scale": 0.0001, "offset": -0.1}]});
        let sentinel2 = json!({"platform": "sentinel-2a"});
        assert_eq!(offset_of(sentinel2.clone(), band.clone()), Some(-1000.0));
        assert_eq!(offset_of(json!({"earthsearch:boa_offset_applied": true}), band.clone()), Some(0.0));
        assert_eq!(offset_of(json!({"earthsearch:boa_offset_applied": false}), band.clone()), Some(-1000.0));
        assert_eq!(offset_of(json!({"platform": "landsat-8"}), band), None);
        let newer =
            json!({"href": "a", "bands": [{"name": "B04"}], "raster:scale": 0.0001, "raster:offset": -0.1});
        assert_eq!(offset_of(sentinel2.clone(), newer), Some(-1000.0));
        let none = json!({"href": "a", "raster:bands": [{"scale": 0.0001}]});
        assert_eq!(offset_of(sentinel2.clone(), none), Some(0.0));
        assert_eq!(offset_of(sentinel2, json!({"href": "a"})), None);
    }

    #[test]
    fn what_holds_no_items_is_refused() {
        let items = |text: &str| parse(text, "a", Trust::default());
        assert!(items("{").unwrap_err().to_string().contains("JSON"));
        assert!(items(r#"{"type": "Collection"}"#).unwrap_err().to_string().contains("is a Collection"));
        assert!(items("[]").is_err() && items(r#"{"type": "FeatureCollection"}"#).is_err());
        assert_eq!(items(r#"{"type": "Feature", "id": "a", "assets": {}}"#).unwrap().0.len(), 1);
    }
}
