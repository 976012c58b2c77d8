//! Sources that let whoever reads them wait, and children that are ended while they do.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Folder, Outcome, Source, random};

/// What makes a file, from its first byte to its last, one of GDAL's names: it has no size or time, and needs
/// `--allow-remote`.
pub const UNSEEN: &str = "/vsisubfile/0_0,";

/// A virtual raster of 300 × 300 pixels of a type with this upper left corner, each of its bands out of the band of the
/// same number of a file. A file that is not there becomes a pipe: whoever reads it waits for ever. Under [`UNSEEN`] a job
/// does not see when the pipe becomes a file.
pub fn write_virtual(folder: &Folder, name: &str, (x, y): (i32, i32), pixel_type: &str, files: &[&str]) {
    let band = |(index, file): (usize, &&str)| {
        let pipe = file.strip_prefix(UNSEEN).unwrap_or(file);
        if !folder.path(pipe).exists() {
            folder.tool(&format!("mkfifo {pipe}"));
        }
        let number = index + 1;
        format!(
            "<VRTRasterBand dataType=\"{pixel_type}\" band=\"{number}\"><NoDataValue>7</NoDataValue><SimpleSource>\
             <SourceFilename relativeToVRT=\"1\">{file}</SourceFilename><SourceBand>{number}</SourceBand>\
             <SourceProperties RasterXSize=\"300\" RasterYSize=\"300\" DataType=\"{pixel_type}\" BlockXSize=\"64\" \
             BlockYSize=\"64\"/><SrcRect xOff=\"0\" yOff=\"0\" xSize=\"300\" ySize=\"300\"/>\
             <DstRect xOff=\"0\" yOff=\"0\" xSize=\"300\" ySize=\"300\"/></SimpleSource></VRTRasterBand>"
        )
    };
    let bands: String = files.iter().enumerate().map(band).collect();
    folder.write(
        name,
        format!(
            "<VRTDataset rasterXSize=\"300\" rasterYSize=\"300\"><SRS>EPSG:4326</SRS>\
             <GeoTransform>{x}, 1, 0, {y}, 0, -1</GeoTransform>{bands}</VRTDataset>"
        ),
    );
}

pub fn start(folder: &Folder, line: &str) -> Child {
    let words: Vec<&str> = line.split_whitespace().collect();
    folder.command(&words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

pub fn wait_for(mut come: impl FnMut() -> bool) {
    let since = Instant::now();
    while !come() {
        assert!(since.elapsed() < Duration::from_secs(60), "what was waited for never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Starts a job with the waiting raster. Children that inspect what the raster refers to find something in the pipe; from
/// then on `now` is called again and again until it says that it is enough.
pub fn start_and(folder: &Folder, line: &str, mut now: impl FnMut(&Child) -> bool) -> Child {
    let mut job = start(folder, line);
    wait_for(|| {
        let inspects = !folder.names().iter().any(|name| name.ends_with(".partial"));
        if inspects && children(&job).iter().any(|id| waits(id)) {
            for name in ["pipe.tif", "second.tif"] {
                let mut for_writing = OpenOptions::new();
                let pipe = for_writing.write(true).custom_flags(libc::O_NONBLOCK).open(folder.path(name));
                let _ = pipe.and_then(|mut pipe| pipe.write_all(b"something"));
            }
        }
        job.try_wait().unwrap().is_some() || !inspects && now(&job)
    });
    job
}

/// Lets a job end, its children being sent this signal wherever they wait for the pipe.
pub fn end_with_signals(folder: &Folder, line: &str, name: Option<&str>) -> Outcome {
    end(start_and(folder, line, |job| {
        for id in children(job).iter().filter(|id| waits(id)) {
            name.into_iter().for_each(|name| signal(name, id));
        }
        false
    }))
}

pub fn end(job: Child) -> Outcome {
    let output = job.wait_with_output().unwrap();
    Outcome {
        code: output.status.code(),
        stdout: String::new(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Everything that a file of `/proc/ID/task/…` says of a process, thread after thread.
fn of_tasks(id: &str, file: &str) -> String {
    let tasks = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let of_task = |task: fs::DirEntry| fs::read_to_string(task.path().join(file)).unwrap_or_default();
    tasks.map(|task| of_task(task) + " ").collect()
}

/// The processes that `job` has started and that are alive.
pub fn children(job: &Child) -> Vec<String> {
    of_tasks(&job.id().to_string(), "children").split_whitespace().map(str::to_owned).collect()
}

/// Whether a process waits for somebody to write into a pipe that it opens.
pub fn waits(id: &str) -> bool {
    of_tasks(id, "wchan").contains("wait_for_partner")
}

/// Sends a signal to a process, which may be gone.
pub fn signal(name: &str, id: &str) {
    Command::new("kill").args([name, id]).stderr(Stdio::null()).status().unwrap();
}

/// Pixels in the place of a pipe.
pub fn fill_pipe(folder: &Folder, pipe: &str) {
    let value = |band, x, y| i128::from(1 + random(77, band, x, y) % 200);
    Source::new(300, 300).bands(3).pixels(value).write(folder.path("real.tif"));
    fs::rename(folder.path("real.tif"), folder.path(pipe)).unwrap();
}

/// What the index of the part that is there says; nothing where there is none.
pub fn index(folder: &Folder) -> String {
    let name = folder.names().into_iter().find(|name| name.ends_with(".partial.index"));
    name.map_or(String::new(), |name| fs::read_to_string(folder.path(name)).unwrap_or_default())
}
