//! The names of bands as people say them, and which file's name fits one.

/// A band as it is asked for: `B04`, `bands`, `bands:3`, `3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// As typed.
    pub name: &'a str,
    /// What stands before `:3`, or all of it.
    pub stem: &'a str,
    /// The band's number (from 1) behind the colon.
    pub band: Option<usize>,
}

impl<'a> Wanted<'a> {
    /// Takes a name apart.
    pub fn parse(name: &'a str) -> Wanted<'a> {
        let parts = name.rsplit_once(':').filter(|(stem, _)| !stem.is_empty());
        let numbered = parts.and_then(|(stem, number)| Some((stem, number.parse().ok().filter(|&n| n > 0)?)));
        match numbered {
            Some((stem, band)) => Wanted { name, stem, band: Some(band) },
            None => Wanted { name, stem: name, band: None },
        }
    }

    /// The number of a name that is nothing but one.
    pub fn number(&self) -> Option<usize> {
        self.name.parse().ok().filter(|&number| number > 0)
    }

    /// Whether it is the name of one band of a sensor, so that its file need not be opened to know how many it
    /// stands for: `B4`, `B04`, `B8A`, `SR_B4`, `SCL`, `QA_PIXEL`.
    pub fn is_one_band(&self) -> bool {
        let name = self.name.to_ascii_uppercase();
        let name = name.strip_suffix('M').and_then(|name| without_number(name, '_')).unwrap_or(&name);
        let band = name.rsplit('_').next().unwrap_or(name);
        let number = band.strip_prefix('B').map(|number| number.strip_suffix('A').unwrap_or(number));
        let is_number = number.is_some_and(|number| {
            (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        is_number || name.starts_with("QA_") || ["SCL", "AOT", "WVP", "FMASK"].contains(&band)
    }
}

fn without_number(name: &str, separator: char) -> Option<&str> {
    let (rest, number) = name.rsplit_once(separator)?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(rest)
}

/// A file of a scene, and the name that bands are looked up by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its stem, or what a pattern took for its band.
    pub stem: String,
    /// The name that GDAL opens.
    pub file: String,
}

/// What a name fits.
#[derive(Debug, PartialEq, Eq)]
pub enum Choice<'a> {
    /// No file.
    None,
    /// One, the finest of several resolutions.
    One(&'a Named),
    /// Several with equal right.
    Several(Vec<&'a Named>),
}

/// The file that `name` fits: `B04` fits `B04`, `x_B04` and `x_B04_10m`, the first kind before the others, letter by
/// letter before any case. Of one acquisition in several resolutions the finest is taken.
pub fn choose<'a>(name: &str, files: &'a [Named]) -> Choice<'a> {
    for any_case in [false, true] {
        let mut fits: Vec<&Named> = files.iter().filter(|named| same(&named.stem, name, any_case)).collect();
        if fits.is_empty() {
            fits = files.iter().filter(|named| ends_with(&named.stem, name, any_case)).collect();
        }
        match finest(fits).as_slice() {
            [] => {}
            [named] => return Choice::One(named),
            several => return Choice::Several(several.to_vec()),
        }
    }
    Choice::None
}

/// Whether a stem ends with a name, or with a name and a resolution.
fn ends_with(stem: &str, name: &str, any_case: bool) -> bool {
    // A bare number at the end of a stem is more often a count of files than a band.
    if name.is_empty() || name.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let base = resolution(stem).map_or(stem, |(base, _)| base);
    [stem, base].into_iter().any(|text| before(text, name, any_case).is_some())
}

/// Of stems that differ in nothing but the resolution at their end, the one with the finest; else all.
pub fn finest(several: Vec<&Named>) -> Vec<&Named> {
    let parts: Option<Vec<_>> = several.iter().map(|named| resolution(&named.stem)).collect();
    let Some(parts) = parts else { return several };
    let best = parts.iter().enumerate().min_by_key(|(_, (_, metres))| metres).map(|(index, _)| index);
    match best {
        Some(best) if parts.iter().all(|(base, _)| *base == parts[0].0) => vec![several[best]],
        _ => several,
    }
}

/// What stands before `name` at the end of a text: nothing, or something that ends with a separator.
fn before<'a>(text: &'a str, name: &str, any_case: bool) -> Option<&'a str> {
    let (before, end) = text.split_at_checked(text.len().checked_sub(name.len())?)?;
    let separate = before.is_empty() || before.ends_with(['_', '-', '.', ' ']);
    (separate && same(end, name, any_case)).then_some(before)
}

/// The pixel size at the end of a stem, in metres: `x_B04_10m`.
fn resolution(stem: &str) -> Option<(&str, u32)> {
    let (base, end) = stem.rsplit_once('_')?;
    Some((base, end.strip_suffix('m')?.parse().ok()?))
}

/// Whether two names are the same, letter by letter or in any case.
pub fn same(a: &str, b: &str, any_case: bool) -> bool {
    a == b || any_case && a.eq_ignore_ascii_case(b)
}

/// Names of bands that are no reflectance: classes, masks, angles, probabilities, pictures.
const NO_REFLECTANCE: [&str; 26] = [
    "SCL",
    "AOT",
    "WVP",
    "CLD",
    "CLDPRB",
    "CLP",
    "CLM",
    "SNW",
    "SNWPRB",
    "DETFOO",
    "QUALIT",
    "CLASSI",
    "TCI",
    "PVI",
    "QA",
    "QA60",
    "MASK",
    "MSK",
    "DATAMASK",
    "FMASK",
    "VISUAL",
    "PREVIEW",
    "THUMBNAIL",
    "CLOUD",
    "SNOW",
    "DEM",
];

/// Whether a band of this name holds reflectances, as far as names tell. What nothing is known of is taken for one.
pub fn is_reflectance(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    !words.any(|word| NO_REFLECTANCE.contains(&word) || word.ends_with("AZIMUTH") || word.ends_with("ZENITH"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(stems: &[&str]) -> Vec<Named> {
        stems.iter().map(|stem| Named { stem: (*stem).into(), file: format!("{stem}.tif") }).collect()
    }

    fn chosen(name: &str, stems: &[&str]) -> Vec<String> {
        match choose(name, &files(stems)) {
            Choice::None => Vec::new(),
            Choice::One(named) => vec![named.stem.clone()],
            Choice::Several(several) => several.iter().map(|named| named.stem.clone()).collect(),
        }
    }

    #[test]
    fn a_band_is_a_whole_stem_or_its_end() {
        assert_eq!(chosen("B04", &["B04", "x_B04"]), ["B04"]);
        assert_eq!(
            chosen("B04", &["T30UVB_20240602T112121_B04_10m", "T30UVB_20240602T112121_B8A_20m"]).len(),
            1
        );
        assert_eq!(chosen("SR_B4", &["LC08_L2SP_SR_B4", "LC08_L2SP_ST_B4"]), ["LC08_L2SP_SR_B4"]);
        assert_eq!(chosen("B8A", &["HLS.S30.v2.0.B8A"]), ["HLS.S30.v2.0.B8A"]);
        assert_eq!(chosen("B4", &["B04", "xB4", "B4_old"]), [""; 0]);
        assert_eq!(chosen("4", &["scene_4"]), [""; 0]);
        assert_eq!(chosen("B04_20m", &["x_B04_10m", "x_B04_20m"]), ["x_B04_20m"]);
        assert_eq!(chosen("ß", &["xaß", "x_ß", "ä"]), ["x_ß"]);
    }

    #[test]
    fn the_case_counts_first() {
        assert_eq!(chosen("red", &["RED", "x_red"]), ["x_red"]);
        assert_eq!(chosen("red", &["RED", "nir"]), ["RED"]);
    }

    #[test]
    fn the_finest_resolution_of_one_acquisition_is_taken() {
        assert_eq!(chosen("B02", &["x_B02_60m", "x_B02_10m", "x_B02_20m"]), ["x_B02_10m"]);
        assert_eq!(chosen("B02", &["B02_20m", "B02_10m"]), ["B02_10m"]);
        assert_eq!(chosen("B02", &["x_B02_60m", "y_B02_10m"]).len(), 2);
        assert_eq!(chosen("B02", &["x_B02", "x_B02_10m"]).len(), 2);
    }

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(Wanted::parse("bands:3"), Wanted { name: "bands:3", stem: "bands", band: Some(3) });
        assert_eq!(Wanted::parse("bands:0").band, None);
        assert_eq!(Wanted::parse(":3").band, None);
        assert_eq!(Wanted::parse("12").number(), Some(12));
        for name in ["B04", "B4", "B8A", "SR_B4", "SCL", "QA_PIXEL", "b04", "B04_20m"] {
            assert!(Wanted::parse(name).is_one_band(), "{name}");
        }
        for name in ["bands", "B", "BA", "B123", "red", "stack_B"] {
            assert!(!Wanted::parse(name).is_one_band(), "{name}");
        }
    }

    #[test]
    fn classes_and_masks_are_no_reflectances() {
        for name in ["SCL", "x_SCL_20m", "QA_PIXEL", "MSK_CLDPRB", "dataMask", "sunZenith", "visual"] {
            assert!(!is_reflectance(name), "{name}");
        }
        for name in ["B04", "red", "x_B8A_20m", "bands:3", "4"] {
            assert!(is_reflectance(name), "{name}");
        }
    }
}
