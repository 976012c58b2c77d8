//! Bands among the files of a scene: by the files' names, else by what the files say of their bands.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::BandFile;
use super::band_names::{Choice, Named, Wanted, choose, is_reflectance, same};
use super::picks::{Miss, Picked, Picks};
use super::sentinel2::{Offsets, Product};
use crate::source::{Problem, Source, SourceBand, Trust, inspect};

/// The files of one scene.
pub struct Shelf<'a> {
    files: &'a [Named],
    /// Masks and the like, for names that none of `files` fits.
    further: &'a [Named],
    /// Whether bands may be told by descriptions alone.
    described: bool,
    offsets: Option<&'a Offsets>,
    trust: Trust<'a>,
    opened: RefCell<BTreeMap<String, Result<Rc<Source>, Problem>>>,
}

impl<'a> Shelf<'a> {
    /// The files of a scene, the offsets of its reflectances, and what files may refer to.
    pub fn new(files: &'a [Named], offsets: Option<&'a Offsets>, trust: Trust<'a>) -> Shelf<'a> {
        Shelf { files, further: &[], described: true, offsets, trust, opened: RefCell::default() }
    }

    /// The files of a product, whose names tell everything.
    pub fn of_product(product: &'a Product, offsets: Option<&'a Offsets>, trust: Trust<'a>) -> Shelf<'a> {
        Shelf { further: &product.quality, described: false, ..Shelf::new(&product.images, offsets, trust) }
    }

    /// What `name` stands for. A file is opened only where its name does not tell enough: to find a band by its
    /// description, or to know how many bands it has. `single` asks for one band: the first of a file.
    ///
    /// # Errors
    /// Nothing fits, several do, or a file that must be opened cannot be.
    pub fn pick(&self, name: &str, single: bool) -> Picks {
        let wanted = Wanted::parse(name);
        for files in [self.files, self.further] {
            match choose(wanted.stem, files) {
                Choice::None => {}
                Choice::One(named) => return self.of_file(named, wanted, single),
                Choice::Several(several) => {
                    return Err(Miss::Ambiguous(several.iter().map(|named| named.file.clone()).collect()));
                }
            }
        }
        if self.described { self.described(wanted) } else { Err(Miss::Missing) }
    }

    /// All bands of the only file there is; `None` where there are several.
    pub fn all(&self) -> Option<Picks> {
        let [file] = self.files else { return None };
        let pick = |source: Rc<Source>| {
            let name = |index: usize| {
                described_as(&source.bands[index])
                    .next()
                    .map_or_else(|| (index + 1).to_string(), str::to_owned)
            };
            (0..source.bands.len()).map(|index| self.picked(file, index + 1, name(index), &source)).collect()
        };
        Some(self.open(file).map(pick).map_err(Miss::Problem))
    }

    /// What is known of a file without reading its pixels.
    pub fn open(&self, named: &Named) -> Result<Rc<Source>, Problem> {
        let mut opened = self.opened.borrow_mut();
        let inspected = || inspect(&named.file, None, None, self.trust).map(|(source, _)| Rc::new(source));
        opened.entry(named.file.clone()).or_insert_with(inspected).clone()
    }

    /// What the scene has, for messages: the bands of an only file, or the files; with their bands where they have
    /// several and were opened to look for one.
    pub fn offers(&self) -> Vec<String> {
        match self.files {
            [file] => self.open(file).map_or_else(|_| vec![file.stem.clone()], |source| band_list(&source)),
            files => {
                let opened = self.opened.borrow();
                let offer = |named: &Named| match opened.get(&named.file) {
                    Some(Ok(source)) if source.bands.len() > 1 => {
                        format!("{} ({})", named.stem, band_list(source).join(", "))
                    }
                    _ => named.stem.clone(),
                };
                files.iter().map(offer).collect()
            }
        }
    }

    fn of_file(&self, named: &Named, wanted: Wanted, single: bool) -> Picks {
        let one = |band| self.named(named, band, wanted.name.to_owned());
        if let Some(band) = wanted.band {
            let has = self.open(named)?.bands.len();
            return if band <= has { Ok(vec![one(band)]) } else { Err(Miss::Missing) };
        }
        if single || wanted.is_one_band() {
            return Ok(vec![one(1)]);
        }
        let source = self.open(named)?;
        if source.bands.len() == 1 {
            return Ok(vec![one(1)]);
        }
        let name = |index: usize| match described_as(&source.bands[index]).next() {
            Some(description) => description.to_owned(),
            None => format!("{}:{}", wanted.name, index + 1),
        };
        Ok((0..source.bands.len()).map(|index| self.picked(named, index + 1, name(index), &source)).collect())
    }

    /// The band that describes itself as asked, or that has the number asked for in an only file.
    fn described(&self, wanted: Wanted) -> Picks {
        let mut sources = Vec::with_capacity(self.files.len());
        for named in self.files {
            match self.open(named) {
                Ok(source) => sources.push((named, source)),
                Err(problem) if self.files.len() == 1 => return Err(problem.into()),
                // What is wrong with a file matters when it is used.
                Err(_) => {}
            }
        }
        for any_case in [false, true] {
            let mut found = Vec::new();
            for (named, source) in &sources {
                let is = |band: &SourceBand| described_as(band).any(|name| same(name, wanted.name, any_case));
                let bands = source.bands.iter().enumerate().filter(|(_, band)| is(band));
                found.extend(
                    bands.map(|(index, _)| self.picked(named, index + 1, wanted.name.into(), source)),
                );
            }
            match found.len() {
                0 => {}
                1 => return Ok(found),
                _ => {
                    let place = |pick: Picked| format!("{}, band {}", pick.source.file, pick.source.band);
                    return Err(Miss::Ambiguous(found.into_iter().map(place).collect()));
                }
            }
        }
        match (sources.as_slice(), wanted.number()) {
            ([(named, source)], Some(number)) if number <= source.bands.len() => {
                let band = &source.bands[number - 1];
                let name = described_as(band).next().unwrap_or(wanted.name).to_owned();
                Ok(vec![self.picked(named, number, name, source)])
            }
            _ => Err(Miss::Missing),
        }
    }

    /// A band of a file that is known by its name alone.
    fn named(&self, named: &Named, band: usize, name: String) -> Picked {
        Picked {
            source: BandFile { file: named.file.clone(), band },
            reflectance: is_reflectance(&name) && is_reflectance(ending(&named.stem)),
            offset: self.offsets.and_then(|offsets| offsets.of(&named.stem)),
            described: false,
            name,
        }
    }

    /// A band of a file that was opened.
    fn picked(&self, named: &Named, band: usize, name: String, source: &Source) -> Picked {
        let description = described_as(&source.bands[band - 1]).next().unwrap_or_default();
        let reflectance = is_reflectance(&name) && is_reflectance(description);
        let described = name == description;
        Picked { reflectance, described, ..self.named(named, band, name) }
    }
}

/// What stands behind the date and tile of a file's stem; what stands before may be any place's name.
fn ending(stem: &str) -> &str {
    let mut ends = stem.rmatch_indices('_').map(|(position, _)| &stem[position + 1..]);
    let last = ends.next().unwrap_or(stem);
    match last.strip_suffix('m').is_some_and(|metres| metres.bytes().all(|byte| byte.is_ascii_digit())) {
        true => ends.next().unwrap_or(last),
        false => last,
    }
}

/// What a band calls itself. GDAL's own descriptions go on behind a comma: `B4, central wavelength 665 nm`.
pub fn described_as(band: &SourceBand) -> impl Iterator<Item = &str> {
    const ITEMS: [&str; 3] = ["DESCRIPTION", "BANDNAME", "NETCDF_VARNAME"];
    let items = ITEMS.iter().filter_map(|key| band.metadata.iter().find(|(name, _)| name == key));
    let whole = std::iter::once(band.description.as_str()).chain(items.map(|(_, value)| value.as_str()));
    whole.map(|text| text.split(',').next().unwrap_or(text).trim()).filter(|name| !name.is_empty())
}

fn band_list(source: &Source) -> Vec<String> {
    let name =
        |(index, band)| described_as(band).next().map_or_else(|| format!("{}", index + 1), str::to_owned);
    source.bands.iter().enumerate().map(name).collect()
}
