//! The names of files in a description, as GDAL opens them.

use super::{MRF, is_there};
use crate::container::side_files::METADATA;
use crate::source::Problem;
use crate::source::trust::{folder, is_path, parent};
use crate::source::xml::{Document, Node};

/// No description of more elements is parsed: its tree must not fill the memory.
const MOST_ELEMENTS: usize = 2_000_000;
/// What stands before a name that begins in the folder of the dataset, in any case.
const OWN_FOLDER: &str = ":::BASE:::";
/// Elements whose text is the name of a file.
const FILES: [&str; 5] = ["sourcefilename", "sourcedataset", "dempath", "datafile", "indexfile"];
/// Items of metadata that are one, by their keys.
const ITEMS: [&str; 3] = ["x_dataset", "y_dataset", "overview_file"];
/// Options for opening a source that may lead elsewhere, or run statements.
const OPTIONS: [&str; 2] = ["root_path", "prelude_statements"];

/// Where a name that is no whole path begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// In the folder of the description.
    Folder,
    /// In the working folder.
    Working,
    /// GDAL's drivers and versions do not agree.
    Either,
}

/// The names of files in the description `file`, which may be a text without a file.
pub fn names(file: &str, text: &[u8]) -> Result<Vec<String>, Problem> {
    let from = if file.is_empty() { "the dataset written as XML" } else { file };
    let problem = |message: String| Problem::new(from, message);
    if text.iter().filter(|&&byte| byte == b'<').count() > 2 * MOST_ELEMENTS {
        return Err(problem(format!("has more than {MOST_ELEMENTS} elements"))
            .with_hint("name its sources as inputs instead, in a list"));
    }
    let Some(document) = Document::parse(text).map_err(|error| problem(format!("{error:#}")))? else {
        // GDAL passes metadata over that it cannot parse.
        return match file.ends_with(METADATA) {
            true => Ok(Vec::new()),
            false => Err(problem("is no sound XML".into())),
        };
    };
    let folder = if file.is_empty() { String::new() } else { folder(file) };
    let mut found = Vec::new();
    for element in document.elements_and_attributes() {
        if let Some((what, hint)) = refused(element) {
            return Err(problem(what.into()).with_hint(hint));
        }
        let Some(base) = is_file(element) else { continue };
        for name in element.texts().filter(|name| !name.is_empty()) {
            found.extend(may_be(&name, base, file, &folder));
        }
    }
    Ok(found)
}

/// All files that GDAL may open for a name in `file`, which lies in `folder`, or is a link to what lies there.
pub fn may_be(name: &str, base: Base, file: &str, folder: &str) -> Vec<String> {
    let rest = name.get(..OWN_FOLDER.len()).filter(|start| start.eq_ignore_ascii_case(OWN_FOLDER));
    let (name, base) = match rest {
        Some(_) => (&name[OWN_FOLDER.len()..], Base::Folder),
        None => (name, base),
    };
    let is_relative = !name.starts_with('/') && is_path(name.split(MRF).next().unwrap_or(name));
    if !is_relative || folder.is_empty() {
        return vec![name.to_owned()];
    }
    let joined = |folder: &str| format!("{folder}/{name}");
    if base == Base::Working {
        return vec![name.to_owned()];
    }
    let mut found = vec![joined(folder)];
    // Of what GDAL takes only in some cases, what is not there does not matter.
    let beside_link = Some(joined(parent(file))).filter(|_| is_path(file));
    let working = Some(name.to_owned()).filter(|_| base == Base::Either);
    let others = beside_link.into_iter().chain(working);
    found.extend(others.filter(|other| *other != joined(folder) && is_path(other) && is_there(other)));
    found
}

/// What would run code, let GDAL write or lead astray, in words, and what to do.
fn refused(element: Node) -> Option<(&'static str, &'static str)> {
    const TRANSLATE: &str = "if you trust it, make a GeoTIFF of it with gdal_translate";
    let says = |word: &str| element.texts().any(|text| text.trim().eq_ignore_ascii_case(word));
    Some(match element.name().as_str() {
        "pixelfunctioncode" => ("holds a pixel function's code, which is not run", TRANSLATE),
        "pixelfunctionlanguage" if !says("c") => {
            ("holds a pixel function in another language, which is not run", TRANSLATE)
        }
        "pixelfunctiontype" | "algorithm" if says("expression") => {
            ("holds an expression, which is not run", TRANSLATE)
        }
        "cachedsource" => (
            "holds a cache (CachedSource), which GDAL would write",
            "name the raster that is cached as the input instead",
        ),
        "ooi" if may_lead_astray(element) => {
            ("opens a source with an option that may lead elsewhere (OOI)", TRANSLATE)
        }
        _ => return None,
    })
}

/// Whether an option for opening a source is one that moves names, or could be taken for one.
fn may_lead_astray(option: Node) -> bool {
    let key = option.text_of("key").unwrap_or_default().to_ascii_lowercase();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !key.chars().all(word) || OPTIONS.contains(&key.as_str()) || option.texts().any(|text| text.contains('/'))
}

/// Whether the text of an element or attribute is the name of a file, and if so, where the name begins.
fn is_file(element: Node) -> Option<Base> {
    let name = element.name();
    let key = || {
        element.text_of("key").or_else(|| element.text_of("name")).unwrap_or_default().to_ascii_lowercase()
    };
    match name.as_str() {
        "sourcefilename" | "sourcedataset" => Some(match element.attribute("relativetovrt") {
            Some(number) if is_not_zero(&number) => Base::Folder,
            Some(number) if number == "0" => Base::Working,
            // Some drivers take a missing one for yes, and some take any word for it.
            _ => Base::Either,
        }),
        _ if FILES.contains(&name.as_str()) => Some(Base::Either),
        "mdi" if ITEMS.contains(&key().as_str()) => Some(Base::Either),
        "argument" if key().contains("filename") => Some(Base::Either),
        _ => None,
    }
}

/// Whether C's `atoi` surely reads a number other than 0.
fn is_not_zero(text: &str) -> bool {
    let number = text.trim_ascii_start();
    let digits = number.strip_prefix(['+', '-']).unwrap_or(number);
    digits.starts_with(|c| ('1'..='9').contains(&c)) && text.len() < 10
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut found = names("/own/x.vrt", text.as_bytes()).unwrap();
        found.sort();
        found
    }

    #[test]
    fn every_kind_of_reference_is_found() {
        let text = r#"<VRTDataset><Metadata domain="GEOLOCATION"><MDI key="X_DATASET">x.tif</MDI><MDI key="y">no</MDI>
            </Metadata><VRTRasterBand><SimpleSource><sourceFilename relativeToVRT="1"> a.tif </sourceFilename>
            </SimpleSource><ComplexSource><SourceFilename>b.tif</SourceFilename></ComplexSource></VRTRasterBand>
            <GDALWarpOptions><SourceDataset relativeToVRT="0">/c.tif</SourceDataset></GDALWarpOptions>
            <SourceFilename relativeToVRT="1">https://h/d<!-- -->/e.tif</SourceFilename>
            <Argument name="gain_dataset_filename_1">g.tif</Argument></VRTDataset>"#;
        // As GDAL's parser gives them: without the space before, but with that behind.
        let expected =
            ["/c.tif", "/e.tif", "/own/a.tif ", "/own/b.tif", "/own/g.tif", "/own/x.tif", "https://h/d"];
        assert_eq!(found(text), expected);
        for base in [":::BASE:::", ":::base:::"] {
            let text =
                format!("<Any><Metadata><MDI key=\"OVERVIEW_FILE\">{base}o.ovr</MDI></Metadata></Any>");
            assert_eq!(found(&text), ["/own/o.ovr"]);
        }
        let raster = "<MRF_META><Raster><DataFile>d</DataFile></Raster></MRF_META>";
        assert_eq!(found(raster), ["/own/d"]);
    }

    #[test]
    fn attributes_count_as_elements_do() {
        assert_eq!(found("<VRTDataset><SimpleSource SourceFilename=\"/e.tif\"/></VRTDataset>"), ["/e.tif"]);
        assert_eq!(found("<MRF_META><Raster DataFile='/d' IndexFile='i'/></MRF_META>"), ["/d", "/own/i"]);
        assert_eq!(found("<a><MDI key='OVERVIEW_FILE'>/o</MDI></a>"), ["/o"]);
    }

    #[test]
    fn where_a_name_begins_is_read_as_gdal_reads_it() {
        // The working folder of tests holds this file.
        let name = "Cargo.toml";
        let of =
            |attribute: &str| found(&format!("<a><SourceFilename {attribute}>{name}</SourceFilename></a>"));
        let (own, working) = (format!("/own/{name}"), name.to_owned());
        for number in ["1", " 2", "-1", "1x"] {
            assert_eq!(of(&format!("relativeToVRT='{number}'")), [&*own], "{number}");
        }
        assert_eq!(of("relativetovrt='0'"), [&*working]);
        for other in [
            "",
            "relativeToVRT='yes'",
            "relativeToVRT='00'",
            "relativeToVRT='--1'",
            "relativeToVRT='\u{a0}1'",
            "relativeToVRT=''",
        ] {
            assert_eq!(of(other), [&*own, &working], "{other}");
        }
    }

    #[test]
    fn what_runs_writes_or_leads_astray_is_refused() {
        for code in [
            "<PixelFunctionLanguage>Python</PixelFunctionLanguage>",
            "<pixelFunctionCode>x</pixelFunctionCode>",
            "<PixelFunctionType>expression</PixelFunctionType>",
            "<a pixelFunctionCode='x'/>",
            "<CachedSource><Source>own.tif</Source></CachedSource>",
            "<a cachedSource=''/>",
            "<OOI key='ROOT_PATH'>x</OOI>",
            "<ooi key='root_path:x;'/>",
            "<OOI key='X'>/x</OOI>",
        ] {
            let text = format!("<VRTDataset><VRTRasterBand>{code}</VRTRasterBand></VRTDataset>");
            assert!(names("x.vrt", text.as_bytes()).is_err(), "{code}");
        }
        assert!(
            found("<a><PixelFunctionType>mean</PixelFunctionType><OOI key='OVERVIEW_LEVEL'>1</OOI></a>")
                .is_empty()
        );
    }

    #[test]
    fn a_tree_that_would_fill_the_memory_is_not_built() {
        let text = format!("<VRTDataset>{}</VRTDataset>", "<a/>".repeat(2 * MOST_ELEMENTS + 1));
        assert!(names("x.vrt", text.as_bytes()).unwrap_err().message.contains("elements"));
    }

    #[test]
    fn metadata_that_cannot_be_parsed_refer_to_nothing() {
        assert!(names("x.tif.aux.xml", b"<a>").unwrap().is_empty() && names("x.vrt", b"<a>").is_err());
    }
}
