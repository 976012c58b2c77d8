//! Settings, and the only place that asks the machine.
//!
//! Two steps: what was typed (`layers`: file, environment, flags, each giving texts by key) and what it means
//! (`resolve`: one parser a key, one form of error that says where the value came from).

mod asked;
mod ceiling;
mod choices;
mod creation_options;
mod expressions;
mod in_vain;
mod keys;
mod layers;
mod machine;
mod meaning;
mod method;
mod problem;
mod resolve;
mod scenes;
mod session;
mod settings;
mod size;

pub use ceiling::MemoryCeiling;
pub use choices::{Format, OnError, Verify};
pub use creation_options::{BigTiff, CreationOptions, Interleave};
pub use expressions::Stage;
pub use keys::{Group, KEYS, Key, Kind};
pub use layers::{DEFAULT_FILE, ENVIRONMENT_PREFIX, Layer, Origin, Typed};
pub use machine::Machine;
pub use method::Method;
pub use problem::Problem;
pub use resolve::{load, resolve};
pub use scenes::{Harmonize, Order, SceneSettings};
pub use session::{ProgressMode, Session, Setting};
pub use settings::Settings;
pub use size::MemorySize;
