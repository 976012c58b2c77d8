//! Patience with servers that fail: what they did not give is asked for again, at growing intervals, and what is told at
//! last names the source, the status and the attempts.
//!
//! GDAL's own retries are switched off for that: they leave out dropped connections and short answers (in 3.6), sleep
//! where no signal is heard, and end in silence where a file beside the source is concerned, so that a mask that could
//! not be had is none. Here GDAL's file systems are listened to: in the debugging messages of `port/cpl_vsil_curl.cpp`
//! they tell the status of each answer, and what curl says of one that is not whole (alike from GDAL 3.6 to 3.12).

use std::cell::RefCell;
use std::ffi::CString;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, anyhow};
use gdal::config::{clear_thread_local_config_option, get_config_option, set_thread_local_config_option};

use super::answers::Answers;
use super::trap::trapped;

/// Options of GDAL for its network, unless the user set them: a server that cannot be reached, or gives next to nothing
/// for so many seconds, is given up (<https://gdal.org/en/stable/user/configoptions.html#networking-options>).
pub(super) const OPTIONS: [(&str, &str); 3] = [
    ("GDAL_HTTP_CONNECTTIMEOUT", "15"),
    ("GDAL_HTTP_LOW_SPEED_TIME", "30"),
    ("GDAL_HTTP_LOW_SPEED_LIMIT", "100"),
];

/// What GDAL's file systems of the network call themselves in its messages.
const TALKERS: &str = "VSICURL,S3,GS,AZURE,ADLS,OSS,SWIFT,WEBHDFS";

/// How much is borne with servers.
#[derive(Debug, Clone, Copy)]
pub struct Patience<'a> {
    /// How often they are asked again for what they did not give.
    pub retries: u32,
    /// Set to wait no longer.
    pub stop: &'a AtomicBool,
}

impl Default for Patience<'_> {
    fn default() -> Self {
        static NEVER: AtomicBool = AtomicBool::new(false);
        Patience { retries: usual_retries(), stop: &NEVER }
    }
}

/// The retries that the user set for GDAL by `GDAL_HTTP_MAX_RETRY` in the environment, else 4.
pub fn usual_retries() -> u32 {
    std::env::var("GDAL_HTTP_MAX_RETRY").ok().and_then(|number| number.parse().ok()).unwrap_or(4)
}

/// Servers did not give what was asked for.
#[derive(Debug)]
pub(super) struct NotGiven(String);

impl fmt::Display for NotGiven {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Patience<'_> {
    /// Does `work` on the source `name`, again and again where servers fail that it asks, directly or by a virtual
    /// raster. What GDAL gave in spite of such a failure does not count: something of it may be missing.
    ///
    /// # Errors
    /// Those of `work`; with the status and the attempts where a server failed until the end.
    pub fn with<T>(&self, name: &str, mut work: impl FnMut() -> Result<T>) -> Result<T> {
        let mut attempt = 1;
        loop {
            let (result, again) = listen(name, &mut work);
            match again {
                Some(failed) if attempt <= self.retries && self.wait(attempt) => forget(name, &failed),
                _ => return result.map_err(|error| told(error, attempt)),
            }
            attempt += 1;
        }
    }

    /// Does `work` on the source `name` once. Nothing where a server failed and may be asked again, which is for the
    /// caller to do, in smaller pieces: of many requests at once, one fails soon.
    pub fn once<T>(&self, name: &str, work: impl FnOnce() -> Result<T>) -> Option<Result<T>> {
        let (result, again) = listen(name, work);
        match again {
            Some(failed) if self.retries > 0 && self.wait(1) => {
                forget(name, &failed);
                None
            }
            _ => Some(result.map_err(|error| told(error, 1))),
        }
    }

    /// Waits before the next attempt; whether there is to be one. Twice as long each time, and not all workers alike.
    fn wait(&self, attempt: u32) -> bool {
        const TICK: Duration = Duration::from_millis(20);
        let first = get_config_option("GDAL_HTTP_RETRY_DELAY", "").ok().and_then(|text| text.parse().ok());
        let jitter = 0.75 + (RandomState::new().hash_one(attempt) % 1024) as f64 / 2048.0;
        let seconds = first.unwrap_or(0.5_f64) * 2_f64.powi(attempt as i32 - 1) * jitter;
        let until = Instant::now() + Duration::from_secs_f64(seconds.clamp(0.0, 3600.0));
        while !self.stop.load(Ordering::Relaxed) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            sleep(left.min(TICK));
        }
        false
    }
}

thread_local! {
    static HEARD: RefCell<Option<Answers>> = const { RefCell::new(None) };
}

/// GDAL's handler of messages hands on those for debugging.
pub(super) fn hear(message: &str) {
    HEARD.with_borrow_mut(|heard| heard.iter_mut().for_each(|answers| answers.hear(message)));
}

/// Does `work` and listens to what servers answer meanwhile; its result, which is an error where one failed, and where it
/// may be another one the next time the addresses that failed, as far as they are known.
fn listen<T>(name: &str, work: impl FnOnce() -> Result<T>) -> (Result<T>, Option<Vec<String>>) {
    let before = HEARD.replace(Some(Answers::default()));
    // Errors to set an option leave servers unheard, as they were without it.
    let _ = set_thread_local_config_option("CPL_DEBUG", TALKERS);
    // Where no trap is set further inside, messages would go to stderr.
    let (result, _) = trapped(work);
    let _ = clear_thread_local_config_option("CPL_DEBUG");
    let answers = HEARD.replace(before).unwrap_or_default();
    let asked_servers = is_remote(name) || answers.any();
    match result {
        result if !asked_servers => (result, None),
        Ok(made) => match answers.failure() {
            None => (Ok(made), None),
            Some(failure) => (Err(Error::new(Failure(failure))), Some(answers.failed())),
        },
        Err(error) => match (answers.failure(), answers.refused(name, &format!("{error:#}"))) {
            (Some(failure), _) => (Err(error.context(Failure(failure))), Some(answers.failed())),
            (None, Some(refusal)) => (Err(error.context(NotGiven(refusal))), None),
            // What a server gave without complaint may be other bytes than were asked for.
            (None, None) => (Err(error), Some(Vec::new())),
        },
    }
}

/// What a server answered in place of what was asked for.
#[derive(Debug)]
struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// The error of the last attempt.
fn told(error: Error, attempts: u32) -> Error {
    let times = if attempts == 1 { "1 attempt".into() } else { format!("{attempts} attempts") };
    match error.downcast_ref::<Failure>() {
        Some(failure) => anyhow!("{error:#}").context(NotGiven(format!("{failure}, {times}"))),
        None if attempts > 1 => {
            let text = format!("{error:#}");
            error.context(NotGiven(format!("{text}, {times}")))
        }
        None => error,
    }
}

/// Whether a name leads to a server by itself.
fn is_remote(name: &str) -> bool {
    const SYSTEMS: [&str; 8] =
        ["/vsicurl", "/vsis3", "/vsigs", "/vsiaz", "/vsiadls", "/vsioss", "/vsiswift", "/vsiwebhdfs"];
    SYSTEMS.iter().any(|system| name.contains(system))
        || name.match_indices("://").any(|(at, _)| ends_in_scheme(&name[..at]))
}

/// Whether a text ends in the scheme of an address, which is the whole text or stands behind what GDAL's drivers put before
/// an address: `ZARR:"http`, but not `HDF5:"a.nc":`, the file's name before that of an array.
fn ends_in_scheme(text: &str) -> bool {
    let rest = text.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '+');
    let scheme = &text[rest.len()..];
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && (rest.is_empty() || rest.ends_with(['"', '\'', ':', '=', ',']))
}

/// Has GDAL forget what it keeps of the answers of a source's server: failures, and parts that are too short. What it got
/// from other addresses stays, so that each attempt comes further; all goes where it is not known which ones failed.
fn forget(name: &str, failed: &[String]) {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    // With the files beside it, which begin alike.
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let nested = name.get(1..).is_some_and(|rest| rest.contains("/vsi"));
    let beginnings = match failed {
        // An archive, or what a virtual raster refers to.
        _ if !name.starts_with("/vsi") || !is_remote(name) || nested => Vec::new(),
        failed if name.starts_with("/vsicurl/") && !failed.is_empty() => {
            failed.iter().map(|address| format!("/vsicurl/{address}")).collect()
        }
        _ => vec![format!("{folder}/{stem}")],
    };
    // SAFETY: the texts end with a zero byte and live during the calls, which take GDAL's own locks.
    unsafe {
        for beginning in beginnings.iter().filter_map(|text| CString::new(text.as_str()).ok()) {
            gdal_sys::VSICurlPartialClearCache(beginning.as_ptr());
        }
        if beginnings.is_empty() {
            gdal_sys::VSICurlClearCache();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_a_server_by_a_file_system_or_the_scheme_of_an_address() {
        let addresses =
            ["/vsicurl/http://h/a.tif", "/vsizip//vsis3/b/a.zip/a.tif", "https://h/a.tif", "s3://b/a.tif"];
        let behind =
            ["ZARR:\"http://h/a\"", "NETCDF:https://h/a.nc:v", "WMS:http://h/?", "PG:host=git+ssh://h"];
        for name in addresses.into_iter().chain(behind) {
            assert!(is_remote(name), "{name}");
        }
        let arrays = ["HDF5:\"f.nc\"://Band1", "HDF5:/data/f.h5://a/b", "HDF5:'f.nc'://Band1"];
        for name in
            arrays.into_iter().chain(["a.tif", "/data/a:/b", "://a", "/data/odd/3d://a", "HDF5:f.nc://Band1"])
        {
            assert!(!is_remote(name), "{name}");
        }
    }
}
