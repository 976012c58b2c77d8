//! What rasters that are descriptions refer to: virtual rasters, Meta Raster Formats, and the files beside a raster that
//! GDAL reads with it. All of it is checked before GDAL opens the first of them.
//!
//! The formats: <https://gdal.org/en/stable/drivers/raster/vrt.html>, <https://gdal.org/en/stable/drivers/raster/marfa.html>.

use std::collections::HashSet;

use super::trust::{Trust, folder, is_path};
use super::xml::{Document, Node};
use super::{Problem, text};

/// GDAL looks for what marks a description in so many of a file's first bytes, up to the first zero byte.
const HEAD: usize = 1024;
/// No longer description is read, and none of more elements: its tree must not fill the memory.
const LONGEST: usize = 64 << 20;
const MOST_ELEMENTS: usize = 2_000_000;
/// Descriptions whose references are followed.
const FOLLOWED: [&str; 3] = ["<VRTDataset", "<MRF_META", "<PAMDataset"];
/// Descriptions of services, and lists of rasters that may lie anywhere.
const SERVICES: [&str; 6] = [
    "<GDAL_WMS",
    "<WMS_Capabilities",
    "<WMT_MS_Capabilities",
    "<GDAL_WMTS",
    "<GDALTileIndexDataset",
    "\"stac_version\"",
];
/// Elements whose text is the name of a file.
const FILES: [&str; 6] = ["sourcefilename", "sourcedataset", "dempath", "datafile", "indexfile", "source"];
/// Items of metadata that are one, by their keys.
const ITEMS: [&str; 3] = ["x_dataset", "y_dataset", "overview_file"];
/// What GDAL reads with a raster, by what is put behind the raster's name.
const BESIDE: [&str; 5] = ["", ".aux.xml", ".ovr", ".OVR", ".msk"];

/// Checks what the raster `name` refers to, and what these files refer to in turn. What the user wrote, a dataset
/// written as XML included, may refer to anything.
///
/// # Errors
/// A problem of the first file that refers to what `trust` does not allow, that would run code, or that is too large.
pub fn check(name: &str, trust: Trust) -> Result<(), Problem> {
    let mut waiting = match name.contains("<VRTDataset") {
        true => references("the dataset written as XML", "", name.as_bytes())?,
        false => vec![opened_by(name).to_owned()],
    };
    let mut seen = HashSet::new();
    while let Some(name) = waiting.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        for end in BESIDE {
            let file = format!("{name}{end}");
            let folder = folder(&file);
            for reference in referred_to(&file, &folder, trust)? {
                trust.check(&file, &folder, &reference)?;
                // What may be anywhere in the network is taken as it is.
                if is_path(&reference) || !trust.remote {
                    waiting.push(reference);
                }
            }
        }
    }
    Ok(())
}

/// The file that GDAL opens for a connection to another raster.
fn opened_by(name: &str) -> &str {
    if let Some(virtual_raster) = name.strip_prefix("vrt://") {
        return virtual_raster.split('?').next().unwrap_or_default();
    }
    let derived = name.strip_prefix("DERIVED_SUBDATASET:").and_then(|rest| rest.split_once(':'));
    derived.map_or(name, |(_, name)| name)
}

/// The files that a file refers to; none where it is no description.
fn referred_to(file: &str, folder: &str, trust: Trust) -> Result<Vec<String>, Problem> {
    let head = text::head(file, HEAD);
    let head = String::from_utf8_lossy(head.split(|&byte| byte == 0).next().unwrap_or_default());
    let marks = |marks: &[&str]| marks.iter().any(|mark| head.contains(mark));
    if marks(&FOLLOWED) {
        let bytes = text::bytes(file, LONGEST).map_err(|error| Problem::new(file, format!("{error:#}")))?;
        return references(file, folder, &bytes);
    }
    let index =
        [".gti.gpkg", ".gti.fgb", ".gti.parquet"].iter().any(|end| file.to_ascii_lowercase().ends_with(end));
    if (marks(&SERVICES) || index) && !trust.remote {
        return Err(Problem::new(file, "describes rasters that may lie anywhere")
            .with_hint("--allow-remote lets inputs refer to the network and to names of GDAL's"));
    }
    Ok(Vec::new())
}

/// The names of files in a description, as GDAL opens them.
fn references(file: &str, folder: &str, text: &[u8]) -> Result<Vec<String>, Problem> {
    let problem = |message: String| Problem::new(file, message);
    if text.iter().filter(|&&byte| byte == b'<').count() > 2 * MOST_ELEMENTS {
        return Err(problem(format!("has more than {MOST_ELEMENTS} elements"))
            .with_hint("name its sources as inputs instead, in a list"));
    }
    let document = Document::parse(text).map_err(|error| problem(format!("{error:#}")))?;
    let mut found = Vec::new();
    for element in document.elements() {
        if let Some(code) = code(element) {
            return Err(problem(format!("holds {code}, which is not run"))
                .with_hint("if you trust it, make a GeoTIFF of it with gdal_translate"));
        }
        let Some(relative) = is_file(element) else { continue };
        let names = element.texts().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        found.extend(names.map(|name| match name.strip_prefix(":::BASE:::") {
            Some(name) => join(folder, name),
            None if relative => join(folder, &name),
            None => name,
        }));
    }
    Ok(found)
}

/// The code in an element that a pixel's value would be computed by, in words.
fn code(element: Node) -> Option<&'static str> {
    let says = |word: &str| element.texts().any(|text| text.trim().eq_ignore_ascii_case(word));
    match element.name().as_str() {
        "pixelfunctioncode" => Some("a pixel function's code"),
        "pixelfunctionlanguage" if !says("c") => Some("a pixel function in another language"),
        "pixelfunctiontype" | "algorithm" if says("expression") => Some("an expression"),
        _ => None,
    }
}

/// Whether an element's text is the name of a file, and if so, whether the name is relative to the description's folder
/// rather than to the working folder.
fn is_file(element: Node) -> Option<bool> {
    let name = element.name();
    let key = || {
        element.text_of("key").or_else(|| element.text_of("name")).unwrap_or_default().to_ascii_lowercase()
    };
    match name.as_str() {
        "sourcefilename" | "sourcedataset" => {
            Some(element.text_of("relativetovrt").is_some_and(|text| text.trim() != "0"))
        }
        _ if FILES.contains(&name.as_str()) => Some(true),
        "mdi" if ITEMS.contains(&key().as_str()) => Some(true),
        "argument" if key().contains("filename") => Some(true),
        _ => None,
    }
}

/// A name beside the files of a folder, unless it is one by itself.
fn join(folder: &str, name: &str) -> String {
    match name.starts_with('/') || !is_path(name) || folder.is_empty() {
        true => name.to_owned(),
        false => format!("{folder}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut found = references("x.vrt", "/own", text.as_bytes()).unwrap();
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
        let expected = ["/c.tif", "/e.tif", "/own/a.tif", "/own/g.tif", "/own/x.tif", "b.tif", "https://h/d"];
        assert_eq!(found(text), expected);
        let overview =
            r#"<PAMDataset><Metadata><MDI key="OVERVIEW_FILE">:::BASE:::o.ovr</MDI></Metadata></PAMDataset>"#;
        assert_eq!(found(overview), ["/own/o.ovr"]);
        let raster =
            "<MRF_META><CachedSource><Source>s.tif</Source></CachedSource><DataFile>d</DataFile></MRF_META>";
        assert_eq!(found(raster), ["/own/d", "/own/s.tif"]);
    }

    #[test]
    fn code_is_refused() {
        for code in [
            "<PixelFunctionLanguage>Python</PixelFunctionLanguage>",
            "<pixelFunctionCode>x</pixelFunctionCode>",
            "<PixelFunctionType>expression</PixelFunctionType>",
        ] {
            let text = format!("<VRTDataset><VRTRasterBand>{code}</VRTRasterBand></VRTDataset>");
            assert!(references("x.vrt", "", text.as_bytes()).is_err(), "{code}");
        }
        assert!(found("<VRTDataset><PixelFunctionType>mean</PixelFunctionType></VRTDataset>").is_empty());
    }

    #[test]
    fn a_tree_that_would_fill_the_memory_is_not_built() {
        let text = format!("<VRTDataset>{}</VRTDataset>", "<a/>".repeat(2 * MOST_ELEMENTS + 1));
        assert!(references("x.vrt", "", text.as_bytes()).unwrap_err().message.contains("elements"));
    }
}
