//! Builds small GeoTIFFs whose every property is chosen by the test.

use std::ffi::CString;
use std::path::Path;
use std::ptr::null_mut;

use gdal_sys as c;

/// Red, green, blue, opacity.
pub type Color = (i16, i16, i16, i16);

type Pixels = Box<dyn Fn(usize, usize, usize) -> i128>;
type Fractions = Box<dyn Fn(usize, usize, usize) -> f64>;
type Validity = Box<dyn Fn(usize, usize) -> bool>;

enum Values {
    /// Written through 64-bit whole numbers, so that Int64 and UInt64 stay exact.
    Whole(Pixels),
    Fraction(Fractions),
}

enum Mask {
    None,
    Internal(Validity),
    External(Validity),
}

/// A GeoTIFF to be written: one Byte band in EPSG:4326, north-up with pixels of 1°, all zero, unless told otherwise.
pub struct Source {
    size: (usize, usize),
    geotransform: [f64; 6],
    crs: Option<String>,
    pixel_type: String,
    bands: usize,
    values: Values,
    nodata: Option<f64>,
    whole_nodata: Option<i128>,
    mask: Mask,
    interpretations: Vec<String>,
    palette: Vec<Color>,
    scale: Option<(f64, f64)>,
    unit: Option<String>,
    descriptions: Vec<String>,
    categories: Vec<String>,
    metadata: Vec<(String, String)>,
    options: Vec<String>,
}

impl Source {
    /// A source of that many columns and rows.
    pub fn new(width: usize, height: usize) -> Source {
        Source {
            size: (width, height),
            geotransform: [0.0, 1.0, 0.0, 0.0, 0.0, -1.0],
            crs: Some("EPSG:4326".into()),
            pixel_type: "Byte".into(),
            bands: 1,
            values: Values::Whole(Box::new(|_, _, _| 0)),
            nodata: None,
            whole_nodata: None,
            mask: Mask::None,
            interpretations: Vec::new(),
            palette: Vec::new(),
            scale: None,
            unit: None,
            descriptions: Vec::new(),
            categories: Vec::new(),
            metadata: Vec::new(),
            options: Vec::new(),
        }
    }

    /// The upper-left corner.
    pub fn at(mut self, x: f64, y: f64) -> Source {
        self.geotransform[0] = x;
        self.geotransform[3] = y;
        self
    }

    /// Square pixels of this side, north-up.
    pub fn pixel(mut self, side: f64) -> Source {
        self.geotransform[1] = side;
        self.geotransform[5] = -side;
        self
    }

    pub fn geotransform(mut self, geotransform: [f64; 6]) -> Source {
        self.geotransform = geotransform;
        self
    }

    /// Anything GDAL takes as a CRS: EPSG:n, WKT, PROJ.
    pub fn crs(mut self, crs: &str) -> Source {
        self.crs = Some(crs.into());
        self
    }

    pub fn no_crs(mut self) -> Source {
        self.crs = None;
        self
    }

    /// The type of the pixels, as GDAL calls it.
    pub fn of(mut self, pixel_type: &str) -> Source {
        self.pixel_type = pixel_type.into();
        self
    }

    pub fn bands(mut self, bands: usize) -> Source {
        self.bands = bands;
        self
    }

    /// Whole pixel values by band (from 1), column and row.
    pub fn pixels(mut self, value: impl Fn(usize, usize, usize) -> i128 + 'static) -> Source {
        self.values = Values::Whole(Box::new(value));
        self
    }

    /// Pixel values with fractions, by band (from 1), column and row.
    pub fn fractions(mut self, value: impl Fn(usize, usize, usize) -> f64 + 'static) -> Source {
        self.values = Values::Fraction(Box::new(value));
        self
    }

    /// The same value everywhere.
    pub fn value(self, value: i128) -> Source {
        self.pixels(move |_, _, _| value)
    }

    /// The pixels of one row after another, in every band.
    pub fn rows(self, rows: &[&[i128]]) -> Source {
        let rows: Vec<Vec<i128>> = rows.iter().map(|row| row.to_vec()).collect();
        self.pixels(move |_, x, y| rows[y][x])
    }

    pub fn nodata(mut self, nodata: f64) -> Source {
        self.nodata = Some(nodata);
        self
    }

    /// A nodata value of 64-bit whole pixels, exact.
    pub fn whole_nodata(mut self, nodata: i128) -> Source {
        self.whole_nodata = Some(nodata);
        self
    }

    pub fn internal_mask(mut self, valid: impl Fn(usize, usize) -> bool + 'static) -> Source {
        self.mask = Mask::Internal(Box::new(valid));
        self
    }

    /// A mask in a .msk file beside the raster.
    pub fn external_mask(mut self, valid: impl Fn(usize, usize) -> bool + 'static) -> Source {
        self.mask = Mask::External(Box::new(valid));
        self
    }

    /// What each band shows, as GDAL names it ("Red", "Alpha", …).
    pub fn shows(mut self, interpretations: &[&str]) -> Source {
        self.interpretations = owned(interpretations);
        self
    }

    pub fn palette(mut self, colors: &[Color]) -> Source {
        self.palette = colors.to_vec();
        self
    }

    pub fn scale(mut self, scale: f64, offset: f64) -> Source {
        self.scale = Some((scale, offset));
        self
    }

    pub fn unit(mut self, unit: &str) -> Source {
        self.unit = Some(unit.into());
        self
    }

    pub fn described(mut self, descriptions: &[&str]) -> Source {
        self.descriptions = owned(descriptions);
        self
    }

    pub fn categories(mut self, categories: &[&str]) -> Source {
        self.categories = owned(categories);
        self
    }

    pub fn metadata(mut self, key: &str, value: &str) -> Source {
        self.metadata.push((key.into(), value.into()));
        self
    }

    /// Creation options of GDAL's GTiff driver, `KEY=VALUE` separated by spaces.
    pub fn options(mut self, options: &str) -> Source {
        self.options.extend(options.split_whitespace().map(str::to_owned));
        self
    }

    /// Writes the GeoTIFF.
    pub fn write(&self, path: impl AsRef<Path>) {
        let path = path.as_ref();
        // Registering is not safe in two threads at once; counting registers once, whoever asks first.
        gdal::DriverManager::count();
        let options: Vec<CString> = self.options.iter().map(|option| text(option)).collect();
        let mut option_pointers: Vec<_> = options.iter().map(|option| option.as_ptr().cast_mut()).collect();
        option_pointers.push(null_mut());
        let internal = if matches!(self.mask, Mask::External(_)) { "NO" } else { "YES" };
        // SAFETY: every handle is checked before it is used and closed once; every text and list outlives its call.
        unsafe {
            c::CPLSetThreadLocalConfigOption(c"GDAL_TIFF_INTERNAL_MASK".as_ptr(), text(internal).as_ptr());
            let driver = c::GDALGetDriverByName(c"GTiff".as_ptr());
            let pixel_type = c::GDALGetDataTypeByName(text(&self.pixel_type).as_ptr());
            assert!(pixel_type != 0, "GDAL knows no type {}", self.pixel_type);
            let dataset = c::GDALCreate(
                driver,
                text(path.to_str().unwrap()).as_ptr(),
                self.size.0 as i32,
                self.size.1 as i32,
                self.bands as i32,
                pixel_type,
                option_pointers.as_mut_ptr(),
            );
            assert!(!dataset.is_null(), "{} could not be made", path.display());
            self.georeference(dataset);
            for band in 1..=self.bands {
                self.write_tags(c::GDALGetRasterBand(dataset, band as i32), band - 1);
            }
            for band in 1..=self.bands {
                self.write_pixels(c::GDALGetRasterBand(dataset, band as i32), band);
            }
            if let Mask::Internal(valid) | Mask::External(valid) = &self.mask {
                let per_dataset = 2;
                assert_eq!(c::GDALCreateDatasetMaskBand(dataset, per_dataset), 0);
                let band = c::GDALGetMaskBand(c::GDALGetRasterBand(dataset, 1));
                self.transfer(band, &self.each(|x, y| if valid(x, y) { 255_i64 } else { 0 }), "Int64");
            }
            c::GDALClose(dataset);
        }
    }

    /// # Safety
    /// `dataset` must be open for writing.
    unsafe fn georeference(&self, dataset: c::GDALDatasetH) {
        let mut geotransform = self.geotransform;
        // SAFETY: the dataset is open, the texts outlive the calls.
        unsafe {
            assert_eq!(c::GDALSetGeoTransform(dataset, geotransform.as_mut_ptr()), 0);
            if let Some(crs) = &self.crs {
                let wkt = gdal::spatial_ref::SpatialRef::from_definition(crs).unwrap().to_wkt().unwrap();
                assert_eq!(c::GDALSetProjection(dataset, text(&wkt).as_ptr()), 0);
            }
            for (key, value) in &self.metadata {
                let domain = c"".as_ptr();
                c::GDALSetMetadataItem(dataset, text(key).as_ptr(), text(value).as_ptr(), domain);
            }
        }
    }

    /// # Safety
    /// `band` must belong to a dataset open for writing.
    unsafe fn write_tags(&self, band: c::GDALRasterBandH, index: usize) {
        // SAFETY: the band is open, the texts and lists outlive the calls, GDAL copies what it is given.
        unsafe {
            if let Some(name) = self.interpretations.get(index) {
                let shown = c::GDALGetColorInterpretationByName(text(name).as_ptr());
                c::GDALSetRasterColorInterpretation(band, shown);
            }
            if !self.palette.is_empty() {
                let table = c::GDALCreateColorTable(c::GDALPaletteInterp::GPI_RGB);
                for (value, &(c1, c2, c3, c4)) in self.palette.iter().enumerate() {
                    c::GDALSetColorEntry(table, value as i32, &c::GDALColorEntry { c1, c2, c3, c4 });
                }
                assert_eq!(c::GDALSetRasterColorTable(band, table), 0);
                c::GDALDestroyColorTable(table);
            }
            if let Some(nodata) = self.nodata {
                assert_eq!(c::GDALSetRasterNoDataValue(band, nodata), 0);
            }
            match self.whole_nodata {
                Some(nodata) if self.pixel_type == "UInt64" => {
                    assert_eq!(c::GDALSetRasterNoDataValueAsUInt64(band, nodata as u64), 0);
                }
                Some(nodata) => assert_eq!(c::GDALSetRasterNoDataValueAsInt64(band, nodata as i64), 0),
                None => {}
            }
            if let Some((scale, offset)) = self.scale {
                c::GDALSetRasterScale(band, scale);
                c::GDALSetRasterOffset(band, offset);
            }
            if let Some(unit) = &self.unit {
                c::GDALSetRasterUnitType(band, text(unit).as_ptr());
            }
            if let Some(description) = self.descriptions.get(index) {
                c::GDALSetDescription(band, text(description).as_ptr());
            }
            if !self.categories.is_empty() {
                let names: Vec<CString> = self.categories.iter().map(|name| text(name)).collect();
                let mut list: Vec<_> = names.iter().map(|name| name.as_ptr().cast_mut()).collect();
                list.push(null_mut());
                c::GDALSetRasterCategoryNames(band, list.as_mut_ptr());
            }
        }
    }

    /// # Safety
    /// `band` must belong to a dataset open for writing.
    unsafe fn write_pixels(&self, handle: c::GDALRasterBandH, band: usize) {
        // SAFETY: the band is open and each buffer holds one value a pixel.
        unsafe {
            match &self.values {
                Values::Fraction(value) => {
                    self.transfer(handle, &self.each(|x, y| value(band, x, y)), "Float64")
                }
                Values::Whole(value) if self.pixel_type == "UInt64" => {
                    self.transfer(handle, &self.each(|x, y| value(band, x, y) as u64), "UInt64")
                }
                Values::Whole(value) => {
                    self.transfer(handle, &self.each(|x, y| value(band, x, y) as i64), "Int64")
                }
            }
        }
    }

    fn each<T>(&self, value: impl Fn(usize, usize) -> T) -> Vec<T> {
        let (width, height) = self.size;
        (0..width * height).map(|index| value(index % width, index / width)).collect()
    }

    /// # Safety
    /// `band` must be open for writing and `pixels` of the type that `pixel_type` names.
    unsafe fn transfer<T>(&self, band: c::GDALRasterBandH, pixels: &[T], pixel_type: &str) {
        let (width, height) = (self.size.0 as i32, self.size.1 as i32);
        // SAFETY: the buffer holds width × height values; GDAL only reads it.
        let done = unsafe {
            let pixel_type = c::GDALGetDataTypeByName(text(pixel_type).as_ptr());
            let memory = pixels.as_ptr().cast_mut().cast();
            let write = c::GDALRWFlag::GF_Write;
            c::GDALRasterIO(band, write, 0, 0, width, height, memory, width, height, pixel_type, 0, 0)
        };
        assert_eq!(done, 0, "pixels could not be written");
    }
}

/// The names of every real pixel type of the linked GDAL.
pub fn pixel_types() -> Vec<&'static str> {
    let names =
        ["Byte", "Int8", "UInt16", "Int16", "UInt32", "Int32", "UInt64", "Int64", "Float32", "Float64"];
    // SAFETY: the call only compares a text that outlives it with the names it knows.
    let known = |name: &&str| unsafe { c::GDALGetDataTypeByName(text(name).as_ptr()) != 0 };
    names.into_iter().filter(known).collect()
}

/// The least and the largest value of a pixel type that a test uses: for floats what stays exact in 24 bits, and for
/// 64-bit types what stays exact with a half added, since GDAL 3.6 passes those through Float32, rounded, where a
/// source has nodata.
pub fn value_range(pixel_type: &str) -> (i128, i128) {
    match pixel_type {
        "Byte" => (0, 255),
        "Int8" => (-128, 127),
        "UInt16" => (0, 65535),
        "Int16" => (-32768, 32767),
        "UInt32" => (0, u32::MAX.into()),
        "Int32" => (i32::MIN.into(), i32::MAX.into()),
        "UInt64" => (0, 1 << 22),
        "Int64" => (-(1 << 22), 1 << 22),
        _ => (-(1 << 24), 1 << 24),
    }
}

/// A number that looks random and is the same on every run.
pub fn random(seed: u64, band: usize, x: usize, y: usize) -> u64 {
    let mut state = seed ^ ((band as u64) << 56) ^ ((x as u64) << 28) ^ y as u64;
    // The finalizer of splitmix64 (Steele, Lea, Flood 2014), twice: neighbours differ in every bit.
    for _ in 0..2 {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 31;
    }
    state
}

/// A value of the type's range that looks random, one in five the type's least value.
pub fn pixel_value(pixel_type: &str, seed: u64, band: usize, x: usize, y: usize) -> i128 {
    let (least, largest) = value_range(pixel_type);
    let number = random(seed, band, x, y);
    if number.is_multiple_of(5) { least } else { least + i128::from(number) % (largest - least + 1) }
}

/// The nodata value of generated pixels, the least of their range, and whether it must be set as a 64-bit number.
pub fn pixel_type_nodata(pixel_type: &str) -> (i128, bool) {
    (value_range(pixel_type).0, pixel_type.ends_with("Int64"))
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn text(value: &str) -> CString {
    CString::new(value).unwrap()
}
