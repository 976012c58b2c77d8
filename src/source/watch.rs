//! Who watches over this process hears which source is about to be read: should the process die of it, its name is
//! known.

use std::sync::OnceLock;

/// Who is told.
type Watcher = Box<dyn Fn(&str) + Send + Sync>;

static WATCHER: OnceLock<Watcher> = OnceLock::new();

/// From now on `hear` is told each source's name before it is opened or read. The first one that asks is told, nobody
/// else.
pub fn watch_reading(hear: impl Fn(&str) + Send + Sync + 'static) {
    let _ = WATCHER.set(Box::new(hear));
}

/// The source with this name is about to be opened or read.
pub(super) fn about_to_read(name: &str) {
    if let Some(hear) = WATCHER.get() {
        hear(name);
    }
}
