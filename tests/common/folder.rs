//! A temporary folder, and programs that run in it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Raster;

/// A temporary folder, gone with its value.
pub struct Folder(tempfile::TempDir);

/// What a program that ended left behind.
pub struct Outcome {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Folder {
    pub fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    /// The path of `name` in the folder.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// The names of everything in the folder.
    pub fn names(&self) -> BTreeSet<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub fn raster(&self, name: &str) -> Raster {
        Raster::open(&self.path(name))
    }

    /// The program with arguments, to run in this folder with no settings from the environment.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mosaic-stream"));
        command.args(arguments);
        self.isolate(&mut command);
        command
    }

    /// Puts a command in this folder, without a terminal and without settings from the environment.
    pub fn isolate(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("MOSAIC_STREAM_") || text.starts_with("GDAL_") || text.starts_with("VRT_") {
                command.env_remove(&name);
            }
        }
        command.current_dir(self.0.path()).stdin(Stdio::null());
    }

    /// Runs the program with the words of `line` as its arguments.
    pub fn run(&self, line: &str) -> Outcome {
        self.run_words(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs the program with arguments that may hold spaces.
    pub fn run_words<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Outcome {
        Outcome::of(&mut self.command(arguments))
    }

    /// Runs one of GDAL's own tools, which must succeed.
    pub fn tool(&self, line: &str) -> Outcome {
        self.tool_words(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs one of GDAL's own tools with arguments that may hold spaces; it must succeed.
    pub fn tool_words(&self, words: &[&str]) -> Outcome {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        self.isolate(&mut command);
        let outcome = Outcome::of(&mut command);
        assert_eq!(outcome.code, Some(0), "{words:?}: {}{}", outcome.stdout, outcome.stderr);
        outcome
    }

    /// The mosaic as GDAL makes it: gdalbuildvrt with `vrt_options` on `inputs`, gdal_translate with
    /// `translate_options`, in the file `output`.
    pub fn reference(
        &self,
        inputs: &str,
        vrt_options: &str,
        translate_options: &str,
        output: &str,
    ) -> Raster {
        self.tool(&format!("gdalbuildvrt -q -overwrite {vrt_options} {output}.vrt {inputs}"));
        self.tool(&format!("gdal_translate -q {translate_options} {output}.vrt {output}"));
        self.raster(output)
    }
}

impl Outcome {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Outcome {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The outcome, which must be a success.
    #[track_caller]
    pub fn done(self) -> Outcome {
        self.ended(0)
    }

    /// The outcome, which must have this exit code.
    #[track_caller]
    pub fn ended(self, code: i32) -> Outcome {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The outcome, which must be a refusal or a failure that the program reported itself (not a crash).
    #[track_caller]
    pub fn refused(self) -> Outcome {
        let reported = matches!(self.code, Some(1 | 2)) && !self.stderr.contains("panicked at");
        assert!(reported, "code {:?}\nstdout:\n{}\nstderr:\n{}", self.code, self.stdout, self.stderr);
        self
    }

    /// What it told a person on stderr must speak of all of these, in whatever case.
    #[track_caller]
    pub fn names(self, words: &[&str]) -> Outcome {
        let told = self.stderr.to_lowercase();
        for word in words {
            assert!(told.contains(&word.to_lowercase()), "'{word}' is missing in:\n{}", self.stderr);
        }
        self
    }

    /// What it printed on stdout must hold all of these, in whatever case.
    #[track_caller]
    pub fn prints(self, words: &[&str]) -> Outcome {
        let printed = self.stdout.to_lowercase();
        for word in words {
            assert!(printed.contains(&word.to_lowercase()), "'{word}' is missing in:\n{}", self.stdout);
        }
        self
    }
}
