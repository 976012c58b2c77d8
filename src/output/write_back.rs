//! Write-back that starts early, so that making the finished file durable takes little time; and the entries of the
//! part's index, which follow the bytes that they tell of.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Bytes that are written between two rounds of write-back.
const ROUND: u64 = 64 << 20;

/// A thread that brings a file's bytes to the disk while more are written.
#[derive(Debug)]
pub(super) struct WriteBack {
    rounds: Option<SyncSender<Round>>,
    thread: Option<JoinHandle<io::Result<()>>>,
    waiting: u64,
    /// Whether a round failed: the system tells of lost bytes once, so nothing is certain from then on.
    failed: bool,
}

/// What the thread is asked for.
enum Round {
    /// To bring the file's bytes to the disk.
    Bytes,
    /// To enter this into the index, behind the bytes if they are to be brought to the disk at all.
    Entry { text: String, bytes_first: bool },
}

/// The index that entries go to.
#[derive(Debug)]
pub(super) struct Entries {
    /// The index.
    pub file: File,
    /// Set once an entry stands there.
    pub any: Arc<AtomicBool>,
}

impl WriteBack {
    /// Starts the thread.
    pub(super) fn start(file: &File, entries: Option<Entries>) -> io::Result<Self> {
        let file = file.try_clone()?;
        let (rounds, asked) = sync_channel(1);
        // The kernel reports a failed write-back once per open file: what this thread hears nobody else will.
        let work = move || write_back(&file, entries, &asked);
        let thread = std::thread::Builder::new().name("write-back".into()).spawn(work)?;
        Ok(Self { rounds: Some(rounds), thread: Some(thread), waiting: 0, failed: false })
    }

    /// Says that this many bytes more were written.
    ///
    /// # Errors
    /// When an earlier round failed.
    pub(super) fn wrote(&mut self, bytes: u64) -> io::Result<()> {
        self.waiting += bytes;
        if self.waiting < ROUND {
            return Ok(());
        }
        self.waiting = 0;
        // A round that is already asked for will take these bytes along.
        self.ask(Round::Bytes).map(|_| ())
    }

    /// Enters something into the index, and says whether there was time for it.
    ///
    /// # Errors
    /// When an earlier round failed.
    pub(super) fn enter(&mut self, text: String, bytes_first: bool) -> io::Result<bool> {
        self.ask(Round::Entry { text, bytes_first })
    }

    fn ask(&mut self, round: Round) -> io::Result<bool> {
        if self.thread.as_ref().is_some_and(JoinHandle::is_finished) {
            self.finish()?;
        }
        Ok(self.rounds.as_ref().is_some_and(|rounds| rounds.try_send(round).is_ok()))
    }

    /// Waits for the rounds that were asked for.
    ///
    /// # Errors
    /// The first failure of any round, and from then on that there was one.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.rounds = None;
        let finished = match self.thread.take() {
            Some(thread) => thread.join().unwrap_or_else(|_| Err(io::Error::other("its thread panicked"))),
            None if self.failed => Err(io::Error::other("bytes written before were lost")),
            None => Ok(()),
        };
        self.failed |= finished.is_err();
        finished
    }
}

fn write_back(file: &File, mut entries: Option<Entries>, asked: &Receiver<Round>) -> io::Result<()> {
    for round in asked {
        match (round, &mut entries) {
            (Round::Bytes, _) => file.sync_data()?,
            (Round::Entry { text, bytes_first }, Some(entries)) => {
                if bytes_first {
                    file.sync_data()?;
                }
                entries.file.write_all(text.as_bytes())?;
                entries.file.sync_data()?;
                entries.any.store(true, Ordering::Relaxed);
            }
            (Round::Entry { .. }, None) => {}
        }
    }
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::fs::OpenOptions;

    #[test]
    fn what_failed_once_stays_failed() {
        let file = tempfile::tempfile().unwrap();
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let any = Arc::new(AtomicBool::new(false));
        let mut write_back =
            WriteBack::start(&file, Some(Entries { file: full, any: Arc::clone(&any) })).unwrap();
        assert!(write_back.enter("an entry".into(), true).unwrap());
        assert_eq!(write_back.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(write_back.finish().is_err(), "whoever asks later must not take the bytes for safe");
        assert!(!any.load(Ordering::Relaxed));
    }
}
