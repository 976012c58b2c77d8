//! Products of Sentinel-2 as ESA packs them: the folder or archive, its bands, and its `MTD_MSIL….xml`.
//!
//! The format: Sentinel-2 Products Specification Document, S2-PDGS-TAS-DI-PSD.

use anyhow::{Context, Result};
use roxmltree::{Document, Node, ParsingOptions};

use super::band_names::{Choice, Named, choose};
use super::dates;
use super::details::{self, Details};
use super::document;

/// The bands in the order of their numbers in documents (`bandId`, `band_id`).
const BANDS: [&str; 13] =
    ["B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12"];

/// The largest of these documents have some ten thousand elements and texts.
const MOST_NODES: u32 = 1 << 20;

/// The files of a product.
#[derive(Debug, Default)]
pub struct Product {
    /// Its bands and pictures, in all resolutions.
    pub images: Vec<Named>,
    /// Masks and probabilities beside them.
    pub quality: Vec<Named>,
    /// The document about the whole product.
    pub document: Option<String>,
}

impl Product {
    /// Lists a product: a `.SAFE` folder or one in a `/vsizip/`.
    ///
    /// # Errors
    /// The folder or archive cannot be read.
    pub fn list(root: &str) -> Result<Product> {
        let mut product = Product::default();
        for file in document::files_below(root)? {
            let name = document::file_name(&file);
            if is_document(name) {
                product.document = Some(file);
            } else if name.ends_with(".jp2") || name.ends_with(".tif") {
                let named = Named { stem: document::stem(&file).to_owned(), file: file.clone() };
                match file.contains("/IMG_DATA/") {
                    true => product.images.push(named),
                    false => product.quality.push(named),
                }
            }
        }
        Ok(product)
    }
}

/// The product's root that a name leads to or lies in: a `.SAFE` folder, or what holds a `GRANULE` folder.
pub fn root_of(name: &str) -> Option<&str> {
    let name = name.trim_end_matches('/');
    let end = |position: usize, part: &str| position + part.len();
    let mut position = 0;
    for part in name.split('/') {
        if part.len() > 5 && part.to_ascii_uppercase().ends_with(".SAFE") {
            return Some(&name[..end(position, part)]);
        }
        if part == "GRANULE" && position > 1 {
            return Some(&name[..position - 1]);
        }
        position += part.len() + 1;
    }
    if is_document(document::file_name(name)) {
        return Some(document::folder(name));
    }
    std::path::Path::new(name).join("GRANULE").is_dir().then_some(name)
}

/// Whether a name is an archive of one product: `….SAFE.zip`, or `S2A_MSIL2A_….zip`.
pub fn is_archive(name: &str) -> bool {
    let name = document::file_name(name).to_ascii_uppercase();
    let product = || name.starts_with("S2") && name.get(3..8) == Some("_MSIL");
    name.ends_with(".SAFE.ZIP") || name.ends_with(".ZIP") && product()
}

/// Whether a file name is that of the document about a whole product, in its present or its first form.
pub fn is_document(file_name: &str) -> bool {
    file_name.ends_with(".xml") && (file_name.starts_with("MTD_MSIL") || file_name.contains("_MTD_SAFL"))
}

/// Offsets that were added to the reflectances: nothing where a product has none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Offsets(Vec<(&'static str, f64)>);

impl Offsets {
    /// The offset of the band whose file has this stem: 0 where the product has none, unknown where its bands
    /// differ and the stem tells no band.
    pub fn of(&self, stem: &str) -> Option<f64> {
        let file = [Named { stem: stem.to_owned(), file: String::new() }];
        let own = self.0.iter().find(|(band, _)| choose(band, &file) != Choice::None);
        let Some(&(_, first)) = own.or(self.0.first()) else { return Some(0.0) };
        (own.is_some() || self.0.iter().all(|&(_, offset)| offset == first)).then_some(first)
    }
}

/// What an `MTD_MSIL….xml` tells.
///
/// # Errors
/// It is no sound XML, or holds a document type definition, which these documents never do.
pub fn parse(xml: &str) -> Result<(Details, Offsets)> {
    let limits = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(xml, limits).context("is no sound XML")?;
    let text = |name: &str| {
        let mut nodes = document.descendants().filter(|node| node.tag_name().name() == name);
        nodes.find_map(|node| node.text())
    };
    let date = text("DATATAKE_SENSING_START").or_else(|| text("PRODUCT_START_TIME"));
    let details = Details {
        date: date.and_then(dates::in_text),
        cloud: text("Cloud_Coverage_Assessment").and_then(details::percent),
        baseline: text("PROCESSING_BASELINE").and_then(details::baseline),
    };
    Ok((details, Offsets(document.descendants().filter_map(offset).collect())))
}

fn offset(node: Node) -> Option<(&'static str, f64)> {
    if !["BOA_ADD_OFFSET", "RADIO_ADD_OFFSET"].contains(&node.tag_name().name()) {
        return None;
    }
    let band: usize = node.attribute("band_id")?.parse().ok()?;
    Some((BANDS.get(band)?, node.text()?.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::scenes::Date;

    fn document(offsets: &str) -> String {
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-2A_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-2A.xsd">
 <n1:General_Info>
  <Product_Info>
   <PRODUCT_START_TIME>2024-06-02T11:21:21.024Z</PRODUCT_START_TIME>
   <PROCESSING_BASELINE>05.10</PROCESSING_BASELINE>
   <Datatake datatakeIdentifier="GS2A"><DATATAKE_SENSING_START>2024-06-02T11:21:19.024Z</DATATAKE_SENSING_START></Datatake>
  </Product_Info>
  <Product_Image_Characteristics>{offsets}</Product_Image_Characteristics>
 </n1:General_Info>
 <n1:Quality_Indicators_Info><Cloud_Coverage_Assessment>72.841</Cloud_Coverage_Assessment></n1:Quality_Indicators_Info>
</n1:Level-2A_User_Product>"#
        )
    }

    #[test]
    fn a_document_tells_date_clouds_baseline_and_offsets() {
        let list = r#"<BOA_ADD_OFFSET_VALUES_LIST><BOA_ADD_OFFSET band_id="3">-1000</BOA_ADD_OFFSET>
            <BOA_ADD_OFFSET band_id="8">-900</BOA_ADD_OFFSET></BOA_ADD_OFFSET_VALUES_LIST>"#;
        let (details, offsets) = parse(&document(list)).unwrap();
        assert_eq!(details.date, Date::from_ymd_opt(2024, 6, 2));
        assert_eq!((details.cloud, details.baseline), (Some(72.841), Some((5, 10))));
        assert_eq!(offsets.of("T30UVB_20240602T112121_B04_10m"), Some(-1000.0));
        assert_eq!(offsets.of("T30UVB_20240602T112121_B8A_20m"), Some(-900.0));
        assert_eq!(offsets.of("T30UVB_20240602T112121_B02_10m"), None);
    }

    #[test]
    fn level_1_has_offsets_of_its_own_and_older_products_none() {
        let list = r#"<Radiometric_Offset_List><RADIO_ADD_OFFSET band_id="0">-1000</RADIO_ADD_OFFSET>
            </Radiometric_Offset_List>"#;
        assert_eq!(parse(&document(list)).unwrap().1.of("any"), Some(-1000.0));
        assert_eq!(parse(&document("")).unwrap().1.of("x_B04"), Some(0.0));
    }

    #[test]
    fn entities_of_a_documents_own_are_refused() {
        let xml = "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>";
        assert!(parse(xml).is_err());
        assert!(parse("<a>").is_err());
    }

    #[test]
    fn the_root_of_a_product_is_found() {
        let band = "/d/S2A_X.SAFE/GRANULE/L2A_T30UVB/IMG_DATA/R10m/T30UVB_B04_10m.jp2";
        assert_eq!(root_of(band), Some("/d/S2A_X.SAFE"));
        assert_eq!(root_of("/d/product/GRANULE/L2A/IMG_DATA/B04.jp2"), Some("/d/product"));
        assert_eq!(root_of("S2A_X.SAFE/"), Some("S2A_X.SAFE"));
        assert_eq!(root_of("d/MTD_MSIL2A.xml"), Some("d"));
        assert_eq!((root_of("/d/B04.tif"), root_of(".SAFE/a.tif")), (None, None));
        assert!(is_archive("/d/S2C_MSIL2A_20250602T112121_N0511.zip") && is_archive("x.SAFE.zip"));
        assert!(!is_archive("other.zip") && !is_archive("S2"));
    }
}
