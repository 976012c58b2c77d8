//! Bands among the assets of a STAC item.

use super::BandFile;
use super::band_names::{Choice, Named, Wanted, choose, finest, is_reflectance, same};
use super::picks::{Miss, Picked, Picks};
use crate::source::{Problem, Trust, inspect};

/// A file of an item.
#[derive(Debug)]
pub struct Asset {
    /// Its key in the item.
    pub key: String,
    /// GDAL's name of it, or what is wrong with its href.
    pub file: Result<String, Problem>,
    /// Its bands; none where the item does not tell.
    pub bands: Vec<AssetBand>,
    /// What is to be added to its pixels, where that is told of the whole file.
    pub offset: Option<f64>,
}

/// What an item tells of one band.
#[derive(Debug, Clone, Default)]
pub struct AssetBand {
    /// Its name with the sensor, such as `B04`.
    pub name: Option<String>,
    /// Its colour, such as `red`.
    pub common_name: Option<String>,
    /// What is to be added to its pixels, where that is told.
    pub offset: Option<f64>,
}

/// All files of an item.
#[derive(Debug)]
pub struct Assets {
    assets: Vec<Asset>,
    keys: Vec<Named>,
}

/// One of an asset's bands, by index.
type Place = (usize, usize);

impl Assets {
    /// The assets of an item.
    pub fn new(assets: Vec<Asset>) -> Assets {
        let named = |asset: &Asset| Named { stem: asset.key.clone(), file: asset.key.clone() };
        Assets { keys: assets.iter().map(named).collect(), assets }
    }

    /// Their keys, for messages.
    pub fn keys(&self) -> Vec<String> {
        self.assets.iter().map(|asset| asset.key.clone()).collect()
    }

    /// What `name` stands for: an asset by its key, or a band by its name or colour, those that have a file of their
    /// own before those of files of several. `single` asks for one band only: the first of an asset.
    ///
    /// # Errors
    /// Nothing fits, or several do.
    pub fn pick(&self, name: &str, single: bool, trust: Trust) -> Picks {
        let wanted = Wanted::parse(name);
        match choose(wanted.stem, &self.keys) {
            Choice::One(named) => self.whole(self.index(&named.stem), wanted, single, trust),
            Choice::Several(several) => Err(Miss::Ambiguous(keys_of(several))),
            Choice::None => self.band(wanted),
        }
    }

    fn index(&self, key: &str) -> usize {
        self.assets.iter().position(|asset| asset.key == key).unwrap_or_default()
    }

    /// One band or all bands of an asset.
    fn whole(&self, index: usize, wanted: Wanted, single: bool, trust: Trust) -> Picks {
        let asset = &self.assets[index];
        if let Some(band) = wanted.band {
            return Ok(vec![self.picked((index, band - 1), wanted.name.to_owned())?]);
        }
        let count = match asset.bands.len() {
            _ if single || wanted.is_one_band() => 1,
            // Nothing is said of its bands, so the file has to tell.
            0 => inspect(&self.file(index)?, None, None, trust).map_err(Miss::Problem)?.0.bands.len(),
            count => count,
        };
        let name = |band: usize| match asset.bands.get(band).and_then(|band| band.name.clone()) {
            _ if count == 1 => wanted.name.to_owned(),
            Some(name) => name,
            None => format!("{}:{}", wanted.name, band + 1),
        };
        (0..count).map(|band| self.picked((index, band), name(band))).collect()
    }

    /// A band by its own name, or its colour.
    fn band(&self, wanted: Wanted) -> Picks {
        type NameOf = fn(&AssetBand) -> &Option<String>;
        let kinds: [NameOf; 2] = [|band| &band.name, |band| &band.common_name];
        for any_case in [false, true] {
            for alone in [true, false] {
                for name_of in kinds {
                    let is = |band: &AssetBand| {
                        name_of(band).as_ref().is_some_and(|name| same(name, wanted.name, any_case))
                    };
                    let places = self.simplest(self.places(alone, is));
                    match places.as_slice() {
                        [] => {}
                        [place] => return Ok(vec![self.picked(*place, wanted.name.to_owned())?]),
                        several => return Err(Miss::Ambiguous(self.described(several))),
                    }
                }
            }
        }
        Err(Miss::Missing)
    }

    /// The bands that are as asked, of assets with one band or of those with several.
    fn places(&self, alone: bool, is: impl Fn(&AssetBand) -> bool) -> Vec<Place> {
        let assets = self.assets.iter().enumerate().filter(|(_, asset)| (asset.bands.len() == 1) == alone);
        let bands =
            assets.flat_map(|(index, asset)| asset.bands.iter().enumerate().map(move |band| (index, band)));
        bands.filter(|(_, (_, band))| is(band)).map(|(asset, (band, _))| (asset, band)).collect()
    }

    /// Of the same band in several resolutions the finest, of two formats of it the GeoTIFF.
    fn simplest(&self, mut places: Vec<Place>) -> Vec<Place> {
        if places.len() > 1 {
            let keys = finest(places.iter().map(|(asset, _)| &self.keys[*asset]).collect());
            let kept: Vec<_> = keys.iter().map(|named| self.index(&named.stem)).collect();
            places.retain(|(asset, _)| kept.contains(asset));
        }
        let is_jpeg = |(asset, _): &Place| {
            self.assets[*asset].file.as_ref().is_ok_and(|file| file.to_ascii_lowercase().ends_with(".jp2"))
        };
        if !places.iter().all(is_jpeg) {
            places.retain(|place| !is_jpeg(place));
        }
        places
    }

    fn described(&self, places: &[Place]) -> Vec<String> {
        places.iter().map(|(asset, band)| format!("{}:{}", self.assets[*asset].key, band + 1)).collect()
    }

    fn file(&self, index: usize) -> Result<String, Problem> {
        self.assets[index].file.clone()
    }

    fn picked(&self, (index, band): Place, name: String) -> Result<Picked, Miss> {
        let asset = &self.assets[index];
        if !asset.bands.is_empty() && band >= asset.bands.len() {
            return Err(Miss::Missing);
        }
        let told = asset.bands.get(band).cloned().unwrap_or_default();
        let names = [Some(&asset.key), Some(&name), told.name.as_ref()];
        let reflectance = names.into_iter().flatten().all(|name| is_reflectance(name));
        Ok(Picked {
            source: BandFile { file: self.file(index)?, band: band + 1 },
            reflectance,
            offset: told.offset.or(asset.offset),
            described: told.name.as_ref() == Some(&name),
            name,
        })
    }
}

fn keys_of(several: Vec<&Named>) -> Vec<String> {
    several.into_iter().map(|named| named.stem.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asset(key: &str, bands: &[(&str, &str)]) -> Asset {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let band = |(name, colour): &(&str, &str)| AssetBand {
            name: text(name),
            common_name: text(colour),
            offset: None,
        };
        let format = if key.ends_with("jp2") { "jp2" } else { "tif" };
        Asset {
            key: key.into(),
            file: Ok(format!("{key}.{format}")),
            bands: bands.iter().map(band).collect(),
            offset: None,
        }
    }

    fn picked(assets: Vec<Asset>, name: &str) -> Result<Vec<(String, usize, String)>, Miss> {
        let picks = Assets::new(assets).pick(name, false, Trust::default())?;
        Ok(picks.into_iter().map(|pick| (pick.source.file, pick.source.band, pick.name)).collect())
    }

    fn one(file: &str, band: usize, name: &str) -> Result<Vec<(String, usize, String)>, Miss> {
        Ok(vec![(file.into(), band, name.into())])
    }

    #[test]
    fn a_colour_is_the_band_with_a_file_of_its_own() {
        let assets = || {
            vec![
                asset("visual", &[("B04", "red"), ("B03", "green"), ("B02", "blue")]),
                asset("B04", &[("B04", "red")]),
            ]
        };
        assert_eq!(picked(assets(), "red"), one("B04.tif", 1, "red"));
        assert_eq!(picked(assets(), "B04"), one("B04.tif", 1, "B04"));
        assert_eq!(picked(assets(), "green"), one("visual.tif", 2, "green"));
        assert_eq!(picked(assets(), "Blue"), one("visual.tif", 3, "Blue"));
        assert_eq!(picked(assets(), "visual:3"), one("visual.tif", 3, "visual:3"));
        assert_eq!(picked(assets(), "visual").unwrap().len(), 3);
        assert_eq!(
            (picked(assets(), "visual:4"), picked(assets(), "nir")),
            (Err(Miss::Missing), Err(Miss::Missing))
        );
    }

    #[test]
    fn of_several_the_finest_and_the_geotiff_are_taken() {
        let resolutions = || vec![asset("B04_20m", &[("B04", "red")]), asset("B04_10m", &[("B04", "red")])];
        assert_eq!(picked(resolutions(), "B04"), one("B04_10m.tif", 1, "B04"));
        assert_eq!(picked(resolutions(), "red"), one("B04_10m.tif", 1, "red"));
        let formats = vec![asset("b-jp2", &[("B04", "red")]), asset("b", &[("B04", "red")])];
        assert_eq!(picked(formats, "red"), one("b.tif", 1, "red"));
        let edges = vec![asset("B05", &[("B05", "rededge")]), asset("B06", &[("B06", "rededge")])];
        assert_eq!(picked(edges, "rededge"), Err(Miss::Ambiguous(vec!["B05:1".into(), "B06:1".into()])));
    }
}
