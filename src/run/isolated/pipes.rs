//! The pipes from a child: its answers, waited for no longer than is allowed, and the last of what it prints.

use std::io::{self, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::process::{ChildStderr, ChildStdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::run::Stopped;

/// Bytes of what a child prints on stderr that are kept, the last ones.
const TAIL: usize = 4096;
/// How often it is looked at whether the job is to stop.
const GLANCE: Duration = Duration::from_millis(100);

/// A child's stdout, and its stderr on the way.
pub struct Pipes<'a> {
    stdout: ChildStdout,
    stderr: Option<ChildStderr>,
    tail: Vec<u8>,
    stop: &'a AtomicBool,
    /// Until when an answer is waited for.
    pub deadline: Option<Instant>,
}

impl<'a> Pipes<'a> {
    /// Of a child that was just started; no reading goes on when `stop` is set.
    pub fn new(stdout: ChildStdout, stderr: Option<ChildStderr>, stop: &'a AtomicBool) -> Pipes<'a> {
        Pipes { stdout, stderr, tail: Vec::new(), stop, deadline: None }
    }

    /// The last lines that the child printed before it ended.
    pub fn last_words(&mut self) -> String {
        while self.stderr.is_some() && self.wait(Duration::ZERO).is_ok_and(|(_, printed)| printed) {
            self.hear_printed();
        }
        let text = String::from_utf8_lossy(&self.tail);
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        lines[lines.len().saturating_sub(3)..].join("; ")
    }

    /// Waits until there is an answer to read or something printed; says which.
    fn wait(&self, at_most: Duration) -> io::Result<(bool, bool)> {
        let of = |fd: RawFd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        // A descriptor below zero is passed over.
        let stderr = self.stderr.as_ref().map_or(-1, AsRawFd::as_raw_fd);
        let mut fds = [of(self.stdout.as_raw_fd()), of(stderr)];
        // Rounded up, so that the deadline has passed when time is out.
        let milliseconds = at_most.as_micros().div_ceil(1000) as libc::c_int;
        // SAFETY: the array has as many entries as are told, and lives during the call.
        if unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, milliseconds) } < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::Interrupted { Ok((false, false)) } else { Err(error) };
        }
        Ok((fds[0].revents != 0, fds[1].revents != 0))
    }

    fn hear_printed(&mut self) {
        let Some(stderr) = &mut self.stderr else { return };
        let mut bytes = [0; TAIL];
        match stderr.read(&mut bytes) {
            Ok(0) | Err(_) => self.stderr = None,
            Ok(count) => {
                self.tail.extend_from_slice(&bytes[..count]);
                self.tail.drain(..self.tail.len().saturating_sub(TAIL));
            }
        }
    }
}

impl Read for Pipes<'_> {
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] past the deadline; [`Stopped`] inside when the job is to stop.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if self.stop.load(Ordering::Relaxed) {
                return Err(io::Error::other(Stopped));
            }
            let (answered, printed) = self.wait(left.unwrap_or(GLANCE).min(GLANCE))?;
            if printed {
                self.hear_printed();
            }
            if answered {
                return self.stdout.read(buffer);
            }
            if left == Some(Duration::ZERO) {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }
}
