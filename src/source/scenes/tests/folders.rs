//! Folders, files and patterns.

use super::*;

#[test]
fn the_bands_of_folders_with_a_file_each_are_found_by_names_alone() {
    let disk = Disk::new();
    for folder in ["all/S2_20240602", "all/S2_20240605"] {
        for band in ["B02", "B04", "SCL"] {
            disk.file(&format!("{folder}/T30UVB_{band}.jp2"), "no raster");
        }
    }
    let bands = names(&["B04", "b02"]);
    let found =
        disk.find(&["all"], &Asked { bands: &bands, mask_band: Some("SCL"), ..Asked::default() }).unwrap();
    let expected = |folder: &str| {
        let file = |band: &str| (format!("{folder}/T30UVB_{band}.jp2"), 1);
        (folder.to_owned(), vec![file("B04"), file("B02"), file("SCL")])
    };
    assert_eq!(disk.scenes(&found), [expected("all/S2_20240602"), expected("all/S2_20240605")]);
    assert_eq!((&found.band_names, &found.reflectance), (&bands, &vec![true, true]));
    assert_eq!(found.scenes.iter().map(|scene| scene.date).collect::<Vec<_>>(), [day(6, 2), day(6, 5)]);
}

#[test]
fn files_of_several_bands_are_scenes_each() {
    let disk = Disk::new();
    disk.raster("in/a_2024-06-02.tif", &["B02", "B04", "SCL"], &[]);
    disk.raster(
        "in/b.tif",
        &["SCL", "B04, central wavelength 665 nm", "B02"],
        &[("datetime", "2024-06-05T11:00:00Z")],
    );
    let bands = names(&["B04", "B02"]);
    let asked = Asked { bands: &bands, mask_band: Some("SCL"), ..Asked::default() };
    let expected = [
        scene(
            "in/a_2024-06-02.tif",
            &[("in/a_2024-06-02.tif", 2), ("in/a_2024-06-02.tif", 1), ("in/a_2024-06-02.tif", 3)],
        ),
        scene("in/b.tif", &[("in/b.tif", 2), ("in/b.tif", 3), ("in/b.tif", 1)]),
    ];
    for inputs in [&["in"][..], &["in/*.tif"], &["in/a_2024-06-02.tif", "in/b.tif"]] {
        let found = disk.find(inputs, &asked).unwrap();
        assert_eq!(disk.scenes(&found), expected, "{inputs:?}");
        assert_eq!(found.scenes[1].date, day(6, 5));
    }
    let latest = disk.find(&["in"], &Asked { order: Order::DateDescending, ..asked }).unwrap();
    assert_eq!(disk.inside(&latest.scenes[0].name), "in/b.tif");
    let wanted = disk.find(&["in"], &Asked { to: day(6, 2), ..asked }).unwrap();
    assert_eq!((wanted.scenes.len(), wanted.left_out.len()), (1, 1));
    assert!(wanted.left_out[0].message.contains("2024-06-05, after --to 2024-06-02"));
    let none = disk.find(&["in"], &Asked { from: day(7, 1), ..asked }).unwrap_err();
    assert_eq!(none.len(), 3, "{none:?}");
}

#[test]
fn a_file_of_bands_and_its_mask_are_one_scene_with_or_without_the_mask() {
    let disk = Disk::new();
    for day in ["2024-06-02", "2024-06-05"] {
        disk.raster(&format!("in/{day}/bands.tif"), &["B02", "B04"], &[]);
        disk.raster(&format!("in/{day}/SCL.tif"), &["SCL"], &[]);
    }
    let bands = names(&["B04", "B02"]);
    let of = |mask_band| disk.find(&["in"], &Asked { bands: &bands, mask_band, ..Asked::default() });
    let bands_of = |scene: &Scene| scene.bands.iter().map(|band| band.band).collect::<Vec<_>>();
    let (plain, masked) = (of(None).unwrap(), of(Some("SCL")).unwrap());
    for found in [&plain, &masked] {
        assert_eq!(found.scenes.iter().map(bands_of).collect::<Vec<_>>(), [[2, 1], [2, 1]]);
        assert_eq!(found.scenes.iter().map(|scene| scene.date).collect::<Vec<_>>(), [day(6, 2), day(6, 5)]);
    }
    assert!(plain.scenes[1].mask.is_none() && masked.scenes[1].mask.is_some());
    let problems = of(Some("SLC")).unwrap_err();
    assert_eq!((problems.len(), &*problems[0].message), (2, "has no band SLC"));
    assert_eq!(problems[0].hint.as_deref(), Some("it has SCL, bands (B02, B04)"));
}

#[test]
fn a_folder_that_is_called_after_a_day_tells_its_files_date() {
    let disk = Disk::new();
    disk.raster("in/2024-06-02/bands.tif", &["B04"], &[]);
    disk.raster("in/delivered 2024-07-01/bands.tif", &["B04"], &[]);
    let bands = names(&["B04"]);
    let found = disk.find(&["in"], &Asked { bands: &bands, ..Asked::default() }).unwrap();
    assert_eq!(found.scenes.iter().map(|scene| scene.date).collect::<Vec<_>>(), [day(6, 2), None]);
}

#[test]
fn scenes_with_a_problem_are_left_out_where_that_is_asked() {
    let disk = Disk::new();
    for file in ["in/1/x_B02.tif", "in/2/x_B04.tif", "in/3/x_B02.tif"] {
        disk.raster(file, &[""], &[]);
    }
    let bands = names(&["B02"]);
    let asked = Asked { bands: &bands, ..Asked::default() };
    assert_eq!(disk.find(&["in"], &asked).unwrap_err().len(), 1);
    let found = disk.find(&["in"], &Asked { skip: true, ..asked }).unwrap();
    assert_eq!((found.scenes.len(), &*found.left_out[0].message), (2, "has no band B02"));
    let none = names(&["B08"]);
    assert_eq!(disk.find(&["in"], &Asked { bands: &none, skip: true, ..asked }).unwrap_err().len(), 4);
}

#[test]
fn without_bands_asked_for_all_but_the_mask_are_taken() {
    let disk = Disk::new();
    disk.raster("in/a.tif", &["red", "", "SCL"], &[]).raster("in/b.tif", &["red", "", "SCL"], &[]);
    let found = disk.find(&["in"], &Asked { mask_band: Some("SCL"), ..Asked::default() }).unwrap();
    assert_eq!(found.band_names, ["red", "2"]);
    assert_eq!(
        disk.scenes(&found)[1],
        scene("in/b.tif", &[("in/b.tif", 1), ("in/b.tif", 2), ("in/b.tif", 3)])
    );
    let all = disk.find(&["in/a.tif"], &Asked::default()).unwrap();
    assert_eq!((all.band_names.len(), &all.reflectance), (3, &vec![true, true, false]));
}

#[test]
fn a_stem_stands_for_all_bands_of_its_file_and_a_number_for_one() {
    let disk = Disk::new();
    for folder in ["1", "2"] {
        disk.raster(&format!("in/{folder}/bands.tif"), &["blue", "green", ""], &[]);
        disk.raster(&format!("in/{folder}/clouds.tif"), &[""], &[]);
    }
    let bands = names(&["bands:2", "bands", "clouds"]);
    let found =
        disk.find(&["in"], &Asked { bands: &bands, mask_band: Some("clouds"), ..Asked::default() }).unwrap();
    assert_eq!(found.band_names, ["bands:2", "blue", "green", "bands:3", "clouds"]);
    let expected: Vec<_> =
        [("bands", 2), ("bands", 1), ("bands", 2), ("bands", 3), ("clouds", 1), ("clouds", 1)]
            .map(|(stem, band)| (format!("in/2/{stem}.tif"), band))
            .into();
    assert_eq!(disk.scenes(&found)[1], ("in/2".to_owned(), expected));
    let numbers = names(&["3", "1"]);
    let found = disk.find(&["in/1/bands.tif"], &Asked { bands: &numbers, ..Asked::default() }).unwrap();
    assert_eq!(found.band_names, ["3", "blue"]);
    let beyond = names(&["bands:4"]);
    let problems = disk.find(&["in/1"], &Asked { bands: &beyond, ..Asked::default() }).unwrap_err();
    assert_eq!(problems[0].message, "has no band bands:4");
}

#[test]
fn scenes_whose_files_have_other_numbers_of_bands_do_not_go_together() {
    let disk = Disk::new();
    disk.raster("in/1/bands.tif", &["", ""], &[]).raster("in/2/bands.tif", &[""], &[]);
    let bands = names(&["bands"]);
    let problems = disk.find(&["in"], &Asked { bands: &bands, ..Asked::default() }).unwrap_err();
    assert_eq!(disk.inside(&problems[0].source), "in/2");
    assert!(problems[0].message.starts_with("has 1 bands of bands, but "), "{problems:?}");
}

#[test]
fn missing_bands_are_told_all_at_once_by_scene() {
    let disk = Disk::new();
    disk.file("in/1/x_B02.jp2", "")
        .file("in/1/x_B03.jp2", "")
        .file("in/2/x_B02.jp2", "")
        .file("in/2/x_B08.jp2", "");
    let bands = names(&["B02", "B03", "B04"]);
    let problems =
        disk.find(&["in"], &Asked { bands: &bands, mask_band: Some("SCL"), ..Asked::default() }).unwrap_err();
    let told: Vec<_> =
        problems.iter().map(|p| (disk.inside(&p.source), &*p.message, p.hint.as_deref())).collect();
    let expected = [
        ("in/1".to_owned(), "has no band B04, SCL", Some("it has x_B02, x_B03")),
        ("in/2".to_owned(), "has no band B03, B04, SCL", Some("it has x_B02, x_B08")),
    ];
    assert_eq!(told, expected);
}

#[test]
fn several_acquisitions_in_one_folder_need_a_pattern() {
    let disk = Disk::new();
    for date in ["20240602", "20240605"] {
        for band in ["B02", "B04"] {
            disk.raster(&format!("in/T30UVB_{date}_{band}.tif"), &[""], &[]);
        }
    }
    let bands = names(&["B04", "B02"]);
    let asked = Asked { bands: &bands, ..Asked::default() };
    let problems = disk.find(&["in"], &asked).unwrap_err();
    assert!(problems[0].message.contains("several dates, 2024-06-02 to 2024-06-05"), "{problems:?}");
    assert!(problems[0].hint.as_ref().unwrap().contains("--scene-pattern"));
    let pattern = Some(r"(?<date>\d{8})_(?<band>B\d\d)\.tif$");
    let found = disk.find(&["in"], &Asked { pattern, order: Order::DateDescending, ..asked }).unwrap();
    let expected =
        scene("2024-06-05", &[("in/T30UVB_20240605_B04.tif", 1), ("in/T30UVB_20240605_B02.tif", 1)]);
    assert_eq!(disk.scenes(&found)[0], expected);
    assert_eq!(found.scenes[1].date, day(6, 2));
}

#[test]
fn single_files_with_descriptions_are_the_bands_of_one_scene() {
    let disk = Disk::new();
    disk.raster("in/first.tif", &["red"], &[]).raster("in/second.tif", &["nir"], &[]);
    let bands = names(&["nir", "RED"]);
    let found = disk.find(&["in"], &Asked { bands: &bands, ..Asked::default() }).unwrap();
    assert_eq!(disk.scenes(&found), [scene("in", &[("in/second.tif", 1), ("in/first.tif", 1)])]);
}

#[test]
fn single_files_of_one_band_are_scenes_when_a_number_is_asked_for() {
    let disk = Disk::new();
    disk.raster("in/1985.tif", &[""], &[]).raster("in/1990.tif", &[""], &[]);
    let bands = names(&["1"]);
    let found = disk.find(&["in"], &Asked { bands: &bands, ..Asked::default() }).unwrap();
    assert_eq!(
        disk.scenes(&found),
        [scene("in/1985.tif", &[("in/1985.tif", 1)]), scene("in/1990.tif", &[("in/1990.tif", 1)])]
    );
    assert_eq!(found.scenes[0].date, Date::from_ymd_opt(1985, 1, 1));
}

#[test]
fn documents_beside_the_only_file_of_a_folder_are_about_it() {
    let disk = Disk::new();
    let document = "<p><PROCESSING_BASELINE>05.10</PROCESSING_BASELINE>\
        <Cloud_Coverage_Assessment>12.5</Cloud_Coverage_Assessment>\
        <BOA_ADD_OFFSET band_id=\"3\">-1000</BOA_ADD_OFFSET></p>";
    for (folder, files) in [("lone", &["bands"][..]), ("several", &["one", "two"])] {
        disk.file(&format!("{folder}/MTD_MSIL2A.xml"), document);
        for file in files {
            disk.raster(&format!("{folder}/{file}.tif"), &["B04", "B08"], &[]);
        }
    }
    let bands = names(&["B04"]);
    let of = |input| disk.find(&[input], &Asked { bands: &bands, ..Asked::default() }).unwrap().scenes;
    let told = |scene: &Scene| (scene.cloud, scene.baseline, scene.offset);
    assert_eq!(of("lone").iter().map(told).collect::<Vec<_>>(), [(Some(12.5), Some((5, 10)), Some(-1000.0))]);
    assert_eq!(of("lone/bands.tif"), of("lone"));
    assert_eq!(of("several").iter().map(told).collect::<Vec<_>>(), [(None, None, None); 2]);
}

#[test]
fn what_is_named_twice_is_told_only_where_it_counts_twice() {
    let disk = Disk::new();
    for (name, band) in [("in/1/B04.tif", ""), ("several/a.tif", "B04"), ("several/b.tif", "B08")] {
        disk.raster(name, &[band], &[]);
    }
    let bands = names(&["B04"]);
    let of = |inputs: &[&str], bands: &[String]| {
        let found = disk.find(inputs, &Asked { bands, ..Asked::default() }).unwrap();
        (found.scenes.len(), found.notices.len())
    };
    assert_eq!(of(&["in/1/B04.tif", "in/1"], &bands), (1, 0));
    assert_eq!(of(&["several/a.tif", "several"], &names(&["1"])), (3, 1));
    let item = r#"{"id": "a", "assets": {"B04": {"href": "1/B04.tif"}}}"#;
    disk.file("in/items.json", &format!(r#"{{"type": "FeatureCollection", "features": [{item}, {item}]}}"#));
    let document = disk.path("in/items.json");
    let asked = Asked { bands: &bands, stac: document.to_str(), ..Asked::default() };
    let found = find(&[], &asked, io::empty()).unwrap();
    assert_eq!((found.scenes.len(), found.notices), (2, vec!["a is named 2 times; each counts".to_owned()]));
}
