//! Products, documents and items.

use super::*;

const DOCUMENT: &str = r#"<a><PROCESSING_BASELINE>05.10</PROCESSING_BASELINE>
    <DATATAKE_SENSING_START>2024-06-03T11:21:19.024Z</DATATAKE_SENSING_START>
    <BOA_ADD_OFFSET band_id="1">-1000</BOA_ADD_OFFSET><BOA_ADD_OFFSET band_id="3">-1000</BOA_ADD_OFFSET>
    <Cloud_Coverage_Assessment>12.5</Cloud_Coverage_Assessment></a>"#;

#[test]
fn a_product_has_the_finest_bands_and_its_document() {
    let disk = Disk::new();
    let root = "S2A_MSIL2A_20240602T112121_N0510_R037_T30UVB_20240603T181503.SAFE";
    let granule = format!("{root}/GRANULE/L2A_T30UVB");
    disk.file(&format!("{root}/MTD_MSIL2A.xml"), DOCUMENT);
    for (folder, metres, bands) in
        [("R10m", "10m", &["B02", "B04"][..]), ("R20m", "20m", &["B02", "SCL", "B8A"])]
    {
        for band in bands {
            disk.file(&format!("{granule}/IMG_DATA/{folder}/T30UVB_20240602T112121_{band}_{metres}.jp2"), "");
        }
    }
    disk.file(&format!("{granule}/QI_DATA/MSK_QUALIT_B04.jp2"), "");
    disk.raster(&format!("{granule}/QI_DATA/MSK_CLDPRB_20m.jp2"), &[""], &[]);
    let bands = names(&["B02", "B04", "B8A", "MSK_CLDPRB"]);
    let asked = Asked { bands: &bands, mask_band: Some("SCL"), ..Asked::default() };
    for input in [root, ".", &format!("{granule}/IMG_DATA/R10m")] {
        let found = disk.find(&[input], &asked).unwrap();
        let [scene] = &found.scenes[..] else { panic!("{:?}", found.scenes) };
        let file = |band: &BandFile| document::file_name(&band.file).to_owned();
        let expected =
            ["B02_10m", "B04_10m", "B8A_20m"].map(|band| format!("T30UVB_20240602T112121_{band}.jp2"));
        assert_eq!(scene.bands[..3].iter().map(file).collect::<Vec<_>>(), expected);
        assert_eq!(file(&scene.bands[3]), "MSK_CLDPRB_20m.jp2");
        assert_eq!(scene.mask.as_ref().map(file).unwrap(), "T30UVB_20240602T112121_SCL_20m.jp2");
        assert_eq!((scene.date, scene.cloud, scene.baseline), (day(6, 3), Some(12.5), Some((5, 10))));
        assert_eq!(scene.offset, Some(-1000.0));
        assert_eq!(found.reflectance, [true, true, true, false]);
    }
}

#[test]
fn a_document_beside_the_bands_counts() {
    let disk = Disk::new();
    disk.file("in/MTD_MSIL2A.xml", DOCUMENT).file("in/B02.jp2", "").file("in/B04.jp2", "");
    disk.file("l/LC08_x_MTL.txt", "DATE_ACQUIRED = 2024-06-05\nCLOUD_COVER = 40.5\n");
    disk.file("l/LC08_x_B02.TIF", "").file("l/LC08_x_B04.TIF", "");
    let bands = names(&["B04"]);
    let asked = Asked { bands: &bands, order: Order::Cloud, ..Asked::default() };
    let found = disk.find(&["l", "in"], &asked).unwrap();
    let told: Vec<_> = found.scenes.iter().map(|scene| (scene.date, scene.cloud, scene.offset)).collect();
    assert_eq!(told, [(day(6, 3), Some(12.5), Some(-1000.0)), (day(6, 5), Some(40.5), None)]);
    let left = disk.find(&["l", "in"], &Asked { max_cloud: Some(20.0), ..asked }).unwrap();
    assert_eq!((left.scenes.len(), left.left_out.len()), (1, 1));
}

#[test]
fn an_archive_of_a_product_is_read_in_place() {
    let disk = Disk::new();
    let product = "S2C_MSIL2A_20250602T112121_N0511_R037_T30UVB_20250603T181503.SAFE";
    let archive = disk.path(&format!("{product}.zip"));
    let driver = DriverManager::get_driver_by_name("PNG").unwrap();
    let pixels = DriverManager::get_driver_by_name("MEM").unwrap().create("", 2, 2, 1).unwrap();
    let inside = |name: &str| format!("/vsizip/{}/{product}/GRANULE/L2A/IMG_DATA/{name}", archive.display());
    for name in ["R10m/T30UVB_B04_10m.jp2", "R20m/T30UVB_B04_20m.jp2"] {
        drop(pixels.create_copy(&driver, inside(name), &Default::default()).unwrap());
    }
    let bands = names(&["B04"]);
    for input in [".", &format!("{product}.zip")] {
        let found = disk.find(&[input], &Asked { bands: &bands, ..Asked::default() }).unwrap();
        let file = &found.scenes[0].bands[0].file;
        assert!(file.ends_with("/IMG_DATA/R10m/T30UVB_B04_10m.jp2"), "{file}");
        assert_eq!(
            (found.scenes[0].date, found.scenes[0].baseline),
            (Date::from_ymd_opt(2025, 6, 2), Some((5, 11)))
        );
        assert_eq!(std::fs::read_dir(disk.0.path()).unwrap().count(), 1);
    }
}

#[test]
fn items_of_stac_are_scenes_beside_the_inputs() {
    let disk = Disk::new();
    disk.raster("in/a.tif", &["B04", "SCL"], &[]).raster("b/B04.tif", &["", ""], &[]);
    let items = r#"{"type": "FeatureCollection", "features": [{"type": "Feature", "id": "S2B_20240610_0_L2A",
        "properties": {"datetime": "2024-06-10T11:00:00Z", "eo:cloud_cover": 3, "earthsearch:boa_offset_applied": true},
        "assets": {"red": {"href": "./b/B04.tif", "eo:bands": [{"name": "B04", "common_name": "red"}]},
                   "all": {"href": "./b/B04.tif"}, "scl": {"href": "https://host/SCL.tif"}}}]}"#;
    disk.file("items.json", items);
    let stac = disk.path("items.json");
    let bands = names(&["B04"]);
    let near = Asked { bands: &bands, mask_band: Some("SCL"), stac: stac.to_str(), ..Asked::default() };
    let problems = disk.find(&["in/a.tif"], &near).unwrap_err();
    assert!(problems[0].hint.as_deref().is_some_and(|hint| hint.contains("--allow-remote")));
    let asked = Asked { trust: Trust { remote: true, ..Trust::default() }, ..near };
    let found = disk.find(&["in/a.tif"], &asked).unwrap();
    let expected = [
        scene("in/a.tif", &[("in/a.tif", 1), ("in/a.tif", 2)]),
        scene("S2B_20240610_0_L2A", &[("b/B04.tif", 1), ("/vsicurl/https://host/SCL.tif", 1)]),
    ];
    assert_eq!(disk.scenes(&found), expected);
    assert_eq!((found.scenes[0].offset, found.scenes[1].offset), (None, Some(0.0)));
    let whole = names(&["all"]);
    let found = disk.find(&[], &Asked { bands: &whole, mask_band: None, ..asked }).unwrap();
    assert_eq!(found.band_names, ["all:1", "all:2"]);
    let wrong = names(&["B05"]);
    let problems = disk.find(&[], &Asked { bands: &wrong, ..asked }).unwrap_err();
    assert_eq!(
        (&*problems[0].message, problems[0].hint.as_deref()),
        ("has no band B05", Some("it has red, all, scl"))
    );
}

#[test]
fn what_stands_for_nothing_is_told() {
    let disk = Disk::new();
    let bands = names(&["B04"]);
    let asked = Asked { bands: &bands, stac: Some("/no/items.json"), ..Asked::default() };
    disk.file("in/B04.tif", "no raster");
    let problems = disk.find(&["empty", "in"], &asked).unwrap_err();
    let about: Vec<_> = problems.iter().map(|problem| disk.inside(&problem.source)).collect();
    assert_eq!(about, ["/no/items.json", "empty", "in/B04.tif"]);
}
