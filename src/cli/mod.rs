//! The command line: flags and help, progress, messages and exit codes. Nobody imports it.

pub mod arguments;
mod examples;
mod grouped;
pub mod inspect_arguments;
pub mod inspect_text;
pub mod messages;
pub mod plan_text;
pub mod progress;
pub mod signals;
pub mod verify_arguments;
pub mod verify_text;
