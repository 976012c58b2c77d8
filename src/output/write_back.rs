//! Write-back that starts early, so that making the finished file durable takes little time.

use std::fs::File;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Bytes that are written between two rounds of write-back.
const ROUND: u64 = 64 << 20;

/// A thread that brings a file's bytes to the disk while more are written.
#[derive(Debug)]
pub(super) struct WriteBack {
    rounds: Option<SyncSender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
    waiting: u64,
}

impl WriteBack {
    /// Starts the thread.
    pub(super) fn start(file: &File) -> io::Result<Self> {
        let file = file.try_clone()?;
        let (rounds, asked) = sync_channel(1);
        // The kernel reports a failed write-back once per open file: what this thread hears nobody else will.
        let work = move || asked.iter().try_for_each(|()| file.sync_data());
        let thread = std::thread::Builder::new().name("write-back".into()).spawn(work)?;
        Ok(Self { rounds: Some(rounds), thread: Some(thread), waiting: 0 })
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
        if self.thread.as_ref().is_some_and(JoinHandle::is_finished) {
            return self.finish();
        }
        // A round that is already asked for will take these bytes along.
        let _ = self.rounds.as_ref().map(|rounds| rounds.try_send(()));
        Ok(())
    }

    /// Waits for the rounds that were asked for.
    ///
    /// # Errors
    /// The first failure of any round.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.rounds = None;
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the write-back thread panicked")))
    }
}
