//! The empty file: every tag written by GDAL, no block yet, and the places where blocks will be entered.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use gdal::raster::{ColorEntry, ColorTable, PaletteInterpretation, RasterBand};
use gdal::{Dataset, Metadata};

use super::{BlockId, Interleave, OutputBand, OutputSpec, Plane, new_dataset};
use crate::codec::Compression;
use crate::container::{self, ByteOrder, Directory, ReadAt};
use crate::geometry::Size;
use crate::pixels::{Number, PixelType};
use crate::source::FileReader;
use crate::source::trap;

/// An empty GeoTIFF that waits for its blocks.
#[derive(Debug, Clone)]
pub struct Container {
    /// The file.
    pub path: PathBuf,
    /// The side file `<path>.aux.xml`, when GDAL needed one (names of categories).
    pub side_file: Option<PathBuf>,
    /// Bytes of the empty file; blocks start here.
    pub header_bytes: u64,
    /// The image.
    pub image: Directory,
    /// Its mask: 1 bit a pixel, blocks of the same side, compressed as its own tags say (GDAL takes DEFLATE).
    pub mask: Option<Directory>,
    /// Its overviews, the largest first.
    pub overviews: Vec<Overview>,
    /// Whether it is a cloud optimized GeoTIFF.
    pub cloud_optimized: bool,
    /// What GDAL warned of.
    pub warnings: Vec<String>,
}

/// A smaller copy of the image.
#[derive(Debug, Clone)]
pub struct Overview {
    /// The image.
    pub image: Directory,
    /// Its mask.
    pub mask: Option<Directory>,
}

impl Container {
    /// The directory that a block belongs to, when the file has it.
    pub fn directory(&self, id: BlockId) -> Option<&Directory> {
        let (image, mask) = match usize::from(id.level).checked_sub(1) {
            None => (&self.image, self.mask.as_ref()),
            Some(index) => {
                self.overviews.get(index).map(|overview| (&overview.image, overview.mask.as_ref()))?
            }
        };
        match id.plane {
            Plane::Image => Some(image),
            Plane::Mask => mask,
        }
    }
}

/// Makes the empty file at `path`, replacing what is there, and reads it back.
///
/// Closing it writes no block, neither of the image nor of the mask; that is checked.
///
/// # Errors
/// When GDAL refuses anything, or made another file than was asked for.
pub fn create_header(path: &Path, spec: &OutputSpec) -> Result<Container> {
    let what = format!("cannot make {}", path.display());
    ensure!(!spec.bands.is_empty(), "{what}: it has no bands");
    let sixteens = spec.block > 0 && spec.block.is_multiple_of(16);
    ensure!(
        sixteens,
        "{what}: the block side, {}, is no multiple of 16, as TIFF's tiles must be",
        spec.block
    );
    let options = spec
        .creation_options()
        .map_err(|name| anyhow!("{what}: the creation option {name} is decided by other settings"))?;
    let ((), warnings) = trap::checked_with_warnings(&what, || {
        let mut dataset =
            new_dataset::create(path, spec.grid.size, spec.bands.len(), spec.pixel_type, &options)?;
        describe(&mut dataset, spec)?;
        dataset.close().context("closing the empty file")
    })?;
    if spec.cloud_optimized || !spec.overviews.is_empty() {
        lay_out(path, spec).with_context(|| format!("{what}: lay out its directories"))?;
    }
    read_back(path, spec, warnings).with_context(|| format!("{what}: GDAL made another file than asked for"))
}

/// Says everything about the file that is no pixel.
fn describe(dataset: &mut Dataset, spec: &OutputSpec) -> Result<()> {
    for (name, value) in &spec.metadata {
        dataset.set_metadata_item(name, value, "").with_context(|| format!("metadata {name}"))?;
    }
    dataset.set_geo_transform(&spec.grid.geotransform().0).context("the geotransform")?;
    if let Some(wkt) = &spec.wkt {
        dataset.set_projection(wkt).context("the CRS")?;
        ensure!(!dataset.projection().is_empty(), "the CRS is not understood: {wkt}");
    }
    for (index, about) in spec.bands.iter().enumerate() {
        let mut band = dataset.rasterband(index + 1)?;
        describe_band(&mut band, about).with_context(|| format!("band {}", index + 1))?;
    }
    if let Some(nodata) = spec.nodata {
        // TIFF has one nodata value for all bands.
        set_nodata(&mut dataset.rasterband(1)?, spec.pixel_type, nodata)
            .with_context(|| format!("nodata {nodata}"))?;
    }
    if spec.mask {
        const INSIDE: &str = "GDAL_TIFF_INTERNAL_MASK";
        gdal::config::set_thread_local_config_option(INSIDE, "YES")?;
        let made = dataset.rasterband(1)?.create_mask_band(true).context("the mask");
        gdal::config::clear_thread_local_config_option(INSIDE)?;
        made?;
    }
    Ok(())
}

fn describe_band(band: &mut RasterBand<'_>, about: &OutputBand) -> Result<()> {
    if let Some(palette) = &about.palette {
        band.set_color_table(&color_table(palette)?);
    } else if !about.color_interpretation.is_empty() {
        new_dataset::set_color_interpretation(band, &about.color_interpretation)
            .context("the colour interpretation")?;
    }
    if !about.description.is_empty() {
        band.set_description(&about.description).context("the description")?;
    }
    if !about.unit.is_empty() {
        new_dataset::set_unit(band, &about.unit).context("the unit")?;
    }
    if let Some(scale) = about.scale {
        band.set_scale(scale).context("the scale")?;
    }
    if let Some(offset) = about.offset {
        band.set_offset(offset).context("the offset")?;
    }
    if !about.categories.is_empty() {
        new_dataset::set_categories(band, &about.categories).context("the names of categories")?;
    }
    for (name, value) in &about.metadata {
        band.set_metadata_item(name, value, "").with_context(|| format!("metadata {name}"))?;
    }
    Ok(())
}

fn color_table(palette: &[[i16; 4]]) -> Result<ColorTable<'static>> {
    let mut table = ColorTable::new(PaletteInterpretation::Rgba);
    for (index, &[red, green, blue, alpha]) in palette.iter().enumerate() {
        let index = u16::try_from(index).context("a palette of more than 65536 colours")?;
        table.set_color_entry(index, &ColorEntry::rgba(red, green, blue, alpha));
    }
    Ok(table)
}

/// 64-bit whole numbers have setters of their own, so that none passes through floating point.
fn set_nodata(band: &mut RasterBand<'_>, pixel_type: PixelType, nodata: Number) -> Result<()> {
    let fits = || anyhow!("{pixel_type} pixels cannot have the value {nodata}");
    match pixel_type {
        PixelType::UInt64 => band.set_no_data_value_u64(Some(nodata.to_pixel().ok_or_else(fits)?))?,
        PixelType::Int64 => band.set_no_data_value_i64(Some(nodata.to_pixel().ok_or_else(fits)?))?,
        _ if nodata.fits(pixel_type) => band.set_no_data_value(Some(nodata.to_f64()))?,
        _ => return Err(fits()),
    }
    Ok(())
}

/// Replaces GDAL's empty file by one with the same tags, the overviews' directories, and all directories in front.
fn lay_out(path: &Path, spec: &OutputSpec) -> Result<()> {
    let base = container::fields_of_directories(&FileReader::open(path)?)?;
    let mut all = base.clone();
    for &size in &spec.overviews {
        let blocks = size.tiles(Size::square(spec.block)).pixels() as u64;
        for (plane, fields) in base.iter().enumerate() {
            let bands_apart = plane == 0 && spec.interleave == Interleave::Band;
            let planes = if bands_apart { spec.bands.len() as u64 } else { 1 };
            all.push(container::overview_of(fields, size, planes * blocks, spec.big));
        }
    }
    let ghost = match (spec.cloud_optimized, spec.mask) {
        (false, _) => "",
        (true, false) => container::GHOST_OF_COG,
        (true, true) => container::GHOST_OF_MASKED_COG,
    };
    Ok(fs::write(path, container::write_header(&all, spec.big, ghost))?)
}

/// Finds the directories in the new file and compares them with what was asked for.
fn read_back(path: &Path, spec: &OutputSpec, warnings: Vec<String>) -> Result<Container> {
    let file = FileReader::open(path)?;
    let directories = container::directories(&file)?;
    let planes = 1 + usize::from(spec.mask);
    let expected = planes * (1 + spec.overviews.len());
    ensure!(directories.len() == expected, "it does not have {expected} TIFF directories");
    let sizes = std::iter::once(spec.grid.size).chain(spec.overviews.iter().copied());
    let mut levels = Vec::new();
    for (directories, size) in directories.chunks(planes).zip(sizes) {
        let (image, mask) = (directories[0].clone(), directories.get(1).cloned());
        verify_image(&image, spec, size)?;
        verify_empty(&file, &image).context("the image")?;
        if let Some(mask) = &mask {
            ensure!(mask.is_mask() && mask.bits_per_sample == 1, "the second directory is no 1-bit mask");
            ensure!((mask.size, mask.block) == (image.size, image.block), "the mask has other blocks");
            verify_empty(&file, mask).context("the mask")?;
        }
        levels.push(Overview { image, mask });
    }
    let Overview { image, mask } = levels.remove(0);
    let mut side_file = path.as_os_str().to_owned();
    side_file.push(".aux.xml");
    let side_file = Some(PathBuf::from(side_file)).filter(|side| side.exists());
    Ok(Container {
        path: path.to_owned(),
        side_file,
        header_bytes: file.size(),
        image,
        mask,
        overviews: levels,
        cloud_optimized: spec.cloud_optimized,
        warnings,
    })
}

fn verify_image(image: &Directory, spec: &OutputSpec, size: Size) -> Result<()> {
    let compression: &[u16] = match spec.compression {
        Compression::None => &[1],
        Compression::Lzw => &[5],
        Compression::Deflate => &[8, 32946],
        Compression::Zstd => &[50000],
    };
    let format = match (spec.pixel_type.is_float(), spec.pixel_type.is_signed()) {
        (true, _) => 3,
        (false, true) => 2,
        (false, false) => 1,
    };
    let planar = spec.interleave == Interleave::Band && spec.bands.len() > 1;
    let checks = [
        ("byte order", image.byte_order == ByteOrder::Little),
        ("kind of TIFF", image.big == spec.big),
        ("size", image.size == size),
        ("block size", image.tiled && image.block == Size::square(spec.block)),
        ("number of bands", usize::from(image.samples) == spec.bands.len()),
        ("pixel type", usize::from(image.bits_per_sample) == 8 * spec.pixel_type.bytes()),
        ("sample format", image.sample_format == format),
        ("interleave", image.planar == planar || spec.bands.len() == 1),
        ("compression", compression.contains(&image.compression)),
        ("predictor", image.predictor == spec.predictor),
    ];
    match checks.iter().find(|(_, equal)| !equal) {
        Some((what, _)) => bail!("its {what} differs; it says {image:?}"),
        None => Ok(()),
    }
}

/// No block may be written yet, and there must be room to enter each one.
fn verify_empty(file: &FileReader, directory: &Directory) -> Result<()> {
    let blocks = directory.blocks();
    let rooms = [directory.offsets.count, directory.byte_counts.count];
    ensure!(rooms == [blocks, blocks], "it lists {rooms:?} blocks where it has {blocks}");
    for slice in directory.block_ranges_in_slices(file) {
        ensure!(slice?.1.iter().all(|range| *range == (0, 0)), "it has blocks already");
    }
    Ok(())
}
