//! A child process as its parent sees it: started, asked, and how it ended.

use std::ffi::OsString;
use std::io::{self, BufReader, BufWriter, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{self, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::ceiling::tells_of_no_memory;
use super::held::Share;
use super::message::{Answer, Request, Setup, greeting, hear, tell};
use super::pipes::Pipes;
use crate::run::Stopped;
use crate::source::Mosaic;

/// The program that children are: it hands its stdin and stdout to [`super::serve`].
#[derive(Debug, Clone)]
pub struct Program {
    /// Where it lies.
    pub path: PathBuf,
    /// What tells it to serve.
    pub arguments: Vec<OsString>,
}

/// Why there is no answer.
pub enum End {
    /// The job is to stop.
    Stopped,
    /// The child, in order, says that something is wrong.
    Failed(String),
    /// The child is dead.
    Died(Death),
}

/// How a child died.
pub struct Death {
    /// In words.
    pub how: String,
    /// The source that it began to read last.
    pub reading: Option<String>,
}

/// A child that waits for requests. It is ended with its value.
pub struct Child<'a> {
    process: process::Child,
    requests: BufWriter<ChildStdin>,
    answers: BufReader<Pipes<'a>>,
    /// How long an answer may take.
    patience: Option<Duration>,
    reading: Option<String>,
    /// Bytes that it may take beside what it had when it was ready.
    room: u64,
    /// The job whose window it has begun.
    pub job: Option<usize>,
    /// How many sources it was told not to read.
    pub left_out: usize,
    /// What it has in memory, where that is counted.
    pub share: Option<Share<'a>>,
}

/// Bytes of answers that are read together; pixels go past this buffer.
const TOGETHER: usize = 16 << 10;
/// How long the first answer may take, if any may take so long: until then a child reads no source.
const PATIENCE_AT_START: Duration = Duration::from_secs(60);

impl<'a> Child<'a> {
    /// Starts a child, and waits until it has understood its setup.
    pub fn start(
        program: &Program,
        setup: &Setup<&Mosaic>,
        patience: Option<Duration>,
        stop: &'a AtomicBool,
    ) -> Result<Child<'a>, End> {
        let mut command = Command::new(&program.path);
        command.args(&program.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A terminal's Ctrl-C is the parent's affair.
        command.process_group(0);
        let unstarted = |error: io::Error| {
            End::Failed(format!("{}: the child process cannot be started: {error}", program.path.display()))
        };
        let mut process = command.spawn().map_err(unstarted)?;
        let (Some(stdin), Some(stdout)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(End::Failed("the child process has no pipes".into()));
        };
        let pipes = Pipes::new(stdout, process.stderr.take(), stop);
        let mut child = Child {
            process,
            requests: BufWriter::new(stdin),
            answers: BufReader::with_capacity(TOGETHER, pipes),
            patience: patience.map(|patience| patience.max(PATIENCE_AT_START)),
            reading: None,
            room: 0,
            job: None,
            left_out: 0,
            share: None,
        };
        let told = tell(&mut child.requests, &greeting()).and_then(|()| tell(&mut child.requests, setup));
        // What it says of a setup that it does not take counts for more than the pipe that it closed.
        let answer = match (child.answer(), told) {
            (Ok(answer), Ok(())) => answer,
            (Err(end), _) => return Err(end),
            (_, Err(error)) => return Err(child.end(&error)),
        };
        child.patience = patience;
        match answer {
            Answer::Ready(room) => child.room = room,
            other => return Err(child.confused(&other)),
        }
        Ok(child)
    }

    /// Asks for something that is not answered. What goes wrong is found by the next question.
    pub fn mention(&mut self, request: &Request) {
        let _ = tell(&mut self.requests, request);
    }

    /// Asks, and waits for the answer.
    pub fn ask(&mut self, request: &Request) -> Result<Answer, End> {
        match tell(&mut self.requests, request) {
            Ok(()) => self.answer(),
            Err(error) => Err(self.end(&error)),
        }
    }

    /// Reads bytes that an answer announced.
    pub fn take(&mut self, bytes: &mut [u8]) -> Result<(), End> {
        self.answers.read_exact(bytes).map_err(|error| self.end(&error))
    }

    /// The child says what it was not asked.
    pub fn confused(&mut self, answer: &Answer) -> End {
        End::Failed(format!("the child process answers what it was not asked: {answer:?}"))
    }

    fn answer(&mut self) -> Result<Answer, End> {
        self.answers.get_mut().deadline = self.patience.map(|patience| Instant::now() + patience);
        loop {
            match hear(&mut self.answers) {
                Ok(Answer::Reading(name)) => self.reading = Some(name),
                Ok(Answer::Failed(text)) => return Err(End::Failed(text)),
                Ok(Answer::Exhausted(text)) => {
                    let how = format!("it met {} ({text})", self.ceiling());
                    return Err(self.died(how));
                }
                Ok(answer) => return Ok(answer),
                Err(error) => return Err(self.end(&error)),
            }
        }
    }

    /// Why nothing can be heard any more; the child is ended if it has not ended by itself.
    fn end(&mut self, error: &io::Error) -> End {
        if error.get_ref().is_some_and(|inner| inner.is::<Stopped>()) {
            return End::Stopped;
        }
        if error.kind() == io::ErrorKind::TimedOut {
            let seconds = self.patience.unwrap_or_default().as_secs();
            return self.died(format!("it gave no answer for {seconds} s"));
        }
        // Its exit status stands before its pipes are closed.
        let _ = self.process.kill();
        let status = self.process.wait();
        let words = self.answers.get_mut().last_words();
        let how = match status {
            _ if tells_of_no_memory(&words) => format!("it met {}", self.ceiling()),
            Ok(status) => format!("it {}", ended(status)),
            Err(error) => format!("it is gone: {error}"),
        };
        self.died(if words.is_empty() { how } else { format!("{how} ({words})") })
    }

    fn died(&mut self, how: String) -> End {
        End::Died(Death { how, reading: self.reading.take() })
    }

    fn ceiling(&self) -> String {
        format!("its memory ceiling, {} MiB beside what it had at the start", self.room >> 20)
    }
}

impl Drop for Child<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How a process ended, in words.
fn ended(status: ExitStatus) -> String {
    let name = |signal: i32| match signal {
        libc::SIGILL => " (SIGILL)",
        libc::SIGABRT => " (SIGABRT)",
        libc::SIGBUS => " (SIGBUS)",
        libc::SIGFPE => " (SIGFPE)",
        libc::SIGKILL => " (SIGKILL, as by a system that is short of memory)",
        libc::SIGSEGV => " (SIGSEGV)",
        libc::SIGTERM => " (SIGTERM)",
        _ => "",
    };
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("was ended by signal {signal}{}", name(signal)),
        (None, code) => format!("ended with exit code {}", code.unwrap_or(-1)),
    }
}
