//! What servers answered, as GDAL's file systems of the network tell it in their messages for debugging.
//!
//! Of interest are the lines of `port/cpl_vsil_curl.cpp` that name a `response_code`:
//! ```text
//! VSICURL: Downloading 0-16383 (http://h/a.tif)...
//! VSICURL: Got response_code=206
//! VSICURL: DownloadRegion(http://h/a.tif): response_code=206, msg=transfer closed with 9 bytes remaining to read
//! VSICURL: GetFileSize(http://h/a.tif.msk)=0  response_code=503
//! ```

/// The answers of servers while one thing was asked of them.
#[derive(Debug, Default)]
pub(super) struct Answers {
    any: bool,
    /// What is being downloaded.
    address: String,
    failures: Vec<Answer>,
    /// The status of the last download, where it was refused for good.
    refused: Option<u32>,
    /// Files whose size was refused for good, and the status: mostly such as may lie beside a raster and do not.
    sizes_refused: Vec<(String, u32)>,
}

/// An answer that gave nothing, or not all.
#[derive(Debug)]
struct Answer {
    address: String,
    /// 0 where the server gave none.
    status: u32,
    /// What curl said of it.
    said: String,
    /// Whether only the file's size was asked for.
    of_size: bool,
}

/// More failures than these are not kept.
const MOST: usize = 20;

impl Answers {
    /// Takes notice of a message.
    pub fn hear(&mut self, message: &str) {
        if let Some((_, range)) = message.split_once(": Downloading ") {
            self.address = inside(range).unwrap_or_default().to_owned();
        }
        let Some((before, after)) = message.split_once("response_code=") else { return };
        let Some(status) = leading_number(after) else { return };
        self.any = true;
        let said = after.split_once("msg=").map_or("", |(_, said)| said.trim());
        let of_size = before.contains("GetFileSize(");
        let of_download = before.ends_with("Got ");
        let refused = Some(status).filter(|status| (400..500).contains(status) && !may_pass(*status));
        if of_download {
            self.refused = refused;
        }
        if let (true, Some(status), Some(address)) = (of_size, refused, inside(before)) {
            self.sizes_refused.truncate(MOST);
            self.sizes_refused.push((address.to_owned(), status));
        }
        // A size may be asked for by a GET that is broken off on purpose.
        let broken_off = !of_size && !said.is_empty();
        if may_pass(status) || broken_off {
            self.failures.truncate(MOST);
            let address = inside(before).unwrap_or(&self.address).to_owned();
            self.failures.push(Answer { address, status, said: said.to_owned(), of_size });
        } else if of_download {
            // A server that does not tell a size but gives the file is fine.
            let address = &self.address;
            self.failures.retain(|failure| !failure.of_size || failure.address != *address);
        }
    }

    /// Whether a server was asked at all.
    pub fn any(&self) -> bool {
        self.any
    }

    /// How a server failed, where one did: its status or what curl says, and the address.
    pub fn failure(&self) -> Option<String> {
        let last = self.failures.last()?;
        let said =
            self.failures.iter().rev().find(|other| other.status == last.status && !other.said.is_empty());
        let said = said.map_or("no answer", |answer| &answer.said);
        Some(match last.status {
            status if may_pass(status) && status != 0 => {
                format!("HTTP status {status} from {}", last.address)
            }
            _ => format!("no whole answer from {} ({said})", last.address),
        })
    }

    /// The addresses that failed, each once.
    pub fn failed(&self) -> Vec<String> {
        let mut failed: Vec<String> = self.failures.iter().map(|answer| answer.address.clone()).collect();
        failed.sort();
        failed.dedup();
        failed
    }

    /// How the server refused for good the source of this name, which failed with this error.
    pub fn refused(&self, name: &str, error: &str) -> Option<String> {
        let of_error = ["response code: ", "response_code="].iter().find_map(|mark| {
            let status = leading_number(error.split_once(mark)?.1)?;
            ((400..500).contains(&status) && !may_pass(status)).then_some(status)
        });
        // Of the file itself; GDAL may know it by a longer name than its address.
        let of_size = || self.sizes_refused.iter().find(|(address, _)| name.ends_with(address.as_str()));
        of_error
            .or(self.refused)
            .or_else(|| Some(of_size()?.1))
            .map(|status| format!("HTTP status {status}{}", meaning(status)))
    }
}

/// Whether an answer of this status may be another one the next time (RFC 9110, section 15): the server has trouble of
/// its own, or too much to do. 0 is no answer.
fn may_pass(status: u32) -> bool {
    matches!(status, 0 | 408 | 425 | 429 | 500 | 502..=504 | 506..=599)
}

fn meaning(status: u32) -> &'static str {
    match status {
        401 | 403 => " (access is denied)",
        404 | 410 => " (there is no such file)",
        _ => "",
    }
}

/// What stands between the first opening bracket and the last closing one.
fn inside(text: &str) -> Option<&str> {
    let (start, end) = (text.find('(')? + 1, text.rfind(')')?);
    text.get(start..end)
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(messages: &[&str]) -> Answers {
        let mut answers = Answers::default();
        messages.iter().for_each(|message| answers.hear(message));
        answers
    }

    const ASKED: &str = "VSICURL: Downloading 0-16383 (http://h/a.tif)...";

    #[test]
    fn files_that_are_not_there_are_no_failure() {
        let found = heard(&[
            "VSICURL: GetFileSize(http://h/a.tif)=10  response_code=200",
            ASKED,
            "VSICURL: Got response_code=206",
            "VSICURL: GetFileSize(http://h/a.tif.msk)=0  response_code=404",
            "VSICURL: GetFileSize(http://h/a.tif.ovr): response_code=403, server error msg=denied",
        ]);
        assert!(
            found.any()
                && found.failure().is_none()
                && found.refused("/vsicurl/http://h/a.tif", "not a raster").is_none()
        );
        assert!(!heard(&["GTIFF: response"]).any());
    }

    #[test]
    fn a_file_beside_that_could_not_be_had_is_a_failure() {
        let found = heard(&["VSICURL: GetFileSize(http://h/a.tif.msk)=0  response_code=503", ASKED]);
        assert_eq!(found.failure().unwrap(), "HTTP status 503 from http://h/a.tif.msk");
        assert_eq!(found.failed(), ["http://h/a.tif.msk"]);
    }

    #[test]
    fn answers_that_are_not_whole_are_failures_whatever_their_status() {
        let cut = "VSICURL: DownloadRegion(http://h/a.tif): response_code=206, msg=transfer closed";
        let found = heard(&[ASKED, cut, "VSICURL: Got response_code=206"]);
        assert_eq!(found.failure().unwrap(), "no whole answer from http://h/a.tif (transfer closed)");
        let none = "VSICURL: DownloadRegion(http://h/a.tif): response_code=0, msg=Empty reply from server";
        let found = heard(&[ASKED, none, "VSICURL: Got response_code=0"]);
        assert_eq!(found.failure().unwrap(), "no whole answer from http://h/a.tif (Empty reply from server)");
    }

    #[test]
    fn a_server_that_does_not_tell_sizes_is_fine() {
        let size = "VSICURL: GetFileSize(http://h/a.tif)=0  response_code=500";
        assert!(heard(&[size, ASKED, "VSICURL: Got response_code=206"]).failure().is_none());
        assert!(heard(&[size, ASKED, "VSICURL: Got response_code=500"]).failure().is_some());
    }

    #[test]
    fn refusals_are_known_by_the_error_or_by_the_last_download() {
        let refusal = Answers::default().refused("a.tif", "open: HTTP response code: 404").unwrap();
        assert!(refusal.contains("404") && refusal.contains("no such file"), "{refusal}");
        assert!(heard(&[ASKED, "VSICURL: Got response_code=403"]).refused("a.tif", "read error").is_some());
        assert!(Answers::default().refused("a.tif", "HTTP response code: 500").is_none());
        let size = heard(&["VSICURL: GetFileSize(http://h/a.tif)=0  response_code=403"]);
        assert!(size.refused("/vsicurl/http://h/a.tif", "does not exist").unwrap().contains("403"));
        assert!(size.refused("/vsicurl/http://h/b.tif", "does not exist").is_none());
    }
}
