//! What is known of an input from another one is what GDAL says of it, and where it may not be, GDAL is asked.

use std::process::Command;

use super::*;
use crate::source::{Trust, inspect};

/// A folder with inputs that GDAL's own tools made.
struct Inputs(tempfile::TempDir);

impl Inputs {
    fn new() -> Inputs {
        Inputs(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let output = Command::new(words[0]).args(&words[1..]).current_dir(self.0.path()).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// A raster of that many columns and rows and that corner, made with more `options` than the usual ones.
    fn make(&self, name: &str, (columns, rows): (usize, usize), (x, y): (f64, f64), options: &str) {
        let bounds = format!("-a_ullr {x} {y} {} {}", x + 10.0 * columns as f64, y - 10.0 * rows as f64);
        // Newer releases refuse an argument that is given twice.
        let usual = ["-bands 2", "-ot UInt16", "-a_srs EPSG:32631", &bounds];
        let given = |argument: &str| options.contains(argument.split(' ').next().unwrap_or_default());
        let usual = usual.into_iter().filter(|argument| !given(argument)).collect::<Vec<_>>().join(" ");
        // GDAL takes the first of two creation options of one name.
        let compression = if options.contains("COMPRESS") { "" } else { "-co COMPRESS=LZW" };
        self.run(&format!(
            "gdal_create -q -of GTiff -outsize {columns} {rows} -burn 7 -burn 9 {usual} {compression} {options} {name}"
        ));
    }

    /// The usual raster: what the others are compared with. Made last, because folders are listed with the first model.
    fn make_model(&self, options: &str) -> Model {
        self.make("model.tif", (40, 30), (500_000.0, 5_000_000.0), options);
        Model::of(self.inspect("model.tif"))
    }

    fn inspect(&self, name: &str) -> Source {
        inspect(&self.path(name), None, None, Trust::default()).unwrap().0
    }

    /// What is known without GDAL is what GDAL says.
    #[track_caller]
    fn assert_described(&self, model: &Model, name: &str) {
        let described = model.describe(&self.path(name)).expect("the input says what the model says");
        assert_eq!(format!("{described:?}"), format!("{:?}", self.inspect(name)));
    }

    /// GDAL is asked, and what it says is what comes of it.
    #[track_caller]
    fn assert_left_to_gdal(&self, model: &Model, name: &str, what: &str) {
        assert!(model.describe(&self.path(name)).is_none(), "{what}");
        if let Ok((found, _)) = inspect(&self.path(name), None, Some(model), Trust::default()) {
            let own = self.inspect(name);
            assert_eq!(format!("{:?}", found.direct), format!("{:?}", own.direct), "{what}");
            assert_eq!((found.geotransform, found.wkt), (own.geotransform, own.wkt), "{what}");
        }
    }
}

#[test]
fn alike_inputs_are_described_as_gdal_describes_them() {
    let layouts = [
        "",
        "-a_nodata 3",
        "-co TILED=YES -co BLOCKXSIZE=16 -co BLOCKYSIZE=32",
        "-co INTERLEAVE=BAND -co BIGTIFF=YES",
        "-co ENDIANNESS=BIG",
        "-mo KEY=value -mo AREA_OR_POINT=Point",
        "-co ALPHA=YES",
        "-co SPARSE_OK=TRUE",
    ];
    for layout in layouts {
        let inputs = Inputs::new();
        inputs.make("other.tif", (40, 30), (500_400.0, 4_999_700.0), layout);
        inputs.make("uneven.tif", (40, 30), (0.1 + 0.2, 1.0 / 3.0), layout);
        let model = inputs.make_model(layout);
        inputs.assert_described(&model, "other.tif");
        inputs.assert_described(&model, "uneven.tif");
    }
    let inputs = Inputs::new();
    inputs.make("larger.tif", (700, 300), (400_000.0, 5_000_000.0), "-co TILED=YES");
    let model = inputs.make_model("-co TILED=YES");
    inputs.assert_described(&model, "larger.tif");
}

/// The tiepoint of `name` moved to another pixel: the same place in other words.
fn move_tiepoint(inputs: &Inputs, name: &str) {
    let mut bytes = std::fs::read(inputs.path(name)).unwrap();
    let words = |values: [f64; 6]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let before = words([0.0, 0.0, 0.0, 500_400.0, 4_999_700.0, 0.0]);
    let place = bytes.windows(48).position(|part| part == before).expect("there is a tiepoint");
    bytes[place..place + 48].copy_from_slice(&words([3.0, 2.0, 0.0, 500_430.0, 4_999_680.0, 0.0]));
    std::fs::write(inputs.path(name), bytes).unwrap();
}

#[test]
fn a_tiepoint_may_belong_to_any_pixel() {
    for point in ["", "-mo AREA_OR_POINT=Point"] {
        let inputs = Inputs::new();
        inputs.make("moved.tif", (40, 30), (500_400.0, 4_999_700.0), "");
        if point.is_empty() {
            move_tiepoint(&inputs, "moved.tif");
        }
        let model = inputs.make_model(point);
        if point.is_empty() {
            inputs.assert_described(&model, "moved.tif");
            let moved = inputs.inspect("moved.tif").geotransform.0;
            assert_eq!((moved[0], moved[3]), (500_400.0, 4_999_700.0));
        } else {
            inputs.assert_left_to_gdal(
                &model,
                "moved.tif",
                "a pixel that is an area beside one that is a point",
            );
        }
    }
}

#[test]
fn whatever_differs_is_left_to_gdal() {
    let inputs = Inputs::new();
    let corner = (500_400.0, 4_999_700.0);
    let differing = [
        "",
        "-a_nodata 4",
        "-a_nodata 3 -mo KEY=value",
        "-a_nodata 3 -mo AREA_OR_POINT=Point",
        "-a_nodata 3 -a_srs EPSG:32632",
        "-a_nodata 3 -a_ullr 500400 4999700 501200 4999100",
        "-a_nodata 3 -co COMPRESS=DEFLATE",
        "-a_nodata 3 -co PREDICTOR=2",
        "-a_nodata 3 -co INTERLEAVE=BAND",
        "-a_nodata 3 -co TILED=YES",
        "-a_nodata 3 -co BIGTIFF=YES",
        "-a_nodata 3 -co ENDIANNESS=BIG",
        "-a_nodata 3 -ot Int16",
        "-a_nodata 3 -bands 3",
        "-a_nodata 3 -co ALPHA=YES",
        "-a_nodata 3 -co NBITS=12",
    ];
    for (number, options) in differing.iter().enumerate() {
        inputs.make(&format!("{number}.tif"), (40, 30), corner, options);
    }
    inputs.make("alike.tif", (40, 30), corner, "-a_nodata 3");
    let model = inputs.make_model("-a_nodata 3");
    inputs.assert_described(&model, "alike.tif");
    for (number, options) in differing.iter().enumerate() {
        let name = format!("{number}.tif");
        inputs.assert_left_to_gdal(&model, &name, options);
    }
}

#[test]
fn files_beside_and_images_inside_are_gdals_to_read() {
    let inputs = Inputs::new();
    inputs.make_model("");
    let world = "10\n0\n0\n-10\n600005\n4999995\n";
    for beside in ["x.tfw", "x.tif.aux.xml", "x.aux.xml", "x.tif.ovr", "x.tif.msk", "x.wld", "x.TAB"] {
        let inputs = Inputs::new();
        inputs.make("x.tif", (40, 30), (500_400.0, 4_999_700.0), "");
        std::fs::write(inputs.path(beside), if beside.ends_with("xml") { "<PAMDataset/>" } else { world })
            .unwrap();
        // A folder is listed once for a model, as its inputs stand when the job begins.
        let model = inputs.make_model("");
        inputs.assert_left_to_gdal(&model, "x.tif", beside);
        assert!(Model::of(inputs.inspect("x.tif")).says.is_none(), "{beside}");
    }
    inputs.make("overviews.tif", (40, 30), (500_400.0, 4_999_700.0), "");
    inputs.run("gdaladdo -q overviews.tif 2");
    inputs.run("gdal_translate -q --config GDAL_TIFF_INTERNAL_MASK YES -mask 1 model.tif masked.tif -co COMPRESS=LZW");
    let model = Model::of(inputs.inspect("model.tif"));
    for name in ["overviews.tif", "masked.tif"] {
        inputs.assert_left_to_gdal(&model, name, name);
    }
    let masked = Model::of(inputs.inspect("masked.tif"));
    assert!(masked.describe(&inputs.path("model.tif")).is_none());
    let whole = std::fs::read(inputs.path("model.tif")).unwrap();
    for length in [0, 7, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(inputs.path("short.tif"), &whole[..length]).unwrap();
        let model = Model::of(inputs.inspect("model.tif"));
        assert!(model.describe(&inputs.path("short.tif")).is_none(), "{length} bytes");
    }
}

#[test]
fn fields_that_share_their_bytes_are_bounded_together() {
    let mut file = vec![0; 8];
    file[..4].copy_from_slice(b"II*\0");
    file[4..].copy_from_slice(&8_u32.to_le_bytes());
    file.extend(60_000_u16.to_le_bytes());
    for number in 0..60_000_u16 {
        file.extend(number.to_le_bytes());
        file.extend(1_u16.to_le_bytes());
        file.extend(700_000_u32.to_le_bytes());
        file.extend(8_u32.to_le_bytes());
    }
    file.extend([0; 4]);
    let error = container::tags_of_only_directory(&file[..], &[]).unwrap_err();
    assert!(error.to_string().contains("claims 700000 bytes"), "{error}");
}
