//! What is said about the file and its bands is kept as GDAL keeps it.

use gdal::Metadata;

use super::*;
use crate::source::FileReader;

const UTM: &str = r#"PROJCS["WGS 84 / UTM zone 31N",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",3],PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["metre",1],AUTHORITY["EPSG","32631"]]"#;

/// Colour interpretations of a file's bands.
fn colors(path: &Path) -> Vec<String> {
    let dataset = Dataset::open(path).unwrap();
    dataset.rasterbands().map(|band| band.unwrap().color_interpretation().name()).collect()
}

#[test]
fn colours_come_out_as_gdal_translate_writes_them() {
    let folder = Folder::new();
    for pixel_type in [PixelType::Byte, PixelType::UInt16] {
        for wanted in [
            &["Gray"][..],
            &["Undefined"],
            &["Gray", "Alpha"],
            &["Gray", "Undefined", "Undefined"],
            &["Red", "Green", "Blue"],
            &["Red", "Green", "Blue", "Alpha"],
            &["Red", "Green", "Blue", "Undefined"],
            &["Red", "Green", "Blue", "Undefined", "Alpha"],
            &["Blue", "Green", "Red"],
        ] {
            let path = folder.file("a.tif");
            let mut spec = spec(Size::new(20, 20), pixel_type, wanted.len());
            for (band, name) in spec.bands.iter_mut().zip(wanted) {
                band.color_interpretation = (*name).to_owned();
            }
            let container = create_header(&path, &spec).unwrap();
            let copy = folder.file("copy.tif");
            let driver = gdal::DriverManager::get_driver_by_name("GTiff").unwrap();
            Dataset::open(&path).unwrap().create_copy(&driver, &copy, &Default::default()).unwrap();
            let expected = if wanted == ["Undefined"] { &["Gray"] } else { wanted };
            assert_eq!(colors(&path), expected);
            assert_eq!(colors(&copy), expected);
            assert_eq!(container.side_file, None);
            let translated = &crate::container::directories(&FileReader::open(&copy).unwrap()).unwrap()[0];
            let tags = |image: &crate::container::Directory| (image.photometric, image.extra_samples.clone());
            // A copy of three bands of bytes is RGB by default, whatever the bands show.
            if !(pixel_type == PixelType::Byte && wanted.len() == 3) {
                assert_eq!(tags(&container.image), tags(translated), "{wanted:?}");
            }
        }
    }
}

#[test]
fn four_bands_that_show_nothing_are_not_taken_for_rgba() {
    let folder = Folder::new();
    let path = folder.file("a.tif");
    let container = create_header(&path, &spec(Size::new(20, 20), PixelType::Byte, 4)).unwrap();
    assert_eq!((container.image.photometric, &container.image.extra_samples[..]), (1, &[0, 0, 0][..]));
    assert_eq!(colors(&path), ["Gray", "Undefined", "Undefined", "Undefined"]);
}

#[test]
fn a_palette_and_its_categories_are_kept() {
    let folder = Folder::new();
    let path = folder.file("a.tif");
    let mut spec = spec(Size::new(20, 20), PixelType::Byte, 1);
    let palette = vec![[0, 0, 0, 255], [250, 10, 20, 255], [3, 200, 100, 255]];
    spec.bands[0].palette = Some(palette.clone());
    spec.bands[0].color_interpretation = "Palette".into();
    spec.bands[0].categories = vec!["nothing".into(), "forest, dense".into(), "Gewässer".into()];
    let container = create_header(&path, &spec).unwrap();
    let side_file = container.side_file.expect("names of categories need a side file");
    assert!(std::fs::read_to_string(side_file).unwrap().contains("Gewässer"));
    assert_eq!(container.image.photometric, 3);
    assert_eq!(colors(&path), ["Palette"]);
    let dataset = Dataset::open(&path).unwrap();
    let band = dataset.rasterband(1).unwrap();
    let table = band.color_table().unwrap();
    for (index, [red, green, blue, alpha]) in palette.into_iter().enumerate() {
        let found = table.entry_as_rgb(index).unwrap();
        assert_eq!([found.r, found.g, found.b, found.a], [red, green, blue, alpha]);
    }
}

#[test]
fn everything_said_about_the_file_is_kept() {
    let folder = Folder::new();
    let path = folder.file("é.tif");
    let mut spec = spec(Size::new(33, 44), PixelType::Int16, 2);
    spec.wkt = Some(UTM.into());
    spec.nodata = Some(Number::Whole(-999));
    spec.metadata =
        vec![("PLATFORM".into(), "S2 <A> & \"B\"".into()), ("AREA_OR_POINT".into(), "Point".into())];
    spec.bands[1] = OutputBand {
        description: "B8A".into(),
        unit: "W/m²".into(),
        scale: Some(0.0001),
        offset: Some(-0.1),
        metadata: vec![("WAVELENGTH".into(), "865".into())],
        ..OutputBand::default()
    };
    write(&path, &spec);
    assert_pixels(&path, &spec);
    let dataset = Dataset::open(&path).unwrap();
    assert!(dataset.projection().contains("UTM zone 31N"));
    assert_eq!(dataset.metadata_item("PLATFORM", "").as_deref(), Some("S2 <A> & \"B\""));
    assert_eq!(dataset.metadata_item("AREA_OR_POINT", "").as_deref(), Some("Point"));
    let [first, second] = [1, 2].map(|band| dataset.rasterband(band).unwrap());
    assert_eq!((first.no_data_value(), second.no_data_value()), (Some(-999.0), Some(-999.0)));
    assert_eq!((second.description().unwrap(), second.unit()), ("B8A".into(), "W/m²".into()));
    assert_eq!((second.scale(), second.offset()), (Some(0.0001), Some(-0.1)));
    assert_eq!(second.metadata_item("WAVELENGTH", "").as_deref(), Some("865"));
    assert_eq!((first.description().unwrap(), first.unit()), (String::new(), String::new()));
}

#[test]
fn nodata_of_64_bits_is_exact() {
    let folder = Folder::new();
    let path = folder.file("a.tif");
    let mut unsigned = spec(Size::new(9, 9), PixelType::UInt64, 2);
    unsigned.nodata = Some(Number::Whole(u64::MAX.into()));
    create_header(&path, &unsigned).unwrap();
    let dataset = Dataset::open(&path).unwrap();
    assert_eq!(dataset.rasterband(2).unwrap().no_data_value_u64(), Some(u64::MAX));
    drop(dataset);
    let mut signed = spec(Size::new(9, 9), PixelType::Int64, 1);
    signed.nodata = Some(Number::Whole((i64::MIN + 1).into()));
    create_header(&path, &signed).unwrap();
    let dataset = Dataset::open(&path).unwrap();
    assert_eq!(dataset.rasterband(1).unwrap().no_data_value_i64(), Some(i64::MIN + 1));
    let mut float = spec(Size::new(9, 9), PixelType::Float32, 1);
    float.nodata = Some(Number::Float(f64::NAN));
    let other = folder.file("b.tif");
    create_header(&other, &float).unwrap();
    assert!(Dataset::open(&other).unwrap().rasterband(1).unwrap().no_data_value().unwrap().is_nan());
}

#[test]
fn every_compression_is_said_in_the_header() {
    let folder = Folder::new();
    for (compression, tag) in [(Compression::Lzw, 5), (Compression::Deflate, 8), (Compression::Zstd, 50000)] {
        for predictor in [1, 2] {
            let mut spec = spec(Size::new(100, 100), PixelType::UInt16, 3);
            (spec.compression, spec.predictor) = (compression, predictor);
            spec.extra_options = vec![("NUM_THREADS".into(), "1".into())];
            let container = create_header(&folder.file("a.tif"), &spec).unwrap();
            assert_eq!((container.image.compression, container.image.predictor), (tag, predictor));
            assert_eq!(container.warnings, [] as [String; 0]);
        }
    }
}
